"""agent.cli.man.roff"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from agent.cli.man.roff import bold, escaped, italic, line


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("a\\b", "a\\eb"),
        ("--key", "\\-\\-key"),
        (".TH is no request here", "\\&.TH is no request here"),
        ("'tis none either", "\\&'tis none either"),
        ("ngã tư", "ng\\[u00E3] t\\[u01B0]"),
    ],
)
def test_what_roff_would_obey_is_shown_as_it_stands(text: str, roff: str) -> None:
    assert escaped(text) == roff


def test_code_is_bold_and_prose_is_one_line() -> None:
    assert line("Call `ngatu run`\n  again.") == f"Call {bold('ngatu run')} again."
    assert line("`x`") == bold("x")
    assert italic("FILE") == "\\fIFILE\\fR"


def test_groff_shows_the_same_letters() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not here: apt install groff-base")
    text = ".hidden \\fB --long-option 'quoted' ngã tư …"
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"], input=f".TH X 1\n.SH NAME\n{line(text)}\n", check=True,
        capture_output=True, text=True, encoding="utf-8", timeout=30,
    )  # fmt: skip

    assert " ".join(text.split()) in " ".join(shown.stdout.split())
    assert shown.stderr == ""
