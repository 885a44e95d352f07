"""station.store.quota"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from agent.wire.channels import MessageKind
from station.config import QuotaSettings
from station.ingest.inbound import InboundMessage
from station.store.id_cache import IdCache
from station.store.quota import QUIET_MS, ROW_BYTES, Quota
from tests.station.ingest.test_receipts import BOX, hello, messages
from tests.station.store.test_store import JPEG, bytes_by
from tests.support.stores import Place

DAY = 20_000


@pytest.fixture
def tables(sqlite_place: Place) -> Iterator[Place]:
    with closing(sqlite_place.open()):
        yield sqlite_place


def loaded(place: Place, day: int = DAY, **limits: int) -> Quota:
    """A quota that knows what the tables say of the box."""
    quota = Quota(QuotaSettings.model_validate({"messages_per_day": 1000} | limits))
    with place.engine.begin() as connection:
        quota.load(connection, messages(1, 1), day)
    return quota


def written(place: Place, quota: Quota) -> list[tuple[object, ...]]:
    with place.engine.begin() as connection:
        quota.write(connection, IdCache(), 1000)
    return place.rows("select day, messages, size_bytes, unreadable_bytes, streams, refused from daily_usage")


def many(count: int) -> list[InboundMessage]:
    (event,) = messages(1, 1)
    return [replace(event, seq=seq) for seq in range(1, count + 1)]


def sized(kept: Sequence[InboundMessage]) -> int:
    return sum(len(each.raw) + ROW_BYTES for each in kept)


def test_no_more_messages_are_admitted_than_a_day_has(tables: Place) -> None:
    quota = loaded(tables)

    assert len(quota.admitted(many(2000), DAY)) == 950
    quota.charge(many(940))
    assert len(quota.admitted(many(2000), DAY)) == 10
    assert written(tables, quota)[0][1] == 940


def test_no_more_bytes_are_admitted_than_a_day_has(tables: Place) -> None:
    quota = loaded(tables, bytes_per_day=2**20)
    quota.charge(many(1))

    kept = quota.admitted(many(2000), DAY)

    assert sized(kept) + sized(many(1)) <= 0.95 * 2**20 < sized(kept) + sized(many(2))


def test_pictures_are_refused_first_then_events_and_what_a_box_says_of_itself_last(tables: Place) -> None:
    quota = loaded(tables)
    kinds = (MessageKind.IMAGE, MessageKind.EVENT, MessageKind.HEALTH)

    seen = []
    for upto in (0, 749, 750, 949, 950, 999, 1000):
        quota.charge(many(upto - (seen[-1][0] if seen else 0)))
        seen.append((upto, *(quota.refuses(BOX, kind, 100, DAY) for kind in kinds)))

    assert seen == [
        (0, False, False, False), (749, False, False, False), (750, True, False, False),
        (949, True, False, False), (950, True, True, False), (999, True, True, False), (1000, True, True, True),
    ]  # fmt: skip


def test_what_cannot_be_read_has_a_small_bound_of_its_own(tables: Place) -> None:
    quota = loaded(tables, unreadable_bytes_per_day=5 * (1000 + ROW_BYTES))
    rubbish = [bytes_by("camera/north/event", bytes([number]) * 1000) for number in range(10)]

    assert quota.admitted(rubbish, DAY) == rubbish[:5]
    quota.charge(rubbish[:5])
    assert quota.admitted(rubbish, DAY) == []
    assert len(quota.admitted(many(3), DAY)) == 3
    unnumbered = bytes_by("snapshot/r-1", b"bytes")
    assert quota.admitted([unnumbered], DAY) == []


def test_what_clears_the_broker_costs_nothing(tables: Place) -> None:
    quota = loaded(tables, unreadable_bytes_per_day=0)
    clears = bytes_by("camera/north/event", b"")

    assert quota.admitted([clears], DAY) == [clears]


def test_new_streams_are_bounded_and_those_that_are_known_are_not(tables: Place) -> None:
    quota = loaded(tables, streams_per_day=3)
    (event,) = messages(1, 1)
    of = [replace(event, stream=f"s-{number}") for number in (1, 2, 2, 3, 4, 1)]

    kept = quota.admitted(of[:3], DAY)
    quota.charge(kept)
    assert [each.stream for each in quota.admitted(of, DAY)] == ["s-1", "s-2", "s-2", "s-3", "s-1"]
    stranger = hello(1, 1)
    assert quota.admitted([stranger], DAY) == [stranger]  # it names s-1
    assert written(tables, quota) == [(DAY, 3, sized(kept), 0, 2, 1)]


def test_a_new_day_has_its_own_quota_and_a_restart_has_not(tables: Place) -> None:
    quota = loaded(tables)
    quota.charge(many(950))
    written(tables, quota)

    assert loaded(tables).refuses(BOX, MessageKind.EVENT, 1, DAY)
    tomorrow = loaded(tables, DAY + 1)
    assert not tomorrow.refuses(BOX, MessageKind.EVENT, 1, DAY + 1)
    assert len(tomorrow.admitted(many(2000), DAY + 1)) > 100
    assert quota.lacks(many(1), DAY + 1)
    assert not quota.refuses(BOX, MessageKind.EVENT, 1, DAY + 1)


def test_what_was_charged_in_a_transaction_that_failed_is_read_again(tables: Place) -> None:
    quota = loaded(tables)
    quota.charge(many(950))
    quota.forget()

    assert quota.lacks(many(1), DAY)
    with tables.engine.begin() as connection:
        quota.load(connection, many(1), DAY)
    assert len(quota.admitted(many(100), DAY)) == 100


def test_who_was_refused_has_an_alarm_until_it_is_quiet(tables: Place) -> None:
    quota, now_ms = loaded(tables), DAY * 86_400_000
    quota.charge(many(950))
    reports = []
    for at_ms, again in ((0, 2), (1000, 1), (QUIET_MS, 0), (2 * QUIET_MS, 0)):
        for _ in range(again):
            quota.refuses(BOX, MessageKind.EVENT, 2**20, DAY)
        with tables.engine.begin() as connection:
            reports.append([name for name, _ in quota.report(connection, IdCache(), now_ms + at_ms)])

    assert reports == [["alarm_opened"], [], [], ["alarm_closed"]]
    assert tables.rows("select count, detail from alarm") == [
        (3, "1 messages refused just now, 3 today (3.0 MiB); they have no receipt")
    ]
    assert tables.rows("select refused, refused_bytes from daily_usage") == [(3, 3 * 2**20)]


def test_pictures_that_carry_their_event_count_with_their_bytes(tables: Place) -> None:
    quota = loaded(tables)
    picture = bytes_by("camera/north/image/e-1/thumbnail", JPEG, seq=1)
    quota.charge([picture])

    assert written(tables, quota) == [(DAY, 1, len(JPEG) + ROW_BYTES, 0, 1, 0)]
