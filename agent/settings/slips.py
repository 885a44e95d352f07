"""Which line was meant where YAML cannot be read: the slips of the hand behind the parser's words.

A parser stops where it cannot go on, which is often a line after the one to mend: behind `commune:hai-ninh` it
reads on until the next colon. Here the lines around that place are looked at as a person would.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from agent.settings.quoting import secretive
from agent.translatable import tr

NEAR = 3
"""Lines with content that are looked at before the one where a parser stopped, with it."""
LONGEST = 400
"""Characters of a line that are looked at: nobody writes a longer one by hand."""
Slip = tuple[int, str, str]
"""The line (from 1), what is wrong in it, and what to do."""

LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line for YAML 1.1, by which both parsers count."""


NAME = r"[A-Za-z_]\w*"
_PARTS = re.compile(r"(\s*)((?:- +)*)(.*)")
_ODD_BLANK = re.compile(rf"^\s*[^\S \t\r\n]|^\s*(?:- +)*{NAME}:\s*[^\S \t\r\n]|[\u200b\u2060\ufeff]")
_ODD_INDENT = re.compile(r"[ ]*[^\S \t\r\n]")
_NAMED = re.compile(rf"{NAME}:(\s|$)")
_NO_BLANK = re.compile(rf"({NAME}):(?![\s/])[^#]")
_NO_COLON = re.compile(rf"({NAME})(?:\s+[^:#]+)?")
_OTHER_COLON = re.compile(rf"{NAME}\s*[：﹕︰]")
_OTHER_DASH = re.compile(r"[–—−‐‑•·]\s")
_VALUE = re.compile(rf"(?:{NAME}): +(.*)")
_QUOTED = re.compile(r"""\"[^"]*\"|'[^']*'""")
_NO_COMMA = re.compile(r"[\]}]\s*[\[{]")
_BACKSLASH = re.compile(r"""\"[^"]*\\[^0abtnvfre "/\\N_LPxuU]""")
"""Between double quotation marks, before a letter with which it is no escape."""
_CLOSES = {"]": "[", "}": "{"}
_AFTER_QUOTE = re.compile(r"""("[^"\\]*"|'[^']*')\s*[^\s#,\]}]""")
_SPECIAL = "@`%*&!|>"
_ABOVE = tr("the indentation does not match the lines above, or a quotation mark there is never closed")
_HINTS = (  # a part of libyaml's or PyYAML's words, and what usually is behind it
    (
        "cannot start any token",
        tr("indent with spaces, never tabs; quote a text that starts with a special character"),
    ),
    ("mapping values are not allowed", tr("quote a text that contains ': ', or check the indentation")),
    (
        "expected ':'",
        tr("a setting is written 'name: value'; check for a missing ':' or an open quotation mark"),
    ),
    ("tab character", tr("indent with spaces, never tabs")),
    ("block end", _ABOVE),
    ("did not find expected key", _ABOVE),
    ("did not find expected '-'", _ABOVE),
    ("escape character", tr("write \\\\ for a backslash, or use single quotation marks")),
    ("quoted scalar", tr("a quotation mark is never closed")),
    ("expected ',' or", tr("a bracket is never closed, or a comma is missing")),
    ("expected node content", tr("a bracket is never closed, or a value is missing")),
    ("maximum nesting depth", tr("look for a bracket that is never closed")),
)
_ESCAPED = (
    tr("a backslash between double quotation marks begins a sign such as \\n"),
    tr("write \\\\ for a backslash, or use single quotation marks"),
)
_INDENT = tr("check the indentation: settings of one group begin in the same column")


