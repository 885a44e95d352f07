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
