"""agent.cli.exit"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agent.cli.exit import ExitCode, code_of, one_line_errors
from agent.cli.main import gathered
from agent.cli.reference import commands, rows
from agent.errors import BrokerRefused, ConfigError, ModelError, NgatuError, UsageError
from tests.support.command_line import exit_code

ROOT = Path(__file__).resolve().parents[3]
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


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (ModelError("x"), 2),
        (UsageError("x"), 2),
        (BrokerRefused("x"), 1),
        (NgatuError("x"), 1),
    ],
)
def test_an_error_ends_every_command_with_the_code_of_its_kind(error: NgatuError, code: int) -> None:
    @one_line_errors
    def command() -> None:
        raise error

    app = typer.Typer()
    app.command()(command)

    assert CliRunner().invoke(app).exit_code == code == code_of(error)


@pytest.mark.long
def test_no_command_ends_with_a_number_that_is_not_in_the_table() -> None:
    """Whoever ends a command names the code, and does not write a number."""
    written = [
        f"{path}:{node.lineno}"
        for package in ("agent", "station", "models", "fleet", "verifier")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Exit")
        if any(isinstance(each, ast.Constant) and each.value not in (0, None) for each in _given(node))
    ]

    assert written == []


def _given(call: ast.Call) -> list[ast.AST]:
    return [each for given in (*call.args, *call.keywords) for each in ast.walk(given)]


@pytest.mark.parametrize(
    ("words", "command"), list(commands(gathered())), ids=[words for words, _ in commands(gathered())]
)
def test_each_command_tells_only_codes_of_the_table(words: str, command: object) -> None:
    text = inspect.getdoc(command) or ""
    named = re.findall(r"(?:[Ee]xit code|;) (\d+):", text)

    assert {int(each) for each in named} <= {code.value for code in ExitCode}
    assert ("xit code" in text) == bool(named), "say it as `Exit code 0: …; 1: …`"


CONFIGURED = [
    (words, [row for row in rows(command) if row[2] == "**required**"])
    for words, command in commands(gathered())
    if any("--config" in row[0] for row in rows(command))
]
"""Commands that read a file of settings, with what they must be given besides."""


@pytest.mark.parametrize(("words", "required"), CONFIGURED, ids=[words for words, _ in CONFIGURED])
def test_a_file_of_settings_that_is_not_there_ends_each_with_the_same_code(
    words: str, required: list[tuple[str, str, str, str]], tmp_path: Path
) -> None:
    given = ["ping" if row[0] == "VERB" else "hai-ninh-03" for row in required if row[0].isupper()]

    assert exit_code([*words.split()[1:], *given, "-c", str(tmp_path / "none.yaml")]) == ExitCode.WRONG


@pytest.mark.parametrize("words", [words for words, _ in commands(gathered())])
def test_a_word_that_no_command_has_ends_each_with_the_same_code(words: str) -> None:
    assert exit_code([*words.split()[1:], "--no-such-option"]) == ExitCode.WRONG
