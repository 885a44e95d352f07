"""agent.cli.exit"""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from agent.cli.exit import one_line_errors

CANARY = "pa55-w0rd-canary"


def test_a_command_that_breaks_says_so_in_two_lines_and_ends_with_70() -> None:
    @one_line_errors
    def command() -> None:
        raise RuntimeError(f"no\nidea rtsp://u:{CANARY}@h")

    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app)

    assert done.exit_code == 70
    assert done.stderr.splitlines() == [
        "ngatu is broken: RuntimeError: no idea rtsp://…@h",
        "  hint: report this line with `ngatu version`",
    ]
