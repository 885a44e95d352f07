"""What a value of the wrong kind was probably meant to be: slips that YAML reads, as something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel

from agent.settings.base import Secret
from agent.settings.introspect import Shape, bounds, item_of, kind, shape_of, shape_of_field, tag_of
from agent.settings.quoting import Path, dotted, redacted
from agent.settings.scalars import shown
from agent.settings.slips import NAME, no_blank, no_colon, without_blank
from agent.settings.yaml import Node, UnreadableYaml, read
from agent.translatable import joined, tr

Doubt = tuple[int, Path, str, str]
"""The line, the setting, what is strange about its value, and what to do."""
Meant = tuple[int | None, str, str]
"""The line if it is another than that of the setting, what is wrong, and what to do."""

_NO_COMMENT = re.compile(r"#\w")
_OTHER_QUOTES = "“”„‟‘’‚‛«»"
_NO_QUOTES = tr("its quotation marks are part of the text"), tr("""write it between "…", or without""")
_TCVN3 = re.compile(r"[A-Za-z][§®µ¶·¸¹¨©ª«¬\xad]|[§®µ¶·¸¹¨©ª«¬\xad][a-z]")
"""Signs that stand for Vietnamese letters in TCVN3, beside a letter, where no text in Unicode has them."""
CORNER = "[number, number]"
_WITH_UNIT = re.compile(r"([-+]?\d+(?:\.\d+)?) *([A-Za-z%/]{1,7})")
_FACTORS = {
    "bytes": {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "k": 1000, "m": 1000**2, "g": 1000**3},
    "s": {"s": 1, "sec": 1, "seconds": 1, "min": 60, "m": 60, "h": 3600, "d": 86400},
}
"""End of a setting's name -> unit as people write it -> so many of what is meant."""


def doubts(data: bytes, model: type[BaseModel]) -> list[Doubt]:
    """What a file of settings says that was hardly meant so, though it is right: texts that are cut or garbled.

    Nothing of a file that cannot be read: its mistakes are told otherwise.
    """
    try:
        root, _ = read(data)
    except UnreadableYaml:
        return []
    return [
        (node.line, path, *strange)
        for node, path, shape in _texts(root, shape_of(model), ())
        if (strange := _cut(node, shape) or _garbled(node.value))
    ]


def doubted(doubt: Doubt, file: str) -> tuple[str, str]:
    """One doubt as `file:line: path: what`, and what to do."""
    line, path, what, hint = doubt
    return redacted(joined("", (f"{file}:{line}: {dotted(path)}: ", what))), hint


def _texts(node: Node, shape: Shape | None, path: Path) -> Iterator[tuple[Node, Path, Shape]]:
    """Every value that stands where a text, a path or a secret may stand."""
    if shape is None:
        return
    if isinstance(node.value, dict):
        group = _chosen(node.value, shape)
        for name, child in node.value.items():
            info = group.model_fields.get(name) if group is not None else None
            below = shape_of_field(info) if info is not None else item_of(shape) if group is None else None
            yield from _texts(child, below, (*path, name))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _texts(child, item_of(shape, index), (*path, index))
    elif any(option in shape.options for option in (str, FilePath, Secret)):
        yield node, path, shape


def _chosen(values: dict[str, Node], shape: Shape) -> type[BaseModel] | None:
    """The group that these values are of: one of several by the value that says so."""
    by = shape.discriminator or ""
    tag = str(values[by].value) if by in values else None
    return next((each for each in shape.models if tag in tag_of(each, by)), next(iter(shape.models), None))


def _cut(node: Node, shape: Shape) -> tuple[str, str] | None:
    """A # behind a blank begins a comment: what was written behind it is no part of the value."""
    if not _NO_COMMENT.match(node.comment):
        return None
    what = tr("what stands behind the # is a comment, and no part of the value")
    if Secret in shape.options:
        return what, tr("a secret never stands here: name its file, such as {{file: /etc/ngatu/secret}}")
    return what, tr("if it belongs to the value, quote the whole; if not, put a blank behind the #")


def _garbled(value: Any) -> tuple[str, str] | None:
    """Letters of another encoding than the file's, and quotation marks that are none for YAML."""
    if not isinstance(value, str):
        return None
    if value[:1] in _OTHER_QUOTES and value[:1] and value[-1:] in _OTHER_QUOTES:
        return _NO_QUOTES
    if _twice_encoded(value) or _TCVN3.search(value):
        return tr("{value} has letters of another encoding", value=shown(value)), tr("type it anew, in Unicode")
    return None