def unparsed(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Slip:
    """Where and why a parser stopped: the slip behind it, or else the parser's own words."""
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    if mark is not None and (seen := slip(lines, mark.line, began.line if began is not None else None)):
        line, what, hint = seen
        return line, tr("not YAML: {words}{column}", words=what, column=""), hint
    words = " ".join(part for part in (error.context, error.problem) if part)
    hint = next((hint for part, hint in _HINTS if part in words), "")
    column: str = tr(" (column {column})", column=mark.column + 1) if mark else ""
    if began is not None and mark is not None and began.line != mark.line:
        column = tr(" (column {column}; it begins in line {line})", column=mark.column + 1, line=began.line + 1)
    line = mark.line + 1 if mark else 1
    return line, tr("not YAML: {words}{column}", words=words, column=column), hint


def slip(lines: Sequence[str], at: int, began: int | None) -> Slip | None:
    """What is probably wrong, where a parser stopped in line `at` at what began in line `began` (from 0).

    None: nothing that a person would see at once; the parser's own words must do.
    """
    lines = [line[:LONGEST] for line in lines[: at + 1]]
    near = _near(lines, at, began)
    for look in (_open_quote, _in_line):
        for number in near:
            if (found := look(lines[number])) and not _below_a_secret(lines, number):
                return number + 1, *found
    return _between(lines, at) or _odd_indent(lines, at)


def without_blank(text: str) -> str:
    """The name in a text such as `host:192.168.10.5`, which was meant as a setting; empty in any other."""
    found = _NO_BLANK.match(text)
    return found[1] if found else ""


def _near(lines: Sequence[str], at: int, began: int | None) -> list[int]:
    """Where to look, first to last: where it began, and the last lines with content up to where it ended."""
    full = _full(lines, at)
    return [number for number in full if number == began or (number in full[-NEAR:] and number >= (began or 0))]


def _full(lines: Sequence[str], at: int) -> list[int]:
    """The lines up to this one that say something."""
    return [number for number in range(min(at + 1, len(lines))) if _says_something(lines[number])]


def _below_a_secret(lines: Sequence[str], number: int) -> bool:
    """Whether this line may be a secret itself, of which no word may be said."""
    above = _full(lines, number)[-2:-1]
    name = re.match(NAME, _parts(lines[above[0]])[2]) if above else None
    return name is not None and secretive((name[0],)) and _VALUE.match(_parts(lines[number])[2]) is None


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parts(line: str) -> tuple[str, str, str]:
    """Its indentation, the dashes of a list, and what stands behind them."""
    found = _PARTS.match(line)
    assert found is not None, "it matches any line"
    return found[1], found[2], found[3]


def _in_line(line: str) -> tuple[str, str] | None:
    """A slip that shows in one line by itself."""
    content = _parts(line)[2]
    if name := without_blank(content):
        return no_blank(name)
    value = _VALUE.match(content)
    whole = value[1] if value is not None else content if content[:1] in "[{" else None
    return _odd_sign(line, content) or (_no_colon(content) if whole is None else _in_value(whole))


def no_blank(name: str) -> tuple[str, str]:
    """Said of a name whose value follows its colon at once."""
    return tr("there is no blank behind '{name}:'", name=name), tr("write '{name}: …', with a blank", name=name)


def no_colon(name: str) -> tuple[str, str]:
    """Said of a name that no colon follows."""
    return tr("there is no ':' behind '{name}'", name=name), tr("a setting is written '{name}: …'", name=name)


def _odd_sign(line: str, content: str) -> tuple[str, str] | None:
    """What looks like a sign of YAML and is another."""
    if "\t" in _parts(line)[0]:
        return tr("a tab indents this line"), tr("indent with spaces, never tabs")
    if odd := _ODD_BLANK.search(line):
        code = f"U+{ord(odd[0][-1]):04X}"
        return tr("a blank here is none ({code})", code=code), tr("remove it, and type an ordinary blank")
    if _OTHER_COLON.match(content):
        return tr("the colon here is another sign than ':'"), tr("type an ordinary ':', and a blank behind it")
    if _OTHER_DASH.match(content):
        return tr("the dash here is another sign than '-'"), tr("type an ordinary '-', and a blank behind it")
    return None


def _no_colon(content: str) -> tuple[str, str] | None:
    found = _NO_COLON.fullmatch(content.rstrip())
    return no_colon(found[1]) if found else None


def _in_value(value: str) -> tuple[str, str] | None:
    if value[:1] in _SPECIAL and value[:1]:
        sign = value[0]
        return tr("a text may not begin with {sign} by itself", sign=sign), tr("put it between quotation marks")
    if value[:1] in "[{":
        return _in_brackets(value)
    if value[:1] in "\"'":
        return _in_quotes(value)
    if ": " in value.partition(" #")[0]:
        return (
            tr("a ': ' stands in the value"),
            tr("quote a text that contains ': ', and write each setting in a line of its own"),
        )
    return None


def _in_quotes(value: str) -> tuple[str, str] | None:
    if _BACKSLASH.search(value):
        return _ESCAPED
    if _AFTER_QUOTE.match(value):
        return (
            tr("something stands behind the closing quotation mark"),
            tr("put the whole text between one pair of '…'"),
        )
    return None


def _in_brackets(value: str) -> tuple[str, str] | None:
    """A list or group in one line that has no comma, a bracket too many or too few, or a backslash."""
    if _BACKSLASH.search(value):
        return _ESCAPED
    text = _QUOTED.sub("''", value.partition(" #")[0]).rstrip()
    if found := _NO_COMMA.search(text):
        return tr("there is no comma in '{part}'", part=found[0]), tr("part the items with commas")
    count = tr("count the brackets: each that is opened is closed once")
    open_ones: list[str] = []
    for sign in filter("[]{}".__contains__, text):
        if sign not in _CLOSES:
            open_ones.append(sign)
        elif not open_ones or open_ones.pop() != _CLOSES[sign]:
            begin = _CLOSES[sign]
            what = tr("there is a '{sign}' too many, or its '{begin}' is missing", sign=sign, begin=begin)
            return what, count
    if open_ones and not text.endswith((",", "[", "{")):  # else it may go on in the next line
        return tr("a '{sign}' is never closed", sign=open_ones[-1]), count
    return None


def _open_quote(line: str) -> tuple[str, str] | None:
    value = _VALUE.match(_parts(line)[2])
    text = value[1] if value else ""
    if text[:1] in ('"', "'") and text.count(text[0]) % 2 == 1:
        return tr("a quotation mark is never closed"), tr("close it at the end of the text, in the same line")
    return None


def _between(lines: Sequence[str], at: int) -> Slip | None:
    """A slip that shows beside the line before."""
    full = _full(lines, at)
    if len(full) < 2:
        return None
    at = full[-1]
    (blanks, dashes, content), (blanks_above, dashes_above, above) = (_parts(lines[k]) for k in (at, full[-2]))
    if not dashes and content.startswith(("{", "[")) and dashes_above and len(blanks) == len(blanks_above):
        return (
            at + 1,
            tr("there is no '- ' before an item of a list"),
            tr("begin it with '- ', as the line above"),
        )
    if (item := _item_above(lines, full, blanks)) is not None and not dashes:
        what = tr("this line begins under the '-' of line {line}, not behind it", line=item + 1)
        return (
            at + 1,
            what,
            tr("settings of one item of a list begin in the column of the first letter behind '- '"),
        )
    value = _VALUE.match(above)
    if len(blanks + dashes) > len(blanks_above + dashes_above) and value and value[1].strip():
        what = tr(
            "this line is indented further than line {line}, which has a value already", line=full[-2] + 1
        )
        return at + 1, what, _INDENT
    return None


def _item_above(lines: Sequence[str], full: Sequence[int], blanks: str) -> int | None:
    """The line that begins an item of a list in the column in which the last line begins a setting."""
    if not _NAMED.match(_parts(lines[full[-1]])[2]):
        return None
    for number in reversed(full[:-1]):
        above, dashes, _ = _parts(lines[number])
        if len(above) <= len(blanks):
            return number if dashes and len(above) == len(blanks) else None
    return None


def _odd_indent(lines: Sequence[str], at: int) -> Slip | None:
    """A line far above that is indented by what is no blank: a parser takes it for a name, and reads on."""
    for number in reversed(_full(lines, at)):
        if _ODD_INDENT.match(lines[number]):
            found = _odd_sign(lines[number], _parts(lines[number])[2])
            return None if found is None else (number + 1, *found)
    return None
