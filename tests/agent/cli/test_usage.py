"""agent.cli.usage"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.main import gathered


def said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(gathered(), list(words), prog_name="ngatu", env={"COLUMNS": "300"})
    return done.exit_code, done.output


@pytest.mark.parametrize(("words", "expected"), [
    (["-c", "box.yaml", "check"], "an option stands after its command: ngatu check -c"),
    (["check", "box.yaml"], "a file is named with -c: -c box.yaml"),
    (["check", "–c", "box.yaml"], "–c begins with a long dash, as editors make it; type -c"),
    (["check", "—offline"], "type --offline"),
    (["station", "stats", "−−json"], "type --json"),
    (["check", "-c", "a.yaml", "--config", "b.yaml"], "given twice, as a.yaml and as b.yaml; give it once"),
    (["check", "--config=a.yaml", "-c", "b.yaml"], "--config / -c"),
    (["run", "--for", "1m"], "hint: write the number without its unit, such as 60"),
    (["watch", "--port", "1883/tcp"], "hint: write the number without its unit"),
    (["replay", "a.mp4", "--start", "02/03/2026"], "hint: such as 2026-03-02, or 2026-03-02T11:00:00+07:00"),
    (["station", "-c", "a.yaml", "-c", "b.yaml"], "it is given twice"),
    (["watch", "--port", "1", "--host", "a", "--port", "2"], "it is given twice, as 1 and as 2"),
])  # fmt: skip
def test_a_slip_of_the_command_line_is_told_with_what_to_do(words: list[str], expected: str) -> None:
    code, text = said(*words)

    assert code == 2
    assert expected in text


@pytest.mark.parametrize("words", [
    ["check", "--offline", "--offline"],
    ["box", "label", "hai-ninh", "hai-ninh-01", "--place", "--contact", "--contact", "--place"],
    ["station", "--commune", "--commune", "check", "-c", "a.yaml", "--offline"],
])  # fmt: skip
def test_what_is_no_option_given_twice_is_not_taken_for_one(words: list[str]) -> None:
    assert "given twice" not in said(*words)[1]


def test_an_option_that_is_repeatable_may_come_again(tmp_path: Path) -> None:
    code, text = said("watch", "--commune", "hai-ninh", "--commune", "hai-tay", "--store", str(tmp_path / "x"))

    assert (code, "given twice" in text) == (2, False)


def test_other_errors_stay_as_they_are() -> None:
    code, text = said("chek")

    assert code == 2
    assert "No such command 'chek'" in text
    assert "hint" not in text
