"""agent.settings.location"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.settings.base import Settings
from agent.settings.location import line_of_path, located
from agent.settings.yaml import read


class Circle(Settings):
    kind: Literal["circle"]
    radius: int


class Square(Settings):
    kind: Literal["square"]
    side: int


class Drawing(Settings):
    shapes: tuple[Annotated[Circle | Square, Field(discriminator="kind")], ...]


TEXT = b"shapes:\n- kind: circle\n  radius: 1\n- kind: square\n  side: 2\n"


def test_the_line_of_a_path_is_that_of_its_deepest_part_that_is_there() -> None:
    root, _ = read(TEXT)
    assert line_of_path(root, ("shapes", 1, "side")) == 5
    assert line_of_path(root, ("shapes", 1, "colour")) == 4
    assert line_of_path(root, ("nothing",)) == 1


def test_the_part_that_chooses_a_type_is_no_part_of_the_path() -> None:
    root, _ = read(TEXT)
    place = located(("shapes", 1, "square", "side"), root, Drawing)
    assert (place.path, place.line) == (("shapes", 1, "side"), 5)
    assert place.owner is Square
