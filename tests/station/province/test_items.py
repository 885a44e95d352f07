"""station.province.items"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.province.items import ItemRows
from station.province.months import month_of
from station.uplink.envelope import ItemKind, UpItem
from tests.support.provinces_up import NOW_MS, a_box, an_alert, an_hour, said


def read(*items: UpItem) -> ItemRows:
    rows = ItemRows()
    rows.add("hai-ninh", items, NOW_MS)
    return rows


def test_an_event_becomes_a_row_with_its_bytes_and_what_is_asked_for() -> None:
    (row,) = read(an_alert(1, 2)).rows[ItemKind.EVENT]

    assert row["body"].encode() == an_alert(1, 2).raw
    assert (row["revision"], row["phase"], row["severity"], row["rule_id"]) == (2, "end", "alert", "way")
    assert read(an_alert(1)).months(NOW_MS) == {month_of(NOW_MS)}


def test_what_is_said_for_the_future_is_taken_for_said_now() -> None:
    rows = read(an_hour(NOW_MS + 5_000, 1), a_box(NOW_MS + 5_000, "online")).rows

    assert rows[ItemKind.HOUR][0]["said_ms"] == rows[ItemKind.BOX][0]["said_ms"] == NOW_MS


@given(
    st.sampled_from(["event", "seal", "count", "hour", "box", "of_later"]),
    st.one_of(st.binary(max_size=100), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr)),
)
def test_whatever_an_item_holds_it_is_read_or_kept_with_a_reason(kind: str, held: bytes | str) -> None:
    raw = held if isinstance(held, bytes) else held.encode(errors="replace")
    rows = read(UpItem(kind, "hn-01", raw))

    assert [each["raw"] for each in rows.unreadable] == [raw]
    assert rows.unreadable[0]["reason"]


GOOD = {"counts": {"car": {"in": 1}}, "spans": [[0, 3_600_000]], "parted": [False, False]}


@pytest.mark.parametrize(
    "sums",
    [
        GOOD | {"counts": {"car": {"in": "7"}}},
        GOOD | {"counts": {"car": {"in": 1.5}}},
        GOOD | {"counts": {"car": {"in": -1}}},
        GOOD | {"counts": {"car": {"in": True}}},
        GOOD | {"counts": {"car": {"in": 2**53}}},
        GOOD | {"counts": {"x" * 201: {"in": 1}}},
        GOOD | {"counts": {f"l-{n}": {"in": 1} for n in range(1_001)}},
        GOOD | {"spans": [[0, 3_600_001]]},
        GOOD | {"spans": [[5, 4]]},
        GOOD | {"spans": [[-1, 4]]},
        GOOD | {"spans": [[n, n + 1] for n in range(0, 2_002, 2)]},
        GOOD | {"parted": [0, 1]},
        GOOD | {"parted": [False]},
    ],
)
def test_an_hour_whose_numbers_would_spoil_a_chart_is_kept_with_a_reason(sums: dict[str, Any]) -> None:
    document = {"camera": "north", "rule": "line", "hour_ms": 3_600_000, "said_ms": 5}
    assert len(read(said("hour", document | {"sums": json.dumps(GOOD)})).rows[ItemKind.HOUR]) == 1
    assert len(read(said("hour", document | {"sums": json.dumps(sums)})).unreadable) == 1
    off = document | {"hour_ms": 3_600_001, "sums": json.dumps(GOOD)}
    assert len(read(said("hour", off)).unreadable) == 1


def test_a_box_with_more_cameras_than_any_has_is_kept_with_a_reason() -> None:
    many = {f"c-{n}": ["online", 5] for n in range(257)}
    stands = {"state": "online", "state_ms": 1, "last_seen_ms": 1, "cameras": many, "said_ms": 1}
    assert len(read(said("box", stands)).unreadable) == 1


@given(st.dictionaries(st.sampled_from(["state", "state_ms", "last_seen_ms", "cameras", "said_ms"]), st.none()))
def test_a_state_that_lacks_something_is_kept_with_a_reason(document: dict[str, None]) -> None:
    assert len(read(said("box", document)).unreadable) == 1


def test_titles_are_read_where_they_are_said_and_what_a_newer_station_says_besides_is_passed_over() -> None:
    rows = read(
        a_box(NOW_MS, "online"), a_box(NOW_MS, "online", titles={"place": "Chợ"}, of_a_newer_station=[{}])
    )

    old, new = rows.rows[ItemKind.BOX]
    assert "titles" not in old and new["titles"] == {"location": {"description": "Chợ"}}
    assert rows.unreadable == []


def test_a_box_with_titles_that_no_station_says_is_kept_with_a_reason() -> None:
    endless = {"cameras": {"north": {"zones": {f"z-{n}": "x" for n in range(100_000)}}}}

    (row,) = read(a_box(NOW_MS, "online", titles=endless)).unreadable

    assert "more than a box may have" in row["reason"]
