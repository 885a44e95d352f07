"""agent.settings.introspect"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from agent.settings.base import Name, Secret, Settings
from agent.settings.introspect import (
    as_json,
    bounds,
    groups,
    inner_models,
    item_of,
    kind,
    settings_of,
    shape_of,
)


class Mood(StrEnum):
    CALM = "calm"
    ALERT = "alert"


class Line(Settings):
    """A line."""

    kind: Literal["line"] = Field("line", description="Says so.")
    start: tuple[float, float] = Field(description="Begin.")


class Zone(Settings):
    """A zone."""

    kind: Literal["zone"] = Field("zone", description="Says so.")
    password: Secret | None = Field(None, description="Where.")


class Whole(Settings):
    """All of it."""

    mood: Mood = Field(Mood.CALM, description="How  it\nfeels.", examples=["alert"])
    count: int = Field(ge=1, le=9, description="How many.")
    parts: tuple[Annotated[Line | Zone, Field(discriminator="kind")], ...] = Field(
        (), max_length=3, description="Parts."
    )
    line: Line | None = Field(None, description="One line.")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "true or false"), (int, "whole number"), (float, "number"), (str, "text"), (Path, "path"),
        (Name, "text"), (float | None, "number"), (Mood, "one of calm, alert"),
        (Literal["a", "b"], "one of a, b"), (Literal["a"], "a"), (float | Literal["auto"], "number or auto"),
        (int | str, "whole number or text"),
        (list[int], "list of whole number"), (tuple[str, ...], "list of text"),
        (tuple[float, float], "[number, number]"), (dict[str, float], "mapping of text to number"),
        (Secret | None, "secret"), (Line, "group of settings"),
        (tuple[Line, ...], "list of groups of settings"),
    ],
)  # fmt: skip
def test_a_type_is_told_in_an_operators_words(annotation: Any, words: str) -> None:
    assert kind(shape_of(annotation)) == words


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotated[int, Field(ge=1, le=255)], "1..255"),
        (Annotated[float, Field(gt=0)], "above 0"),
        (Annotated[float, Field(gt=0, lt=0.5)], "above 0 and below 0.5"),
        (Annotated[int, Field(ge=2, multiple_of=2)], "at least 2 and a multiple of 2"),
        (Annotated[int, Field(le=1 << 30)], "at most 1073741824"),
        (Annotated[str, Field(max_length=9)], "at most 9 characters"),
        (Annotated[str, Field(min_length=1)], "at least 1 character"),
        (Annotated[list[int], Field(min_length=2, max_length=2)], "2 items"),
        (Annotated[list[int], Field(min_length=1, max_length=4)], "1..4 items"),
        (Name, "2 to 32 of a-z, 0-9 and '-'"),
        (Annotated[str, Field(pattern="^x+$")], "matching ^x+$"),
        (Annotated[int | None, Field(ge=1, le=4)], "1..4"),
        (int, ""),
    ],
)
def test_limits_are_told_in_words(annotation: Any, words: str) -> None:
    assert bounds(shape_of(annotation)) == words


def test_a_setting_says_what_it_is_where_it_stands_and_what_it_starts_with() -> None:
    mood, count, parts, line = settings_of(Whole, "top")
    assert (mood.path, mood.default, mood.required, mood.description) == (
        "top.mood",
        "calm",
        False,
        "How it feels.",
    )
    assert mood.examples == ("alert",)
    assert (count.required, count.default, count.limits) == (True, None, "1..9")
    assert (parts.default, parts.limits) == ([], "at most 3 items")
    assert line.shape.nullable


def test_groups_come_in_order_with_their_place_and_kind() -> None:
    found = [(group.path, group.model.__name__, group.tag) for group in groups(Whole)]
    assert found == [
        ("", "Whole", None),
        ("parts[]", "Line", "line"),
        ("parts[]", "Zone", "zone"),
        ("parts[].password", "Secret", None),
        ("line", "Line", None),
    ]


def test_items_of_lists_pairs_and_mappings_are_found() -> None:
    pair = shape_of(tuple[int, str])
    first, second = item_of(pair, 0), item_of(pair, 5)
    assert first is not None and first.options == (int,)
    assert second is not None and second.options == (str,)
    assert item_of(shape_of(int)) is None
    assert item_of(shape_of(dict[str, float])) == shape_of(float)
    assert [model.__name__ for model, _, _ in inner_models(settings_of(Whole)[2])] == ["Line", "Zone"]


def test_defaults_become_what_a_file_would_say() -> None:
    value = {"a": (Mood.ALERT, Path("/x"), None, 1.5), "b": frozenset({"z", "y"}), "c": Zone()}
    assert as_json(value) == {
        "a": ["alert", "/x", None, 1.5],
        "b": ["y", "z"],
        "c": {"kind": "zone", "password": None},
    }