def _twice_encoded(value: str) -> bool:
    """Whether it is UTF-8 that was read as Windows-1252 and saved as UTF-8 once more."""
    try:
        return not value.isascii() and value.encode("cp1252").decode("utf-8") != value
    except UnicodeError:
        return False


def meant(value: Any, node: Node | None, shape: Shape, name: str) -> Meant | None:
    """For a value that a setting called `name` cannot take; None: no slip that we know."""
    item, own_line = item_of(shape), node.own_line if node is not None else None
    if isinstance(value, str) and shape.models:
        return _unparted(value, shape, own_line)
    if isinstance(value, dict) and item is not None and item.models and "mapping" not in kind(shape):
        return _without_dash(node)
    if isinstance(value, str) and kind(shape) in ("number", "whole number"):
        return _with_unit(value, shape, name)
    return None


def other_quotes(value: Any) -> str:
    """What to do about a text that begins with a quotation mark that is none for YAML; empty: it does not."""
    if not isinstance(value, str) or not value.startswith(tuple(_OTHER_QUOTES)):
        return ""
    return joined("; ", _NO_QUOTES)


def form_of(value: Any, shape: Shape) -> str:
    """How the group or list is written that stands here as something else; empty: no form that we know."""
    if isinstance(value, dict) and kind(shape) == CORNER:
        return tr("write each corner as [x, y], such as [0.2, 0.5]")
    if not isinstance(value, str):
        return ""
    if shape.models:
        return tr("write its settings instead, such as {example}", example=_example(value, shape))
    item = item_of(shape)
    if item is not None and item.models:
        return tr("write a list instead, such as {example}", example=f"[{_example(value, item)}]")
    return ""


def _example(value: str, shape: Shape) -> str:
    """The begin of a group: of several the one whose name the value begins with."""
    if shape.discriminator:
        tags = [tag for model in shape.models for tag in tag_of(model, shape.discriminator)]
        return f"{{{shape.discriminator}: {next(filter(value.startswith, tags), tags[0])}, …}}"
    return f"{{{', '.join(f'{name}: …' for name in list(shape.models[0].model_fields)[:3])}}}"


def corners_only(shape: Shape) -> bool:
    """Whether it is a list of corners, [x, y] each."""
    item = item_of(shape)
    return item is not None and kind(item) == CORNER


def too_few_corners(count: int) -> tuple[str, str]:
    """Of a zone or a mask: what is wrong, and what to do."""
    words = tr("1 corner") if count == 1 else tr("{number} corners", number=count)
    return (
        tr("{corners}, and at least three are needed to enclose anything", corners=words),
        tr("add the missing ones in order around it, each as [x, y], such as [0.2, 0.5]"),
    )


def decimal_comma(given: Any, shape: Shape) -> str:
    """What to do about a corner of more than two numbers; empty if there is no whole one among them."""
    if kind(shape) != CORNER or not isinstance(given, list) or not any(isinstance(each, int) for each in given):
        return ""
    return tr("write a decimal with a point, such as [0.2, 0.5]: a comma parts two numbers")


def _unparted(value: str, shape: Shape, line: int | None) -> Meant | None:
    """A setting below a group that is none: its name and its value were not parted."""
    if name := without_blank(value):
        return line, *no_blank(name)
    first = re.match(NAME, value)
    if first is not None and any(first[0] in model.model_fields for model in shape.models):
        return line, *no_colon(first[0])
    return None


def _without_dash(node: Node | None) -> Meant | None:
    below = node.value if node is not None else None
    if not isinstance(below, dict) or not below:
        return None
    name, first = next(iter(below.items()))
    return (
        first.line,
        tr("there is no '- ' before '{name}:', and this is a list", name=shown(name)),
        tr("begin each item of the list with '- ', such as '- {name}: …'", name=shown(name)),
    )


def _with_unit(value: str, shape: Shape, name: str) -> Meant | None:
    found = _WITH_UNIT.fullmatch(value.strip())
    if found is None:
        return None
    factors = _FACTORS.get(name.rpartition("_")[2], {})
    factor = factors.get(found[2].lower())
    number = float(found[1]) * factor if factor is not None else float(found[1])
    hint = tr("write {number}, without a unit", number=f"{number:g}" if number < 1e5 else f"{number:.0f}")
    if found[2] == "%" and bounds(shape) == "0..1":
        hint = tr("write {number}, without a unit", number=f"{number / 100:g}")
    elif factor is None:
        hint = tr("write the number without its unit")
    what = tr("{value} has a unit", value=shown(value))
    return None, what, joined("; ", filter(None, (hint, bounds(shape))))
