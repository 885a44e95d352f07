"""fleet.cli.main"""

from __future__ import annotations

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from fleet.cli.main import commands


def test_the_controllers_commands_are_gathered() -> None:
    assert set(get_command(commands).commands) == {"box", "bundle", "ca", "fleet"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", ["box", "bundle", "ca", "fleet"])
def test_a_command_without_words_shows_what_there_is(command: str) -> None:
    done = CliRunner().invoke(commands, [command])

    assert f"Usage: root {command} [OPTIONS] COMMAND" in done.output
