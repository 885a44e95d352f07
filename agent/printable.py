"""Text from outside, made safe to be shown: on a terminal, in a log line, on a page.

A control character is an order to whatever shows it: it colours, moves the cursor, fills the clipboard
(OSC 52), begins a line that nobody wrote; a mark of direction lets a text read otherwise than it is written.
"""

from __future__ import annotations

import re
from typing import Final

from agent.translatable import Translatable, filtered

_LINE: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_JSON_SPACE: Final = re.compile("[\t\n\r]+")
"""Between the parts of a document; within a text JSON allows none of them."""
_STEERS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 of ISO/IEC 6429: among them ESC and the CSI of one byte
    "\u2028\u2029"  # ends of lines to some readers
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's Bidi_Control
    "\ud800-\udfff]"  # halves of characters, which no terminal can be sent
)

_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""Begins a formula to a spreadsheet; the last four are the same in full width."""


def printable(text: str) -> str:
    """The text in one line: ends of lines and tabs are a space, other control characters U+FFFD."""
    return filtered(text, _printable) if isinstance(text, Translatable) else _printable(text)


def _printable(text: str) -> str:
    if text.isprintable():  # nearly all are, and none of what is replaced here is that
        return text
    return _STEERS.sub("\ufffd", _LINE.sub(" ", text))


def printable_json(text: str) -> str:
    """A JSON document in one line that says the same: what would steer a terminal is written as an escape."""
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", _JSON_SPACE.sub(" ", text))


def printable_lines(text: str) -> str:
    """The same for a text of several lines, such as a traceback: its lines stay lines."""
    return "\n".join(_STEERS.sub("\ufffd", line.replace("\t", "    ")) for line in text.split("\n"))


def spreadsheet_cell(text: str) -> str:
    """The text in one line, which no spreadsheet computes: before what begins a formula stands an apostrophe.

    A formula in a cell can call programs and send the others away. Source: OWASP, "CSV Injection".
    """
    line = printable(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
