"""Whether a file is UTF-8 text that can be shown, and what it is instead."""

from __future__ import annotations

import codecs
import re

from agent.settings.slips import Slip
from agent.translatable import tr

UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What may stand in no text, escaped or not: half a character, or one that steers a terminal."""
_UTF_16 = tr("the file is not UTF-8 but UTF-16")
_SAVE = tr("save the file as UTF-8")
_SAVE_LETTERS = tr("save the file as UTF-8, and type Vietnamese letters in Unicode, not TCVN3 or VNI")


def misencoded(data: bytes) -> Slip | None:
    """What is wrong with the bytes of a file, and in which line; None: it is text in UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return 1, _UTF_16, _SAVE
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if _every_other(data):
            return 1, _UTF_16, _SAVE
        line = data[: error.start].count(b"\n") + 1
        what = tr("byte 0x{data:02x} is not UTF-8", data=data[error.start])
        return line, what, _SAVE_LETTERS
    odd = UNPRINTABLE.search(text)
    if odd is None:
        return None
    if _every_other(data):
        return 1, _UTF_16, _SAVE
    return text.count("\n", 0, odd.start()) + 1, *odd_sign(odd)


def odd_sign(found: re.Match[str]) -> tuple[str, str]:
    """What is wrong with a sign that UNPRINTABLE has found, and what to do."""
    return tr("unprintable character U+{found:04X}", found=ord(found.group())), tr("remove it")


def _every_other(data: bytes) -> bool:
    """Whether so many bytes are zero as only UTF-16 has them."""
    return data.count(0) * 3 > len(data)
