"""station.province.quota: of the store of a shard, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from station.ingest.inbound import InboundMessage, MessageKind
from station.province.inbound import read_up
from station.province.quota import cost_of, holds_alert
from station.province.settings import ROW_BYTES, CommuneQuota
from station.province.store import DAY_MS, ProvinceStore
from station.uplink.envelope import MAX_ITEMS
from station.uplink.settings import UP_ROOT
from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, an_hour, sent, up

FEW = CommuneQuota.model_construct(bytes_per_day=2**30, items_per_day=8)


@pytest.fixture
def store(province: ProvincePlace) -> Iterator[ProvinceStore]:
    opened = province.open(quota=FEW)
    yield opened
    opened.close()


def take(store: ProvinceStore, *messages: InboundMessage) -> list[int | None]:
    """As a subscriber does; the numbers that have a receipt now."""
    admitted = store.admitted(messages)
    if admitted:
        store.commit(admitted)
    return [each.seq for each in admitted]


def info(number: int) -> InboundMessage:
    return up(number, an_alert(number, severity="info"))


def test_what_is_over_the_quota_is_not_taken_and_alerts_have_their_room(store: ProvinceStore) -> None:
    assert take(store, *(info(number) for number in range(1, 9))) == [1, 2, 3, 4, 5, 6]  # three quarters of 8
    assert take(store, up(9, an_alert(9)), info(10), up(11, an_alert(11)), up(12, an_alert(12))) == [9, 11]


def test_of_another_commune_as_much_is_taken_as_ever(store: ProvinceStore) -> None:
    take(store, *(info(number) for number in range(1, 9)))

    others = [up(n, an_hour(NOW_MS, n), commune="mong-cai") for n in range(1, 4)]
    assert take(store, *others) == [1, 2, 3]


def test_what_was_refused_comes_again_and_is_taken_on_another_day(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    sent_up = [info(number) for number in range(1, 9)]
    take(store, *sent_up)
    store.close()

    tomorrow = province.open(now_ms=NOW_MS + DAY_MS, quota=FEW)
    try:
        assert take(tomorrow, *sent_up[6:]) == [7, 8]
    finally:
        tomorrow.close()
    assert province.rows("select count(*) from event") == [(8,)]


def test_a_worker_that_takes_over_gives_nobody_a_second_quota(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    take(store, *(info(number) for number in range(1, 7)))
    store.close()

    other = province.open(quota=FEW)
    try:
        assert take(other, info(7)) == []
        assert take(other, up(8, an_alert(8)), up(9, an_alert(9)), up(10, an_alert(10))) == [8, 9]
    finally:
        other.close()


def test_what_failed_was_not_used(store: ProvinceStore, province: ProvincePlace) -> None:
    admitted = store.admitted([info(1)])
    store.lock.release()
    with pytest.raises(Exception, match="shard"):
        store.commit(admitted)
    assert store.lock.take()

    assert take(store, *(info(number) for number in range(1, 8))) == [1, 2, 3, 4, 5, 6]
    assert province.rows("select items from commune_usage") == [(6,)]


def test_once_nothing_has_room_an_envelope_is_refused_unread_and_states_are_not(store: ProvinceStore) -> None:
    take(store, *(up(number, an_alert(number)) for number in range(1, 9)))

    assert store.refuses("s01", "hai-ninh", MessageKind.UNKNOWN, 500)
    assert not store.refuses("s01", "hai-ninh", MessageKind.STATUS, 500)
    assert not store.refuses("s01", "mong-cai", MessageKind.UNKNOWN, 500)


def test_a_commune_over_its_quota_can_be_seen_and_lives_without_end_are_bounded(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    take(store, *(up(number, an_alert(number)) for number in range(1, 9)))
    lives = [
        read_up(
            f"{UP_ROOT}/s01/hai-ninh/status",
            f'{{"schema":"1.0","state":"online","time":"2026-11-29T08:00:00Z","session":"l-{n}"}}'.encode(),
            {},
            root=UP_ROOT,
        )
        for n in range(1, 20)
    ]
    assert len(take(store, *lives)) == 2  # a quarter of eight
    assert province.rows("select count(*) from up_life") == [(2,)]
    assert province.rows("select state from commune") == [("online",)]


def test_who_was_refused_something_is_named_with_what_to_do(
    store: ProvinceStore, province: ProvincePlace, capsys: pytest.CaptureFixture[str]
) -> None:
    take(store, *(info(number) for number in range(1, 10)))
    store.attend()

    said = capsys.readouterr().out
    assert "commune_over_quota" in said and "hai-ninh" in said and "raise quota" in said
    found = province.rows("select items, refused, refused_ms from commune_usage")
    assert found == [(6, 3, NOW_MS)]


def test_bytes_are_those_that_were_unpacked(province: ProvincePlace) -> None:
    large = up(1, an_alert(1, detail="x" * 4_000))
    size_bytes, items = cost_of(large)
    assert size_bytes > 4_000 + ROW_BYTES > len(large.raw) and items == 1
    store = province.open(quota=CommuneQuota.model_construct(bytes_per_day=2 * size_bytes, items_per_day=100))
    try:
        assert take(store, *(up(n, an_alert(n, detail="x" * 4_000)) for n in (1, 2, 3))) == [1, 2]
    finally:
        store.close()


def test_other_content_under_numbers_that_are_taken_counts_too(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    take(store, info(1))
    store.compare([up(1, an_alert(5)), up(1, an_alert(5))])
    store.compare([up(1, an_alert(5))])

    assert province.rows("select items from commune_usage") == [(2,)]


def test_what_cannot_be_read_counts_by_its_bytes(store: ProvinceStore) -> None:
    broken = sent(1, b"\x07nothing")
    assert cost_of(broken) == (len(broken.raw) + ROW_BYTES, 1) and not holds_alert(broken)
    assert take(store, *(sent(number, b"\x07nothing") for number in range(1, 9))) == [1, 2, 3, 4, 5, 6]


def test_the_least_quota_has_room_for_the_largest_envelope() -> None:
    least = CommuneQuota(bytes_per_day=16 * (2**20 + MAX_ITEMS * ROW_BYTES), items_per_day=16 * MAX_ITEMS)
    assert 0.75 * least.items_per_day > MAX_ITEMS
    with pytest.raises(ValueError, match="items_per_day"):
        CommuneQuota(items_per_day=1_000)
