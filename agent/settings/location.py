"""Where in a file a setting is that pydantic names, and what the models say about that place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from agent.settings.introspect import Shape, item_of, shape_of, shape_of_field, tag_of
from agent.settings.quoting import Path
from agent.settings.yaml import Node


@dataclass(slots=True)
class SettingPlace:
    """Where in the file, and what the models say about that place."""

    path: Path
    line: int
    shape: Shape | None
    owner: type[BaseModel] | None = None
    """The group that has, or has not, the last part of the path."""
    refused: bool = False
    node: Node | None = None
    """What is written there; None: nothing."""
    either: bool = False
    """The value may be of several types, each of which pydantic refuses by itself: one message is enough."""

    @property
    def name(self) -> str:
        """Of the setting itself; of an item of a list its number."""
        return str(self.path[-1]) if self.path else ""


def located(loc: Sequence[str | int], root: Node, model: type[BaseModel]) -> SettingPlace:
    """Follow pydantic's location, which has extra parts where a type had to be chosen."""
    place = SettingPlace((), root.line, shape_of(model), refused=root.refused, node=root)
    node: Node | None = root
    for index, part in enumerate(loc):
        shape = place.shape
        if part == "[key]":
            continue
        if shape is not None and len(shape.options) > 1:
            if index == len(loc) - 1:
                place.either = True
            else:
                place.shape = _chosen(shape, str(part))
            continue
        node = place.node = _child(node, part)
        place.path = (*place.path, part)
        place.line = node.line if node is not None else place.line
        place.refused = place.refused or (node is not None and node.refused)
        models = shape.models if shape is not None else ()
        place.owner = models[0] if models else None
        place.shape = _field_shape(models[0], str(part)) if models else _item_shape(shape, part)
    return place


def _child(node: Node | None, part: str | int) -> Node | None:
    value = node.value if node is not None else None
    if isinstance(value, dict) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def line_of_path(root: Node, path: Path) -> int:
    """The line of the deepest part of `path` that exists."""
    node: Node | None = root
    line = root.line
    for part in path:
        node = _child(node, part)
        line = node.line if node is not None else line
    return line


def _chosen(shape: Shape, label: str) -> Shape:
    for model in shape.models:
        tags = tag_of(model, shape.discriminator) if shape.discriminator else (model.__name__,)
        if label in tags:
            return shape_of(model)
    others = tuple(option for option in shape.options if option not in shape.models)
    return Shape(others[:1] or shape.options[:1], False, shape.constraints, None)


def _field_shape(model: type[BaseModel], name: str) -> Shape | None:
    info = model.model_fields.get(name)
    return shape_of_field(info) if info is not None else None


def _item_shape(shape: Shape | None, part: str | int) -> Shape | None:
    return item_of(shape, part if isinstance(part, int) else 0) if shape is not None else None
