"""station.province.items"""

from __future__ import annotations

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


@given(st.dictionaries(st.sampled_from(["state", "state_ms", "last_seen_ms", "cameras", "said_ms"]), st.none()))
def test_a_state_that_lacks_something_is_kept_with_a_reason(document: dict[str, None]) -> None:
    assert len(read(said("box", document)).unreadable) == 1
