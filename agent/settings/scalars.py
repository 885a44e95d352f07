"""What a text without quotation marks means: a number, a truth value, nothing, or itself.

By YAML 1.2's core schema (https://yaml.org/spec/1.2.2/, 10.3), without what readers take differently.
"""

from __future__ import annotations

import re

from agent.translatable import tr

MAX_DIGITS = 18

Scalar = str | int | float | bool | None

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve(text: str) -> tuple[Scalar, tuple[str, str] | None]:
    """What a text without quotation marks means, and (what, hint) if it may not be used.

    Everything that is no number, truth value or null of YAML 1.2 is a text: `no`, `12:30`, `1_000`, 2026-03-02.
    """
    value: Scalar = text
    fault: tuple[str, str] | None = None
    if text in _NULLS:
        value = None
    elif text in _BOOLEANS:
        value = _BOOLEANS[text]
    elif _DECIMAL.fullmatch(text) or _OTHER_BASE.fullmatch(text):
        value, fault = _integer(text)
    elif _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        value, fault = _float(text)
    return value, fault


def _integer(text: str) -> tuple[Scalar, tuple[str, str] | None]:
    digits = text.lstrip("+-")
    if len(digits) > MAX_DIGITS:
        return 0, (
            tr(
                "a number with {count} digits; at most {max_digits} are allowed",
                count=len(digits),
                max_digits=MAX_DIGITS,
            ),
            tr("quote it if it is a text"),
        )
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0), None
    if len(digits) > 1 and digits.startswith("0"):
        return int(text), (
            tr("{text} has a leading zero", text=text),
            tr("remove the zero, or quote it if it is a text"),
        )
    return int(text), None


def _float(text: str) -> tuple[Scalar, tuple[str, str] | None]:
    number = float(text.replace(".", "", 1)) if _NOT_FINITE.fullmatch(text) else float(text)
    if number - number != 0:  # infinity and not-a-number are the only ones that differ from themselves by not 0
        return 0.0, (
            tr("{text} is no finite number", text=shown(text)),
            tr("write a number, or quote it if it is a text"),
        )
    return number, None


def shown(text: str, limit: int = 60) -> str:
    """`text` fit for one line of a terminal or a log: control characters escaped, cut at `limit`."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in cut)
