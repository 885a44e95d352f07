"""agent.settings.reference"""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
import yaml
from pydantic import Field

from agent.settings.base import Secret, Settings
from agent.settings.diagnostics import read_settings
from agent.settings.reference import example, page


class Line(Settings):
    """Something goes over a line."""

    kind: Literal["line"] = "line"
    id: str = Field(description="Its name.")
    start: tuple[float, float] = Field(examples=[[0.1, 0.5]], description="Where it begins.")


class Crowd(Settings):
    """Many are there."""

    kind: Literal["crowd"] = "crowd"
    id: str = Field(description="Its name.")
    count: int = Field(8, ge=2, description="So many.")


Rule = Annotated[Line | Crowd, Field(discriminator="kind")]


class Place(Settings):
    """On the map."""

    north: float = Field(examples=[20.9], description="Degrees north.")


class Whole(Settings):
    """All of it."""

    name: str = Field(max_length=9, description="Who it is.")
    time: str = Field("22:30", description="When it | ends.")
    password: Secret | None = Field(None, description="Where it lies.")
    place: Place | None = Field(None, description="Where it stands.")
    rules: tuple[Rule, ...] = Field((Crowd(id="many", count=9),), description="What is told.")


EXAMPLES = {"name": "north", "rules[].id": "mine"}


def test_the_whole_form_of_an_example() -> None:
    assert (
        example(Whole, EXAMPLES, "")
        == """
# Who it is. (text, at most 9 characters; required)
name: north

# When it | ends. (text)
time: "22:30"

# Where it lies. (secret)
password: null
#password: {env: NGATU_PASSWORD}

# Where it stands.
place: null
#place:
#  # Degrees north. (number; required)
#  north: 20.9

# What is told.
rules:
  # crowd: Many are there.
  - kind: crowd
    # Its name. (text; required)
    id: many
    # So many. (whole number, at least 2)
    count: 9
  #  # line: Something goes over a line.
  #- kind: line
  #  # Its name. (text; required)
  #  id: mine
  #  # Where it begins. ([number, number]; required)
  #  start: [0.1, 0.5]
"""
    )


def test_an_example_is_read_back_as_the_defaults() -> None:
    text = example(Whole, EXAMPLES, "")
    assert read_settings(text.encode(), "example", Whole) == Whole(name="north")
    assert yaml.safe_load(text)["time"] == "22:30"


def test_a_required_setting_without_an_example_is_an_error_of_ours() -> None:
    with pytest.raises(LookupError, match=r"rules\[\]\(line\)\.id"):
        example(Whole, {"name": "north"}, "")


def test_the_page_has_a_table_for_each_group() -> None:
    text = page(Whole, "")
    assert "| `name` | text, at most 9 characters | **required** | Who it is. |" in text
    assert r'| `time` | text | `"22:30"` | When it \| ends. |' in text
    assert "## `rules[]`, kind `line`\n\nSomething goes over a line.\n" in text
    assert "| `kind` | crowd | **required** |" in text
    assert "## `password`" not in text
