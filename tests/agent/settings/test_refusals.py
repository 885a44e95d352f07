"""agent.settings.refusals"""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AfterValidator, Field, ValidationError

from agent.settings.base import Settings
from agent.settings.refusals import Mistake, mistakes_of
from agent.settings.yaml import read


def told_of(text: bytes, model: type[Settings]) -> list[str]:
    root, _ = read(text)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(root.plain())
    return [each.line_of("f") for each in mistakes_of(caught.value, root, model)]


def test_a_mistake_is_one_line_with_file_line_and_path() -> None:
    assert Mistake(3, ("a", 0, "b"), "wrong", "do this").line_of("f.yaml") == "f.yaml:3: a[0].b: wrong; do this"


def test_a_validator_that_quotes_a_secret_is_silenced() -> None:
    def quote(text: str) -> str:
        raise ValueError(f"{text} is too short")

    class Door(Settings):
        token: Annotated[str, AfterValidator(quote)]

    assert told_of(b"token: pa55-w0rd-canary", Door) == ["f:1: token: … is too short"]


def test_a_blank_that_is_none_is_told_where_it_became_a_part_of_the_name() -> None:
    class Clock(Settings):
        wait_ms: int = 1

    (line,) = told_of("\u00a0\u00a0wait_ms: 1".encode(), Clock)
    assert "no such setting; a blank before it is none for YAML: remove it" in line


def test_a_limit_is_told_with_the_unit_that_the_name_says() -> None:
    class Waits(Settings):
        wait_ms: int = Field(1, ge=1, le=60)

    assert told_of(b"\nwait_ms: 61", Waits) == ["f:2: wait_ms: 61 is outside 1..60 milliseconds"]


def test_what_is_called_otherwise_in_another_group_is_named_as_it_is_called_here() -> None:
    class Zone(Settings):
        id: str
        polygon: str = ""

    class Line(Settings):
        start: int
        end: int
        linger_s: int = 2

    assert told_of(b"name: road", Zone) == ["f:1: name: no such setting; here it is called id"]
    assert told_of(b"id: a\ncorners: b", Zone) == ["f:2: corners: no such setting; here it is called polygon"]
    (line,) = told_of(b"line: [[0, 1], [1, 1]]", Line)
    assert line.endswith("no such setting; a line is written as start: [x, y] and end: [x, y]")


def test_a_required_setting_whose_name_is_misspelt_is_not_missing_too() -> None:
    class Place(Settings):
        commune: str
        port: int = 1

    assert told_of(b"comune: a", Place) == ["f:1: comune: no such setting; did you mean commune?"]
    assert sorted(told_of(b"comune: a\ncommune: 1", Place)) == [
        "f:1: comune: no such setting; did you mean commune?",
        "f:2: commune: 1 is not a text; quote it",
    ]
    assert [line.split(": ")[1] for line in told_of(b"ports: 1", Place)] == ["commune", "ports"]


def test_curly_quotation_marks_are_told_where_they_spoil_a_value() -> None:
    class Door(Settings):
        id: Annotated[str, Field(pattern="^[a-z]+$")]

    (line,) = told_of("id: \u201cnorth\u201d".encode(), Door)
    assert line.endswith('its quotation marks are part of the text; write it between "…", or without')


def test_a_text_where_a_group_or_a_list_belongs_is_told_with_how_that_is_written() -> None:
    class Window(Settings):
        start: str = "00:00"
        end: str = "00:00"

    class Rule(Settings):
        window: Window = Window()
        schedule: tuple[Window, ...] = ()
        corners: tuple[tuple[float, float], ...] = ()

    assert told_of(b"window: 22-05", Rule)[0].endswith("write its settings instead, such as {start: …, end: …}")
    assert told_of(b"schedule: 22-05", Rule)[0].endswith("write a list instead, such as [{start: …, end: …}]")
    assert told_of(b"corners: [{x: 0.3, y: 0.2}]", Rule)[0].endswith(
        "write each corner as [x, y], such as [0.2, 0.5]"
    )
