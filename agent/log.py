"""Log lines: pretty on a terminal, JSON everywhere else, to standard output; journald does the rest.

No line may hold a secret: tracebacks come without local variables, and user and password are cut out of every
address. No line may steer the terminal that shows it: control characters are taken out. No line may stop the
work: one that cannot be written is lost.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from typing import Any, Literal, TextIO

# structlog imports rich, where it is there, for a console that ours is not: 5 MB of a small box (measured).
_RICH = sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
import structlog  # noqa: E402

if _RICH is None:
    del sys.modules["rich"]

from agent.printable import printable, printable_lines  # noqa: E402

_LOGIN = re.compile(r"(?<=://)[^\s\"'<>]*@")
"""Greedy: a password may itself hold an @ or a slash."""
DEEPEST = 8
"""Levels of lists and dictionaries that are looked through for addresses; below, a text stands for the rest."""


def configure(level: str = "info", style: Literal["auto", "json", "console"] = "auto") -> None:
    """Set up structlog for this process."""
    pretty = style == "console" or (style == "auto" and sys.stdout.isatty())
    out = Patient(sys.stdout)
    # Both formats would show local variables by default, and with them the passwords that a failing call held.
    formatted: list[structlog.typing.Processor] = (
        [
            structlog.processors.format_exc_info,
            without_logins,
            without_control,
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
        if pretty
        else [
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            without_logins,
            without_control,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            *formatted,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(out),  # type: ignore[arg-type]  # it writes and flushes
        cache_logger_on_first_use=False,
    )


class Patient:
    """Writes whole lines as far as it can: a reader that has gone away is no reason to stop watching."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write; what this file's encoding has no letters for is written as escapes."""
        encoding = self._file.encoding or "utf-8"
        with suppress(OSError, ValueError):  # no reader, no room; or closed
            self._file.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def flush(self) -> None:
        """Hand on what was written."""
        with suppress(OSError, ValueError):
            self._file.flush()


def without_logins(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The event with user and password cut out of every address in it."""
    return {key: _without(value, DEEPEST) for key, value in event.items()}


def without_control(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The event without what would steer a terminal; after `without_logins`, which leaves known types only."""
    return {key: _plain(value, key == "exception") for key, value in event.items()}


def _plain(value: Any, lines: bool) -> Any:
    if isinstance(value, str):
        return printable_lines(value) if lines else printable(value)
    if isinstance(value, BaseException):
        return printable(repr(value))
    if isinstance(value, dict):
        return {printable(str(key)): _plain(each, lines) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, lines) for each in value]
    return value


def _without(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return _LOGIN.sub("…@", value)
    if value is None or isinstance(value, bool | int | float | BaseException):
        return value
    if levels and isinstance(value, dict):
        return {key: _without(each, levels - 1) for key, each in value.items()}
    if levels and isinstance(value, list | tuple | set | frozenset):
        return [_without(each, levels - 1) for each in value]
    return _LOGIN.sub("…@", str(value))
