"""station.ingest.receipts"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from station.ingest.inbound import InboundMessage, read
from station.ingest.receipts import DueReceipt, Receipts
from tests.support.fake_box import an_event

AT = Instant(1000.0, 1_772_449_447.0)
BOX = ("hai-ninh", "north-01")
BASE = "ngatu/v1/hai-ninh/north-01/"


def nothing(*_: str) -> list[tuple[int, int]]:
    return []


def messages(number: int, seq: int, *, picture: bool = False, properties: bool = True) -> list[InboundMessage]:
    """An event and its picture, numbered from `seq`."""
    found = []
    for message in event_messages(an_event(number, picture=picture), Sender(*BOX, "north", "boot-1")):
        stored = Stored(seq + len(found), message, sha256(message.body).hexdigest(), AT)
        user = codec.properties(stored, "s-1") if properties else {}
        found.append(read(BASE + message.topic, codec.finish(stored, "s-1", AT), user))
    return found


def hello(oldest: int | None, newest: int | None, stream: str = "s-1") -> InboundMessage:
    return read(BASE + "hello", codec.hello("life", stream, oldest, newest, AT), {})


def status(state: str, session: str) -> InboundMessage:
    return read(BASE + "status", codec.status(state, session, AT), {}, retained=True)  # type: ignore[arg-type]


def test_a_message_that_was_not_remembered_is_fresh_again() -> None:
    ledger, batch = Receipts(nothing), messages(1, 1)

    assert ledger.deduplicate(batch).fresh == batch
    assert ledger.due(batch) == []
    assert ledger.deduplicate(batch).fresh == batch


def test_what_is_committed_is_receipted_again_but_not_fresh() -> None:
    ledger, batch = Receipts(nothing), messages(1, 1)
    ledger.remember(ledger.deduplicate(batch).fresh)

    assert ledger.deduplicate(batch).fresh == []
    assert ledger.due(batch) == [DueReceipt(BOX, "s-1", ((1, 1),))]


def test_a_copy_within_one_batch_is_handed_over_once() -> None:
    batch = messages(1, 1)

    assert Receipts(nothing).deduplicate(batch + batch).fresh == batch


def test_what_came_again_is_parted_from_what_is_new() -> None:
    ledger = Receipts(lambda *_: [(1, 1)])
    (again,), (new,) = messages(1, 1), messages(2, 2)

    deduplicated = ledger.deduplicate([again, new, new])

    assert (deduplicated.fresh, deduplicated.copies) == ([new], [again, new])


def test_a_receipt_tells_the_whole_range_around_a_number() -> None:
    ledger = Receipts(lambda *_: [(1, 3)])
    batch = messages(4, 4)
    ledger.remember(ledger.deduplicate(batch).fresh)

    assert ledger.due(batch) == [DueReceipt(BOX, "s-1", ((1, 4),))]


def test_hello_is_answered_with_all_that_is_committed_of_what_the_box_has() -> None:
    ledger = Receipts(lambda *_: [(1, 3), (7, 9)])

    assert ledger.due([hello(2, 8)]) == [DueReceipt(BOX, "s-1", ((2, 3), (7, 8)))]
    assert ledger.due([hello(None, None)]) == [DueReceipt(BOX, "s-1", ())]
    assert ledger.due([hello(20, 30)]) == [DueReceipt(BOX, "s-1", ())]


def test_many_holes_are_told_in_several_receipts() -> None:
    ledger = Receipts(lambda *_: [(2 * n, 2 * n) for n in range(1200)])

    due = ledger.due([hello(0, 10_000)])

    assert [len(one.committed) for one in due] == [500, 500, 200]


def test_the_numbers_of_one_box_say_nothing_about_another() -> None:
    ledger, batch = Receipts(nothing), messages(1, 1)
    ledger.remember(ledger.deduplicate(batch).fresh)
    thief = [replace(message, device="south-01") for message in batch]

    assert ledger.deduplicate(thief).fresh == thief


def test_a_picture_comes_with_the_event_that_refers_to_it() -> None:
    ledger = Receipts(nothing)
    event, picture = ledger.deduplicate(messages(1, 1, picture=True)).fresh

    assert picture.event == event.event
    assert picture.event is not None
    assert picture.event.image is not None
    assert picture.image_sha256 == picture.event.image.sha256


def test_a_picture_before_its_event_is_handed_over_without_one() -> None:
    ledger, (event, picture) = Receipts(nothing), messages(1, 1, picture=True)

    assert ledger.deduplicate([picture]).fresh[0].event is None
    assert ledger.deduplicate([event, picture]).fresh[1].event == event.event


def test_a_picture_without_a_number_is_receipted_by_its_hash_once_the_stream_is_known() -> None:
    ledger, (event, picture) = Receipts(nothing), messages(1, 1, picture=True, properties=False)
    ledger.remember(ledger.deduplicate([picture]).fresh)

    assert ledger.due([picture]) == []
    ledger.remember(ledger.deduplicate([event]).fresh)
    assert ledger.due([event]) == [DueReceipt(BOX, "s-1", ((1, 1),), (picture.image_sha256 or "",))]
    assert ledger.deduplicate([picture]).fresh == []
    assert ledger.due([picture]) == [DueReceipt(BOX, "s-1", (), (picture.image_sha256 or "",))]


def test_an_old_will_that_comes_late_is_not_news() -> None:
    ledger = Receipts(nothing)

    assert len(ledger.deduplicate([status("online", "life-2")]).fresh) == 1
    assert ledger.deduplicate([status("offline", "life-1")]).fresh == []
    assert len(ledger.deduplicate([status("offline", "life-2")]).fresh) == 1
    assert len(ledger.deduplicate([status("online", "life-3")]).fresh) == 1
