"""A man page for `ngatu` and for each of its commands, out of the commands' own declarations.

It reads what docs/reference/commands.md is written from. click-man, which makes such pages, finds no options:
Typer carries a click of its own since 0.26, and to click-man's click its options are none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from typer import Typer

from agent import __version__
from agent.cli.exit import ExitCode
from agent.cli.man.roff import bold, escaped, italic, line
from agent.cli.reference import rows

SEPARATORS = (" / ", ", ")
"""Between the names of one option, as `rows` tells them."""
HELP = ("-h, --help", "flag", "", "Show what the command takes, and end.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A command, a group of commands, or both."""

    words: str
    """What is typed: `ngatu station events`."""
    text: str
    """What it says of itself; paragraphs are parted by an empty line."""
    callback: Callable[..., Any] | None
    """The function behind it, None where it only gathers others."""
    below: tuple[Entry, ...] = ()
    """Its own commands, in the order of `--help`."""
    alone: bool = True
    """Whether it does something without one of them."""

    @property
    def name(self) -> str:
        """The page's: `ngatu-station-events`."""
        return self.words.replace(" ", "-")


def entry(app: Typer, words: str = "ngatu", said: object = None) -> Entry:
    """The app as a tree; `said` is the help that it was added with."""
    itself = app.registered_callback
    callback = itself.callback if itself is not None else None
    texts = (said, app.info.help, inspect.getdoc(callback) if callback is not None else None)
    text = next((each for each in texts if isinstance(each, str)), "")
    alone = itself is not None and itself.invoke_without_command is True
    return Entry(words, text, callback, tuple(_below(app, words)), alone)


def _below(app: Typer, words: str) -> Iterator[Entry]:
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        yield Entry(f"{words} {name}", inspect.getdoc(command.callback) or "", command.callback)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        if isinstance(group.name, str):
            yield entry(group.typer_instance, f"{words} {group.name}", group.help)
        else:  # a package's commands, which stand beside those of the others
            yield from _below(group.typer_instance, words)


def pages(app: Typer) -> dict[str, str]:
    """Name of the file -> the page, for the app and everything below it."""
    return {f"{each.name}.1": page(each, top=each.words == "ngatu") for each in _all(entry(app))}


def _all(top: Entry) -> Iterator[Entry]:
    yield top
    for each in top.below:
        yield from _all(each)


def page(of: Entry, *, top: bool) -> str:
    """One page in roff. It carries no date: the same code gives the same bytes."""
    first, *more = of.text.split("\n\n")
    summary = line(first.removeprefix(f"{of.words}: "))
    lines = [
        f'.TH "{escaped(of.name.upper())}" 1 "" "ngatu {__version__}" "ngatu"',
        ".SH NAME", rf"{escaped(of.name)} \- {summary}",
        ".SH SYNOPSIS", *_synopsis(of),
    ]  # fmt: skip
    if more:
        lines += [".SH DESCRIPTION", *_paragraphs(more)]
    lines += _parameters(of)
    if of.below:
        lines += [".SH COMMANDS", *_commands(of)]
    lines += _exit_codes() if top else [".SH EXIT STATUS", "As", f"{bold('ngatu')}(1) says."]
    lines += [".SH SEE ALSO", *_beside(of)]
    return "\n".join(lines) + "\n"


def _synopsis(of: Entry) -> Iterator[str]:
    arguments = [name for name, *_ in _rows(of) if not name.startswith("-")]
    if of.alone:
        yield " ".join([bold(of.words), "[OPTIONS]", *map(italic, arguments)])
    if of.alone and of.below:
        yield ".br"
    if of.below:
        yield f"{bold(of.words)} [OPTIONS] {italic('COMMAND')} \\&..."


def _paragraphs(texts: list[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number:
            yield ".PP"
        yield line(text)


def _rows(of: Entry) -> list[tuple[str, str, str, str]]:
    return [*(rows(of.callback) if of.callback is not None else ()), HELP]


def _parameters(of: Entry) -> Iterator[str]:
    for heading, options in (("ARGUMENTS", False), ("OPTIONS", True)):
        chosen = [row for row in _rows(of) if row[0].startswith("-") == options]
        if chosen:
            yield f".SH {heading}"
        for name, kind, default, meaning in chosen:
            yield ".TP"
            yield _option(name, kind) if options else italic(name)
            stated = {"**required**": "Required.", "": ""}.get(default, f"Default: {default}")
            yield line(f"{meaning} {stated}") or r"\&"


def _option(name: str, kind: str) -> str:
    for separator in SEPARATORS:
        if separator in name:
            named = escaped(separator).join(bold(each) for each in name.split(separator))
            break
    else:
        named = bold(name)
    return named if kind == "flag" else f"{named} {italic(f'<{kind}>')}"


def _commands(of: Entry) -> Iterator[str]:
    for each in of.below:
        yield ".TP"
        yield f"{bold(each.name)}(1)"
        yield line(each.text.split("\n\n")[0])


def _exit_codes() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    yield "A code means the same whichever command ends with it."
    for code in ExitCode:
        yield ".TP"
        yield bold(str(code.value))
        yield line(code.meaning)


def _beside(of: Entry) -> Iterator[str]:
    """The page above; for the uppermost, where more is written."""
    above = of.words.rpartition(" ")[0].replace(" ", "-")
    yield f"{bold(above)}(1)" if above else line("The guides and references, in `docs/` of the source.")
