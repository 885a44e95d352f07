"""station.store.quota"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice

import pytest

from agent.wire.channels import MessageKind
from station.config import QuotaSettings
from station.footage.folder import FootageStage
from station.ingest.inbound import InboundMessage, read
from station.store.id_cache import IdCache
from station.store.quota import PAGE_BYTES, QUIET_MS, Quota, cost_of
from tests.station.ingest.test_receipts import BOX, hello, messages
from tests.station.store.test_store import JPEG, bytes_by
from tests.support.footage_requests import asked, package, public_pem
from tests.support.footage_requests import sent as sent_footage
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
    return sum(cost_of(each) for each in kept)


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
    rubbish = [bytes_by("camera/north/event", bytes([number]) * 1000) for number in range(1, 11)]
    quota = loaded(tables, unreadable_bytes_per_day=sized(rubbish[:5]))

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

    assert written(tables, quota) == [(DAY, 1, cost_of(picture), 0, 1, 0)]
    assert cost_of(picture) > 2 * PAGE_BYTES, "its file and the folder of it take a page each"


def sent(number: int, *, width: int, **words: str) -> InboundMessage:
    """An event whose text is so wide; `words` are those that stand in columns of their own, too."""
    (event,) = messages(number, number)
    document = json.loads(event.raw)
    document |= {"id": f"e-{number}", "detail": "x" * width} | words
    document["rule"] = {"id": words.get("direction", "r"), "kind": words.get("direction", "k")}
    raw = json.dumps(document).encode()
    return read("ngatu/v1/hai-ninh/north-01/camera/north/event", raw, {})


@pytest.mark.parametrize("width", [0, 300, 600, 900, 1200, 1700, 2500, 3300, 4000])
@pytest.mark.parametrize("words", [{}, {"direction": "w" * 4000}])
def test_no_size_of_events_takes_more_of_the_disk_than_it_is_charged(
    sqlite_place: Place, width: int, words: dict[str, str]
) -> None:
    """A page of the database holds one row of 2.1 KB, or two of 1.4 KB; words are kept twice."""
    count = 300
    with closing(sqlite_place.open()) as store:
        store.commit([sent(count + 1, width=0)])
    file = sqlite_place.folder / "station.db"
    before, charged = file.stat().st_size, 0
    with closing(sqlite_place.open()) as store:
        for first in range(1, count, 100):
            batch = [sent(number, width=width, **words) for number in range(first, first + 100)]
            assert all(each.event for each in batch)
            store.commit(batch)
            charged += sized(batch)

    assert file.stat().st_size - before <= charged


def test_what_cannot_be_read_is_charged_with_its_topic_and_its_reason(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([bytes_by("camera/north/event", b"?")])
    file = sqlite_place.folder / "station.db"
    before = file.stat().st_size
    topics = [f"camera/north/image/{'long' * 120}{number}/x" for number in range(300)]
    rubbish = [read(f"ngatu/v1/hai-ninh/north-01/{topic}", b"?", {}) for topic in topics]
    with closing(sqlite_place.open()) as store:
        store.commit(rubbish)

    assert file.stat().st_size - before <= sized(rubbish)


def test_footage_that_was_asked_for_leaves_room_for_the_pictures_of_the_day(sqlite_place: Place) -> None:
    """A minute's footage has 1,500 pieces, each of which counted as a message: later alerts had no picture."""
    folder, files = asked(sqlite_place.folder, key=public_pem()), package(*[5] * 1200)
    picture = bytes_by("camera/north/snapshot", JPEG, 9_000)
    with closing(sqlite_place.open(quota=QuotaSettings(messages_per_day=1000))) as store:
        first, rest = {}, dict(files)
        for name in ("manifest.json", "manifest.sig"):  # nobody knows of the others what they are before them
            first[name] = rest.pop(name)
        seq = 1 + len(list(sent_footage(first)))
        for batch in (list(sent_footage(first)), *batched(sent_footage(rest, first_seq=seq))):
            store.commit(store.admitted(batch))
        assert folder.state().stage is FootageStage.ARRIVED

        assert store.admitted([picture]) == [picture]
        used = sqlite_place.rows(
            "select coalesce(sum(messages), 0), coalesce(sum(size_bytes), 0) from daily_usage"
        )
        assert used == [(0, 0)]


def test_the_same_piece_under_ever_new_numbers_counts_as_what_it_is(sqlite_place: Place) -> None:
    """Its rows are as large as any; also where one batch has them all."""
    asked(sqlite_place.folder, key=public_pem())
    first = next(sent_footage(package(5)))
    copies = [replace(first, seq=seq) for seq in range(1, 2001)]
    with closing(sqlite_place.open(quota=QuotaSettings(messages_per_day=1000))) as store:
        kept = 0
        for batch in (copies[:700], copies[700:701], copies[700:]):
            admitted = store.admitted(batch)
            store.commit(admitted)
            kept += len(admitted)

        assert kept == 1 + 750
        assert sqlite_place.rows("select messages from daily_usage") == [(750,)]


def test_what_comes_before_the_manifest_counts_for_only_the_manifest_says_what_is_needed(
    sqlite_place: Place,
) -> None:
    """A byte each under ever new names: of those nobody knows how many there are to be."""
    asked(sqlite_place.folder, key=public_pem())
    first = next(sent_footage(package(5)))
    suffix = first.suffix.replace("manifest.json/0", "")
    ahead = [replace(first, suffix=f"{suffix}{seq}.age/0", raw=b"x", seq=seq) for seq in range(1, 2001)]
    with closing(sqlite_place.open(quota=QuotaSettings(messages_per_day=1000))) as store:
        kept = 0
        for batch in batched(iter(ahead)):
            admitted = store.admitted(batch)
            store.commit(admitted)
            kept += len(admitted)

        assert kept == 750
        assert [each.asked for each in store.admitted([replace(first, seq=3000)])] == [True]


def test_a_needed_piece_that_could_not_be_kept_is_needed_again(sqlite_place: Place) -> None:
    asked(sqlite_place.folder, key=public_pem())
    (first, *_) = sent_footage(package(5))
    with closing(sqlite_place.open(quota=QuotaSettings(messages_per_day=1000))) as store:
        assert [each.asked for each in store.admitted([first])] == [True]
        assert [each.asked for each in store.admitted([first])] == [True]
        assert [each.asked for each in store.admitted([replace(first, seq=2)])] == [False]


def batched(messages: Iterator[InboundMessage], size: int = 200) -> Iterator[list[InboundMessage]]:
    while batch := list(islice(messages, size)):
        yield batch
