"""verifier.cli: its options; test_run.py has what it says, and how it ends"""

from __future__ import annotations

from typer.testing import CliRunner

from verifier.cli import commands


def test_its_help_says_what_it_answers_and_how_it_ends() -> None:
    said = CliRunner().invoke(commands, ["--help"], env={"COLUMNS": "200"}).output

    assert "authentic, authentic with missing, not signed, not authentic" in " ".join(said.split())
    assert "Exit code 0: authentic; 1:" in said
    assert {"--key", "--station", "--json"} <= set(said.split())
