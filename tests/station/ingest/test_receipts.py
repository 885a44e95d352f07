"""station.ingest.receipts"""

from __future__ import annotations

import gc
from dataclasses import replace
from hashlib import sha256

import pytest

from agent.core.types import Event, Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from agent.wire.ranges import ranges
from station.ingest.inbound import InboundMessage, read
from station.ingest.receipts import Deduplicated, DueReceipt, Receipts
from tests.support.fake_box import an_event

AT = Instant(1000.0, 1_772_449_447.0)
BOX = ("hai-ninh", "north-01")
BASE = "ngatu/v1/hai-ninh/north-01/"


class Kept:
    """What a store has of the stream s-1: digests by seq, some of which it may not know any more."""

    def __init__(self, digests: dict[int, str] | None = None, forgotten: set[int] | None = None) -> None:
        self.kept, self.forgotten = digests or {}, forgotten or set()
        self.asked: list[tuple[int, int]] = []

    def committed(self, _commune: str, _device: str, stream: str) -> list[tuple[int, int]]:
        return ranges(sorted({*self.kept, *self.forgotten})) if stream == "s-1" else []

    def digests(
        self, _commune: str, _device: str, _stream: str, first: int, last: int, limit: int
    ) -> list[tuple[int, str]]:
        self.asked.append((first, last))
        return [(seq, self.kept[seq]) for seq in sorted(self.kept) if first <= seq <= last][:limit]


def of(*seqs: int) -> dict[int, str]:
    return {seq: f"{seq:064x}" for seq in seqs}


def messages(number: int, seq: int, *, picture: bool = False, properties: bool = True) -> list[InboundMessage]:
    """An event and its picture, numbered from `seq`."""
    return messages_of(an_event(number, picture=picture), seq, properties=properties)


def messages_of(event: Event, seq: int, *, properties: bool = True) -> list[InboundMessage]:
    """An event and its pictures, numbered from `seq`."""
    found = []
    for message in event_messages(event, Sender(*BOX, "north", "boot-1")):
        stored = Stored(seq + len(found), message, sha256(message.body).hexdigest(), AT)
        user = codec.properties(stored, "s-1") if properties else {}
        found.append(read(BASE + message.topic, codec.finish(stored, "s-1", AT), user))
    return found


def hello(oldest: int | None, newest: int | None, stream: str = "s-1") -> InboundMessage:
    return read(BASE + "hello", codec.hello("life", stream, oldest, newest, AT), {})


def status(state: str, session: str) -> InboundMessage:
    return read(BASE + "status", codec.status(state, session, AT), {}, retained=True)  # type: ignore[arg-type]


def test_a_message_that_was_not_remembered_is_fresh_again() -> None:
    ledger, batch = Receipts(Kept()), messages(1, 1)

    assert ledger.deduplicate(batch).fresh == batch
    assert ledger.due(batch) == []
    assert ledger.deduplicate(batch).fresh == batch


def test_what_is_committed_is_receipted_again_but_not_fresh() -> None:
    ledger, batch = Receipts(Kept()), messages(1, 1)
    ledger.remember(ledger.deduplicate(batch).fresh)

    assert ledger.deduplicate(batch) == Deduplicated([], batch, [])
    assert ledger.due(batch) == [DueReceipt(BOX, "s-1", ((1, batch[0].digest),))]


def test_a_copy_within_one_batch_is_handed_over_once() -> None:
    batch = messages(1, 1)

    assert Receipts(Kept()).deduplicate(batch + batch) == Deduplicated(batch, batch, [])


def test_another_message_under_a_number_is_a_conflict_and_its_receipt_proves_the_first() -> None:
    ledger, (first,), (other,) = Receipts(Kept()), messages(1, 1), messages(2, 1)

    assert ledger.deduplicate([first, other]) == Deduplicated([first], [], [other])
    ledger.remember([first])
    assert ledger.deduplicate([other]) == Deduplicated([], [], [other])
    ledger.remember([other])
    assert not ledger.has(other)
    assert ledger.due([other]) == [DueReceipt(BOX, "s-1", ((1, first.digest),))]


