"""station.web.search.address"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from station.lookup.wanted import EventSearch
from station.web.search.address import AskedSearch, asked_of, pairs_of

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 15, 0, tzinfo=HANOI)
WORDS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=20).filter(
        str.strip
    ),
    max_size=3,
    unique=True,
).map(tuple)


SECONDS = st.integers(1, 10**9).map(lambda seconds: timedelta(seconds=seconds))


@given(
    st.builds(
        EventSearch,
        since=SECONDS.map(lambda before: NOW - before), until=SECONDS.map(lambda after: NOW + after),
        labels=WORDS, rules=WORDS, words=WORDS, cameras=WORDS,
        vehicle_colours=WORDS, clothes_colours=WORDS,
        riders=st.none() | st.integers(0, 999), newest_first=st.booleans(), late_only=st.booleans(),
    )
)  # fmt: skip
def test_a_look_up_and_its_address_are_the_same(search: EventSearch) -> None:
    address = AskedSearch(search, time_is_said=True).address()

    assert asked_of(QueryParams(address.partition("?")[2]), NOW).search == search


@pytest.mark.parametrize("said", ["3+", "3%2B", "3 "])
def test_a_plus_is_at_least_also_where_nobody_has_encoded_it(said: str) -> None:
    search = asked_of(QueryParams(f"riders={said}"), NOW).search

    assert (search.riders, search.riders_at_least) == (3, True)


def test_without_a_time_it_is_the_last_day_and_the_address_stays_without_one() -> None:
    asked = asked_of(QueryParams("label=car"), NOW)

    assert (asked.search.until, asked.search.until - asked.search.since) == (NOW, timedelta(days=1))
    assert asked.address(view="list") == "/lookup?label=car&view=list"
    assert asked.without("labels", "car") == "/lookup"


@pytest.mark.parametrize(
    ("query", "misread"),
    [
        ("from=now", ["now is no time"]),
        ("from=2026-11-27T00:00&to=2026-11-26T00:00", ["the end is not after the beginning"]),
        ("riders=-1", ["-1 is no number of people"]),
        ("from=0001-01-01T00:00", ["0001-01-01T00:00 is no time"]),
    ],
)
def test_what_cannot_be_read_is_named(query: str, misread: list[str]) -> None:
    asked = asked_of(QueryParams(query), NOW)

    assert list(map(str, asked.misread)) == misread
    assert asked.search.since < asked.search.until


def test_seconds_stand_in_the_address_only_where_there_are_any() -> None:
    search = EventSearch(NOW, NOW + timedelta(seconds=90))

    assert dict(pairs_of(search)) == {"from": "2026-11-27T15:00", "to": "2026-11-27T15:01:30"}


def test_what_was_said_is_shown_without_what_steers() -> None:
    said = asked_of(QueryParams({"said": "xe máy\x1b[31m\u202egpj"}), NOW).said

    assert said == "xe máy\ufffd[31m\ufffdgpj"
