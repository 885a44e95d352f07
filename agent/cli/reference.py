"""Writes docs/reference/commands.md out of the commands that `ngatu` gathers.

    python -m agent.cli.reference          writes the file, from the root of the checkout
    python -m agent.cli.reference --check  exit 1 if it is not what the code says

It reads the commands' own declarations, not Typer's help texts, which change with its versions.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from typer import Context, Typer
from typer.models import ArgumentInfo, ParameterInfo

from agent.cli.exit import ExitCode

PAGE = Path("docs/reference/commands.md")
HEAD = """\
# Commands

`ngatu` gathers the commands of the box, the station and the model tools; `ngatu COMMAND --help`, or `-h`, says the same as this page, and where ngatu came as a wheel so does `man ngatu-COMMAND`.
`ngatu --version`, or `-V`, prints the version.
Results go to standard output, everything else to standard error.
An option's default stands in the table; where there is none, its meaning says what holds without it.

This page is written from the code by `make docs`.
"""  # noqa: E501  one sentence per line
KINDS = {
    Path: "path",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "flag",
    datetime: "date and time",
}

Command = tuple[str, Callable[..., Any]]
"""What is typed, and the function behind it."""


def commands(app: Typer, words: str = "ngatu") -> Iterator[Command]:
    """Every command of the app and of the apps in it, in the order of `ngatu --help`."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield f"{words} {command.name or command.callback.__name__.replace('_', '-')}", command.callback
    for group in app.registered_groups:
        assert group.typer_instance is not None
        name = group.name if isinstance(group.name, str) else ""
        itself = group.typer_instance.registered_callback
        if itself is not None and itself.callback is not None and itself.invoke_without_command:
            yield f"{words} {name}", itself.callback
        yield from commands(group.typer_instance, f"{words} {name}".strip())


def page(app: Typer) -> str:
    """The page in Markdown."""
    sections = ("\n".join(_section(*each)) for each in sorted(commands(app)))
    return "\n".join([HEAD, "\n".join(_exit_codes()), *sections])


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "A code means the same whichever command ends with it; the command's own text says more.\n"
    yield "| code | meaning |"
    yield "|---|---|"
    for code in ExitCode:
        yield f"| {code.value} | {code.meaning} |"
    yield ""


def _section(words: str, command: Callable[..., Any]) -> Iterator[str]:
    yield f"## `{words}`\n"
    for paragraph in (inspect.getdoc(command) or "").split("\n\n"):
        yield " ".join(paragraph.split()) + "\n"
    parameters = list(rows(command))
    arguments = [name for name, *_ in parameters if not name.startswith("-")]
    options = ["[OPTIONS]"] if len(parameters) > len(arguments) else []
    yield f"```\n{' '.join([words, *options, *arguments])}\n```\n"
    if parameters:
        yield "| argument or option | value | default | meaning |"
        yield "|---|---|---|---|"
        for row in parameters:
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{row[0]}`", *row[1:])) + " |"
        yield ""


def rows(command: Callable[..., Any]) -> Iterator[tuple[str, str, str, str]]:
    """Name, kind of value, default and meaning of each argument, then of each option."""
    hints = get_type_hints(command, include_extras=True)
    parameters = [
        each
        for each in inspect.signature(command).parameters.values()
        if not (isinstance(hints[each.name], type) and issubclass(hints[each.name], Context))
    ]
    apart = [(each, *_taken_apart(hints[each.name])) for each in parameters]
    for parameter, kind, info in sorted(apart, key=lambda row: not isinstance(row[2], ArgumentInfo)):
        meaning = " ".join((info.help or "").split())
        yield _name(parameter, kind, info), f"{kind}{_bounds(info)}", _default(parameter), meaning


def _taken_apart(hint: Any) -> tuple[str, ParameterInfo]:
    """The kind of value in words, and what the declaration adds to it."""
    assert get_origin(hint) is Annotated, "declare options with Annotated[…, typer.Option(…)]"
    annotation, info = get_args(hint)
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    (kind,) = (each for each in options if each is not type(None))
    if get_origin(kind) is list:
        return f"{KINDS[get_args(kind)[0]]}, repeatable", info
    return KINDS[kind], info


def _name(parameter: inspect.Parameter, kind: str, info: ParameterInfo) -> str:
    if isinstance(info, ArgumentInfo):
        return parameter.name.upper()
    # Inside Annotated, Typer takes the first word of Option(…) for the default, though it is the option's name.
    words = [*([info.default] if isinstance(info.default, str) else []), *(info.param_decls or ())]
    plain = parameter.name.replace("_", "-")
    return ", ".join(words or [f"--{plain} / --no-{plain}" if kind == "flag" else f"--{plain}"])


def _bounds(info: ParameterInfo) -> str:
    if info.min is None and info.max is None:
        return ""
    if info.max is None:
        return f", at least {info.min}"
    return f", {info.min}..{info.max}" if info.min is not None else f", at most {info.max}"


def _default(parameter: inspect.Parameter) -> str:
    value = parameter.default
    if value is inspect.Parameter.empty:
        return "**required**"
    if value is None or value is False:
        return ""
    return f"`{value.isoformat() if isinstance(value, datetime) else value}`"


def main(arguments: list[str]) -> int:
    """Write the page below the current folder, or with --check tell whether it differs."""
    from agent.cli.main import gathered  # noqa: PLC0415  (this module serves any app; only its command knows)

    wanted = page(gathered())
    stale = not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted
    if stale and "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{PAGE} {'is not what the code says' if '--check' in arguments else 'written'}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