def test_after_a_restart_the_store_says_what_came_again_and_what_contradicts() -> None:
    (again,), (other,), (new,) = messages(1, 1), messages(2, 2), messages(3, 3)
    kept = Kept({1: again.digest, **of(2)})
    ledger = Receipts(kept)

    assert ledger.deduplicate([again, other, new, new]) == Deduplicated([new], [again, new], [other])
    ledger.remember([new])
    assert ledger.due([again, other, new]) == [
        DueReceipt(BOX, "s-1", ((1, again.digest), (2, of(2)[2]), (3, new.digest)))
    ]
    assert kept.asked == [(1, 2)], "one question for neighbours"


def test_what_is_committed_but_no_longer_known_is_handed_over_once_more() -> None:
    ledger, batch = Receipts(Kept(forgotten={1})), messages(1, 1)

    assert ledger.deduplicate(batch).fresh == batch
    assert ledger.due(batch) == []
    ledger.remember(batch)
    assert ledger.due(batch) == [DueReceipt(BOX, "s-1", ((1, batch[0].digest),))]


def test_a_receipt_names_only_what_came() -> None:
    ledger, batch = Receipts(Kept(of(1, 2, 3))), messages(4, 4)
    ledger.remember(ledger.deduplicate(batch).fresh)

    assert ledger.due(batch) == [DueReceipt(BOX, "s-1", ((4, batch[0].digest),))]


def test_hello_is_answered_with_all_that_is_committed_of_what_the_box_holds_and_with_the_newest() -> None:
    ledger = Receipts(Kept(of(1, 2, 3, 7, 8, 9)))

    assert ledger.due([hello(2, 8)]) == [DueReceipt(BOX, "s-1", tuple(of(2, 3, 7, 8).items()), newest=9)]
    assert ledger.due([hello(None, None)]) == [DueReceipt(BOX, "s-1", (), newest=9)]
    assert ledger.due([hello(20, 30)]) == [DueReceipt(BOX, "s-1", (), newest=9)]
    assert ledger.due([hello(1, 1, "s-2")]) == [DueReceipt(BOX, "s-2", (), newest=0)]


def test_without_a_store_hello_is_answered_with_what_came_lately() -> None:
    ledger, batch = Receipts(Kept()), [*messages(1, 1), *messages(2, 2)]
    ledger.remember(ledger.deduplicate(batch).fresh)

    assert ledger.due([hello(2, 9)]) == [DueReceipt(BOX, "s-1", ((2, batch[1].digest),), newest=2)]


def test_many_numbers_are_told_in_several_receipts_and_at_most_ten_thousand_to_one_hello() -> None:
    ledger = Receipts(Kept(of(*range(0, 22_000, 2))))

    due = ledger.due([hello(0, 100_000)])

    assert [len(one.committed) for one in due] == [500] * 20
    assert [one.newest for one in due] == [21_998] + [None] * 19


def test_a_box_that_says_hello_again_and_again_gets_a_short_answer() -> None:
    now_s = [100.0]
    ledger = Receipts(Kept(of(1, 2)), lambda: now_s[0])

    assert len(ledger.due([hello(1, 2)])[0].committed) == 2
    now_s[0] += 1
    assert ledger.due([hello(1, 2)]) == [DueReceipt(BOX, "s-1", (), newest=2)]
    now_s[0] += 10
    assert len(ledger.due([hello(1, 2)])[0].committed) == 2


def test_the_numbers_of_one_box_say_nothing_about_another() -> None:
    ledger, batch = Receipts(Kept()), messages(1, 1)
    ledger.remember(ledger.deduplicate(batch).fresh)
    thief = [replace(message, device="south-01") for message in batch]

    assert ledger.deduplicate(thief).fresh == thief


def test_a_picture_comes_with_the_event_that_refers_to_it() -> None:
    ledger = Receipts(Kept())
    event, picture = ledger.deduplicate(messages(1, 1, picture=True)).fresh

    assert picture.event == event.event
    assert picture.event is not None
    assert picture.event.image is not None
    assert picture.image_sha256 == picture.event.image.sha256


