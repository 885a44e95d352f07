"""The little of YAML that a configuration needs, read so that nothing can surprise.

PyYAML accepts a key twice, turns `no` into False and `12:30` into 750, and recurses until it dies. Here a text
is taken apart event by event (libyaml, or PyYAML's own parser where libyaml is missing) and put together by
our own rules, those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/, 10.3) with these refusals:
anchors, aliases, tags, directives, a second document, keys that are not texts, a key twice, numbers with a
leading zero (octal to one reader, decimal to the next) or with more than 18 digits, infinity and not-a-number.

Each value remembers its line. What is refused is collected, so that one reading tells every mistake; only a
syntax error, a file that is too large, or one nested too deep ends it at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from agent.settings.encoding import UNPRINTABLE, misencoded, odd_sign
from agent.settings.scalars import Scalar, resolve, shown
from agent.settings.slips import LINE_END, Slip, no_blank, unparsed, without_blank
from agent.translatable import tr

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 10_000
"""Fifty cameras with every setting written out have fewer; more is a mistake, or an attack on our time."""

_COMMENT = re.compile(r"[ \t]+(#.*)")
PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 20 times faster


@dataclass(slots=True)
class Node:
    """One value with the line where a reader looks for it: that of its key, or its own within a list."""

    value: Scalar | dict[str, Node] | list[Node]
    line: int
    """Counts from 1."""
    refused: bool = False
    """A fault was already told about this value; whoever validates it need not tell another."""
    own_line: int = 0
    """Where the value itself begins: that of its key, or one below."""
    comment: str = ""
    """The comment behind a value without quotation marks, in its own line, from its # on."""

    def plain(self) -> Any:
        """The value as dicts, lists and scalars; at most MAX_DEPTH deep."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


@dataclass(frozen=True, slots=True)
class YamlFault:
    """One thing that the rules above refuse."""

    line: int
    path: tuple[str | int, ...]
    what: str
    hint: str = ""


class UnreadableYaml(Exception):
    """The text cannot be taken apart to its end; `faults` closes with the one that ended it."""

    def __init__(self, *faults: YamlFault) -> None:
        super().__init__(faults[-1].what)
        self.faults = faults


def read(data: bytes) -> tuple[Node, list[YamlFault]]:
    """The document in `data` and what is refused in it.

    Raises:
        UnreadableYaml: a syntax error, no UTF-8, more than MAX_BYTES, MAX_DEPTH or MAX_VALUES.
    """
    text = _decode(data)
    lines = LINE_END.split(text)
    reading = _Reading(lines)
    try:
        for event in _events(text):
            reading.take(event)
    except UnreadableYaml as error:
        raise UnreadableYaml(*reading.faults, *error.faults) from None
    except yaml.MarkedYAMLError as error:
        raise UnreadableYaml(*reading.faults, _fault_of(unparsed(error, lines))) from None
    except yaml.YAMLError as error:
        raise UnreadableYaml(*reading.faults, YamlFault(1, (), f"not YAML: {error}".splitlines()[0])) from None
    return reading.root or Node(None, 1), reading.faults


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        what = tr(
            "{count:,} bytes are too large for a configuration; the limit is {max_bytes:,}",
            count=len(data),
            max_bytes=MAX_BYTES,
        )
        raise UnreadableYaml(YamlFault(1, (), what, tr("is this the right file?")))
    if wrong := misencoded(data):
        raise UnreadableYaml(_fault_of(wrong))
    return data.decode("utf-8-sig")  # Notepad's byte order mark does no harm


def _fault_of(slip: Slip) -> YamlFault:
    line, what, hint = slip
    return YamlFault(line, (), what, hint)


def _events(text: str) -> Iterator[Any]:
    parser = PARSER(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


@dataclass(slots=True)
class _Open:
    """A mapping or list that is not closed yet."""

    node: Node
    path: tuple[str | int, ...]
    key: str | None = None
    """The key whose value comes next; None while a key comes next."""
    key_line: int = 0
    twice: bool = False
    """The key was there already: its value is read and dropped."""


@dataclass(slots=True)
class _Reading:
    """The document so far; `take` folds one event into it."""

    lines: Sequence[str] = ()
    root: Node | None = None
    faults: list[YamlFault] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    documents: int = 0
    values: int = 0
    dropped: int = 0
    """How many collections deep we are inside a key that is itself a collection: read, told, thrown away."""

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                self._document(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, line)
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.AliasEvent():
                self._alias(event, line)

    def _document(self, event: Any, line: int) -> None:
        self.documents += 1
        if self.documents > 1:
            raise UnreadableYaml(
                YamlFault(line, (), tr("a second document starts here"), tr("remove the line '---'"))
            )
        if event.version or event.tags:
            self._fault(line, tr("directives (%YAML, %TAG) are not allowed"), tr("remove the line"))

    def _open(self, event: Any, line: int) -> None:
        if len(self.stack) + self.dropped >= MAX_DEPTH:
            what = tr("nested deeper than {max_depth} levels", max_depth=MAX_DEPTH)
            raise UnreadableYaml(
                YamlFault(line, self._path(), what, tr("look for a bracket that is never closed"))
            )
        if self.dropped or self._key_is_next():
            if not self.dropped:
                self._fault(
                    line, tr("a key must be a text, not a list or mapping"), tr("quote a text with brackets")
                )
            self.dropped += 1
            return
        refused = self._decorated(event, line)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node({} if is_mapping else [], self._key_line(line), refused, line)
        path = self._path()
        self._place(node)
        self.stack.append(_Open(node, path))

    def _close(self) -> None:
        if not self.dropped:
            self.stack.pop()
            return
        self.dropped -= 1
        if not self.dropped:  # the collection that stood for a key is over: its value is dropped too
            self._key("", self.stack[-1].node.line, twice=True)

    def _scalar(self, event: Any, line: int) -> None:
        if self.dropped:
            return
        if self._key_is_next():
            self._scalar_key(event, line)
            return
        refused = self._decorated(event, line) or (not (event.style or event.value) and self._unparted(line))
        value: Scalar = event.value
        fault = None
        if not event.style:
            value, fault = resolve(event.value)
        elif odd := UNPRINTABLE.search(event.value):
            fault = odd_sign(odd)
        if fault is not None:
            self._fault(line, *fault)
        comment = "" if event.style else self._comment_behind(event.end_mark)
        self._place(Node(value, self._key_line(line), refused or fault is not None, line, comment))

    def _unparted(self, line: int) -> bool:
        """Tell of a name and its value that are one key, such as `{kind:motion}`; True if it is so."""
        top = self.stack[-1] if self.stack else None
        name = without_blank(top.key or "") if top is not None else ""
        if top is None or not name:
            return False
        self.faults.append(YamlFault(line, top.path, *no_blank(name)))
        top.node.refused = True  # what it lacks is not missing, only misread
        return True

    def _comment_behind(self, mark: Any) -> str:
        """What stands in the same line behind a value without quotation marks."""
        found = _COMMENT.match(self.lines[mark.line], mark.column) if mark.line < len(self.lines) else None
        return found[1] if found else ""

    def _scalar_key(self, event: Any, line: int) -> None:
        self._decorated(event, line)
        key = event.value
        if odd := UNPRINTABLE.search(key):
            self._fault(line, *odd_sign(odd))
        if not event.style and not isinstance(resolve(key)[0], str):
            if self._behind_a_comma(line, key):
                self._key(key, line, twice=True)
                return
            self._fault(
                line,
                tr("a key must be a text, not {key}", key=shown(key) or tr("empty")),
                tr('quote it: "{key}"', key=shown(key)),
            )
        mapping = self.stack[-1].node.value
        assert isinstance(mapping, dict)
        first = mapping.get(key)
        if first is not None:
            path = (*self.stack[-1].path, key)
            what = tr("set twice; first in line {line}", line=first.line)
            self.faults.append(YamlFault(line, path, what, self._which_of_two()))
        self._key(key, line, twice=first is not None)

    def _which_of_two(self) -> str:
        if len(self.stack) > 1 and isinstance(self.stack[-2].node.value, list):
            return tr("keep one of them, or begin another item of the list here, with '- '")
        return tr("keep one of them")

    def _behind_a_comma(self, line: int, key: str) -> bool:
        """Tell of a key that is what stands behind the comma of a number."""
        top = self.stack[-1]
        assert isinstance(top.node.value, dict)
        name, before = next(reversed(top.node.value.items()), ("", None))
        whole = before.value if before is not None and before.line == line else None
        if not key.isdecimal() or not isinstance(whole, int) or isinstance(whole, bool):
            return False
        what, hint = (
            tr("{whole},{key} has a comma", whole=whole, key=key),
            tr("write {whole}.{key}, with a point", whole=whole, key=shown(key)),
        )
        self.faults.append(YamlFault(line, (*top.path, name), what, hint))
        return True

    def _key(self, key: str, line: int, *, twice: bool) -> None:
        top = self.stack[-1]
        top.key, top.key_line, top.twice = key, line, twice

    def _alias(self, event: Any, line: int) -> None:
        if self.dropped:
            return
        what = tr("aliases (*{anchor}) are not allowed", anchor=shown(event.anchor))
        self._fault(line, what, tr("write the value out"))
        if self._key_is_next():
            self._key("", line, twice=True)
        else:
            self._place(Node(None, self._key_line(line), refused=True))

    def _decorated(self, event: Any, line: int) -> bool:
        """Tell an anchor or a tag; True if the value's type is in doubt because of a tag."""
        if event.anchor is not None:
            self._fault(
                line,
                tr("anchors (&{anchor}) are not allowed", anchor=shown(event.anchor)),
                tr("write the value out each time"),
            )
        if event.tag is not None:
            self._fault(
                line,
                tr("tags ({tag}) are not allowed", tag=shown(event.tag)),
                tr("remove it; quote a text instead"),
            )
        return event.tag is not None

    def _place(self, node: Node) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            what = tr("more than {max_values:,} values are too many for a configuration", max_values=MAX_VALUES)
            raise UnreadableYaml(YamlFault(node.line, (), what, tr("is this the right file?")))
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict):
            assert top.key is not None
            if not top.twice:
                top.node.value[top.key] = node
            top.key = None

    def _key_is_next(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None

    def _key_line(self, line: int) -> int:
        top = self.stack[-1] if self.stack else None
        return top.key_line if top is not None and top.key is not None else line

    def _path(self) -> tuple[str | int, ...]:
        if not self.stack:
            return ()
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            return (*top.path, len(top.node.value))
        return (*top.path, top.key) if top.key is not None else top.path

    def _fault(self, line: int, what: str, hint: str = "") -> None:
        self.faults.append(YamlFault(line, self._path(), what, hint))
