"""agent.evidence.package.dataclass_json"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.evidence.package.dataclass_json import from_json, rfc3339, to_json
from agent.wire.signature import canonical


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    number: int
    share: float


@dataclass(frozen=True)
class Value:
    text: str
    at: datetime
    inner: Inner
    many: tuple[Inner, ...]
    pair: tuple[int, str]
    named: dict[str, int]
    word: Literal["a", "b"]
    colour: Colour
    maybe: str | None = None


MOMENTS = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001 (Hypothesis asks for naive ones)
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))]),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
INNERS = st.builds(
    Inner, st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.builds(
    Value,
    st.text(st.characters(exclude_categories=["Cs"])),
    MOMENTS,
    INNERS,
    st.lists(INNERS).map(tuple),
    st.tuples(st.integers(-9, 9), st.just("x")),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)),
    st.sampled_from(["a", "b"]),
    st.sampled_from(Colour),
    st.none() | st.just("there"),
)
PLAIN = to_json(Value("t", datetime(2027, 1, 1, tzinfo=UTC), Inner(1, 0.5), (), (1, "x"), {}, "a", Colour.RED))


@given(VALUES)
def test_what_is_written_as_canonical_json_is_read_back(value: Value) -> None:
    assert from_json(Value, json.loads(canonical(to_json(value)))) == value


def test_a_moment_is_written_in_utc_to_the_millisecond() -> None:
    assert (
        rfc3339(datetime(2027, 1, 1, 7, 0, 0, 1500, timezone(timedelta(hours=7)))) == "2027-01-01T00:00:00.001Z"
    )


def test_names_of_newer_boxes_are_ignored() -> None:
    assert from_json(Inner, {"number": 1, "share": 2, "more": []}) == Inner(1, 2.0)


def test_what_may_be_left_out_has_its_default() -> None:
    assert from_json(Value, {name: each for name, each in PLAIN.items() if name != "maybe"}).maybe is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": 1}, "text: is no str"),
        ({"at": "2027-01-01T00:00:00"}, "at: is no RFC 3339"),
        ({"at": 5}, "at: is no RFC 3339"),
        ({"inner": []}, "inner: is no Inner"),
        ({"inner": {"number": True, "share": 1}}, "inner.number: is no int"),
        ({"inner": {"number": 1}}, "inner.share: is not there"),
        ({"inner": {"number": 1, "share": True}}, "inner.share: is no float"),
        ({"many": [1]}, "many[0]: is no Inner"),
        ({"many": {}}, "many: is no list"),
        ({"pair": [1]}, "pair: is no list of 2"),
        ({"named": []}, "named: is no object"),
        ({"named": {"a": "b"}}, "named.a: is no int"),
        ({"word": "c"}, "word: is no a | b"),
        ({"word": []}, "word: is no a | b"),
        ({"colour": "blue"}, "colour: is no red"),
        ({"colour": []}, "colour: is no red"),
        ({"maybe": 1}, "maybe: is no str"),
    ],
)
def test_what_is_otherwise_is_told_with_its_place(change: dict[str, object], said: str) -> None:
    with pytest.raises(WireError) as refused:
        from_json(Value, {**PLAIN, **change})

    assert str(refused.value) == said


def test_what_is_no_object_at_all_is_told() -> None:
    with pytest.raises(WireError, match="Value: is no Value"):
        from_json(Value, [])


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"at": "0001-01-01T00:00:00+14:00"}, "at: is no RFC 3339"),
        ({"at": "9999-12-31T23:59:59.999Z"}, "at: is no RFC 3339"),
        ({"inner": {"number": 2**53, "share": 0.0}}, "inner.number: is no int"),
        ({"inner": {"number": 0, "share": 10**400}}, "inner.share: is no float"),
        ({"named": {"\x1b[2J": None}}, "named.\ufffd[2J: is no int"),
    ],
)
def test_what_would_break_or_steer_whoever_reads_it_is_refused(change: dict[str, object], where: str) -> None:
    with pytest.raises(WireError, match=f"^{re.escape(where)}$"):
        from_json(Value, PLAIN | change)