def test_a_picture_before_its_event_is_handed_over_without_one() -> None:
    ledger, (event, picture) = Receipts(Kept()), messages(1, 1, picture=True)

    assert ledger.deduplicate([picture]).fresh[0].event is None
    assert ledger.deduplicate([event, picture]).fresh[1].event == event.event


def test_a_picture_that_comes_once_more_has_its_newest_event_though_that_is_read_no_longer() -> None:
    ledger = Receipts(Kept())
    event, picture = messages(1, 1, picture=True)
    later, again = messages(1, 7, picture=True)
    ledger.remember(ledger.deduplicate([event, picture]).fresh)
    (repeated,) = ledger.deduplicate([again]).fresh
    ledger.remember(ledger.deduplicate([later]).fresh)
    (newest,) = ledger.deduplicate([replace(again, seq=9)]).fresh

    assert (repeated.event, newest.event) == (event.event, later.event)
    assert event.event != later.event  # not the same number


@pytest.mark.parametrize("picture_comes", [True, False])
def test_however_many_events_wait_for_pictures_collections_of_garbage_go_through_few_of_them(
    picture_comes: bool,
) -> None:
    """Through all it would be 0.1 s every other second of a backlog."""
    ledger = Receipts(Kept())

    def take_in(first: int) -> int:
        for number in range(first, first + 500):
            both = messages(number, 2 * number, picture=True)
            ledger.remember(ledger.deduplicate(both if picture_comes else both[:1]).fresh)
        gc.collect()
        return len(gc.get_objects())

    take_in(1)
    before = take_in(501)
    assert take_in(1001) - before < 100


def test_a_picture_that_comes_long_after_its_event_is_handed_over_with_it() -> None:
    ledger = Receipts(Kept())
    event, picture = messages(1, 1, picture=True)
    ledger.deduplicate([event])
    for number in range(2, 1_000):
        ledger.deduplicate(messages(number, 2 * number, picture=True)[:1])

    assert ledger.deduplicate([picture]).fresh[0].event == event.event


def test_of_an_event_that_a_box_has_filled_up_no_byte_is_remembered_once_its_picture_has_come() -> None:
    """5,000 of 64 kB would be 320 MB."""
    ledger = Receipts(Kept())
    event, picture = messages(1, 1, picture=True)
    user = {"stream": "s-1", "seq": "1"}
    filled = read(BASE + event.suffix, event.raw[:-1] + b" " * 60_000 + b"}", user)
    assert filled.problem is None

    handed_over, with_it = ledger.deduplicate([filled, picture]).fresh
    later = ledger.deduplicate([replace(picture, seq=9)]).fresh[0]

    assert (handed_over.event, with_it.event) == (filled.event, filled.event)
    assert later.event is None


def test_a_picture_without_a_number_is_receipted_by_its_hash_once_the_stream_is_known() -> None:
    ledger, (event, picture) = Receipts(Kept()), messages(1, 1, picture=True, properties=False)
    ledger.remember(ledger.deduplicate([picture]).fresh)

    assert ledger.due([picture]) == []
    ledger.remember(ledger.deduplicate([event]).fresh)
    assert ledger.due([event]) == [DueReceipt(BOX, "s-1", ((1, event.digest),), (picture.image_sha256 or "",))]
    assert ledger.deduplicate([picture]).fresh == []
    assert ledger.due([picture]) == [DueReceipt(BOX, "s-1", (), (picture.image_sha256 or "",))]


def test_an_old_will_that_comes_late_is_not_news() -> None:
    ledger = Receipts(Kept())

    assert len(ledger.deduplicate([status("online", "life-2")]).fresh) == 1
    assert ledger.deduplicate([status("offline", "life-1")]).fresh == []
    assert len(ledger.deduplicate([status("offline", "life-2")]).fresh) == 1
    assert len(ledger.deduplicate([status("online", "life-3")]).fresh) == 1
