"""What to do about a command line that cannot be read: the few slips that a terminal invites.

Typer says what is wrong; which word would have been right it does not say, and of an option that is given twice
it takes the last in silence: the file that was meant may be the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup

UsageError: type[Any] = typer.BadParameter.__mro__[1]
"""Of the click that Typer brings, which it does not export."""
LONG_DASHES = "‐‑‒–—―−"
"""What editors and messengers make of a hyphen."""
FILES = (".yaml", ".yml")


_NUMBER = "write the number without its unit, such as 60"
_SUCH = (  # a part of Typer's words, and what would be right
    ("valid number", _NUMBER),
    ("valid integer", _NUMBER),
    ("valid datetime", "such as 2026-03-02, or 2026-03-02T11:00:00+07:00"),
)


@dataclass(frozen=True, slots=True)
class _Given:
    """One option of a command line."""

    command: Any
    option: Any
    value: str


class HelpfulGroup(TyperGroup):
    """Commands whose usage errors end with what to do."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> typer.Context:
        """Read the words before the first command, and what all of them have twice."""
        # The words are taken off the list while they are read.
        words = self._words = list(args)
        _refuse_twice(self, words)
        try:
            return super().make_context(info_name, args, *more, **extra)  # type: ignore[return-value]
        except UsageError as error:
            raise _hinted(self, words, error) from None

    def invoke(self, ctx: Any) -> Any:
        """Read the rest, and do it."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise _hinted(self, self._words, error) from None


def _given(group: Any, words: list[str]) -> Iterator[_Given]:
    """The options of these words, each with the command that takes it."""
    command, rest = group, iter(words)
    for word in rest:
        if word == "--":
            return
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = next((each for each in command.params if name in each.opts), None)
        if option is not None and getattr(option, "is_flag", False):
            yield _Given(command, option, "")
        elif option is not None:
            yield _Given(command, option, value if equals else next(rest, ""))
        else:
            command = getattr(command, "commands", {}).get(word, command)


def _refuse_twice(group: Any, words: list[str]) -> None:
    """Raises BadParameter if an option that holds one value is given twice."""
    seen: dict[tuple[int, str], str] = {}
    for each in _given(group, words):
        key = id(each.command), each.option.name
        if key in seen and not (each.option.multiple or each.option.is_flag):
            raise typer.BadParameter(
                f"it is given twice, as {seen[key]} and as {each.value}; give it once",
                param_hint=" / ".join(each.option.opts),
            )
        seen[key] = each.value


def _hinted(group: Any, words: list[str], error: Any) -> Any:
    """The error with what to do, where that is known."""
    hint = _hint(group, words, error)
    if hint and hint not in error.message:
        error.message = f"{error.message}\nhint: {hint}"
    return error


def _hint(group: Any, words: list[str], error: Any) -> str:
    if long := next((word for word in words if word[:1] in tuple(LONG_DASHES)), None):
        short = "-" if len(long.strip(LONG_DASHES)) == 1 else "--"
        return f"{long} begins with a long dash, as editors make it; type {short}{long.strip(LONG_DASHES)}"
    if option := getattr(error, "option_name", ""):
        return _after_the_command(group, words, option)
    if such := next((hint for words, hint in _SUCH if words in error.message), ""):
        return such
    command = getattr(error.ctx, "command", None)
    if command is not None and "unexpected extra argument" in error.message:
        config = next((each for each in command.params if "-c" in each.opts), None)
        file = next((word for word in words if word.endswith(FILES)), None)
        return f"a file is named with -c: -c {file}" if config is not None and file is not None else ""
    return ""


def _after_the_command(group: Any, words: list[str], option: str) -> str:
    """That an option of a command stands before it."""
    for index, word in enumerate(words):
        command = group.commands.get(word)
        if command is None:
            continue
        if option in words[:index] and any(option in each.opts for each in command.params):
            return f"an option stands after its command: ngatu {word} {option} …"
    return ""
