"""station.audit.seals, in a store that a real outbox has filled"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import Carried
from station.audit.proof import StoreFault, Unsealed, findings, proof
from station.ingest.inbound import InboundMessage, read
from station.store.store import Store
from tests.conftest import SteppedClock
from tests.station.ingest.test_receipts import AT, BASE, BOX, messages
from tests.support.fake_box import an_event
from tests.support.stores import Place


@dataclass
class Sealed:
    """A store with everything that a box has sent, seals included, and its hello."""

    place: Place
    store: Store
    messages: dict[int, InboundMessage]
    hello: InboundMessage

    def found(self) -> list[tuple[StoreFault, int | None, int | None]]:
        every = findings(self.place.engine, self.place.folder / "blobs")
        return [(one.fault, one.seq, one.seal) for one in every]

    def unsealed(self) -> list[tuple[int, int]]:
        every = proof(self.place.engine, self.place.folder / "blobs")
        return [seqs for one in every if isinstance(one, Unsealed) for seqs in one.seqs]

    def seals(self) -> list[int]:
        return [seq for seq, arrival in self.messages.items() if arrival.suffix == codec.CHAIN]


def from_outbox(folder: Path, events: int) -> tuple[dict[int, InboundMessage], InboundMessage]:
    """What a real box sends, in the order of its numbers, and its hello afterwards."""
    clock = SteppedClock(AT)
    box = Outbox(folder / "outbox.db", OutboxSettings(ballast_bytes=0), clock)
    sender = Sender(*BOX, "north", "boot-1")
    for number in range(events):
        box.put(event_messages(an_event(number, picture=number % 10 == 0), sender))
    clock.advance(1000)
    box.tend()
    stored = sorted(box.waiting(10 * events, clock.now()), key=lambda each: each.seq)
    oldest = newest = stored[-1].seq
    hello = codec.hello("life-1", box.stream, oldest, newest, clock.now(), box.head())
    sent = {each.seq: arrived(each, box.stream) for each in stored}
    box.close()
    return sent, read(BASE + "hello", hello, {})


def arrived(stored: Stored, stream: str) -> InboundMessage:
    return read(BASE + stored.message.topic, codec.finish(stored, stream, AT), codec.properties(stored, stream))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, InboundMessage], InboundMessage]:
    return from_outbox(tmp_path_factory.mktemp("box"), 100)


@pytest.fixture
def sealed(place: Place, box: tuple[dict[int, InboundMessage], InboundMessage]) -> Iterator[Sealed]:
    sent, hello = box
    with closing(place.open(gap_after_s=0)) as store:
        store.commit(list(sent.values()))
        store.commit([hello])
        yield Sealed(place, store, sent, hello)


def forge(place: Place, seq: int) -> None:
    """Alter an event and every hash of it that the station has written down."""
    (body,) = place.rows(f"select body from event_revision where seq = {seq}")[0]
    forged = body.replace("motorcycle", "pedestrian")
    assert forged != body
    digest = sha256(codec.body(forged.encode())).hexdigest()
    with place.engine.begin() as connection:
        values = {"body": forged, "digest": digest, "seq": seq}
        connection.execute(
            text("update event_revision set body = :body, digest = :digest where seq = :seq"), values
        )
        connection.execute(text("update message set digest = :digest where seq = :seq"), values)


def erase(place: Place, seq: int) -> None:
    """Remove a message and that it was ever committed."""
    highest = place.rows("select max(last) from span")[0][0]
    with place.engine.begin() as connection:
        connection.execute(text(f"delete from message where seq = {seq}"))
        connection.execute(text(f"update span set last = {seq - 1} where first < {seq} and last >= {seq}"))
        if seq < highest:
            connection.execute(text(f"insert into span values (1, {seq + 1}, {highest})"))


def test_what_a_box_has_sealed_and_nobody_touched_is_as_it_came(sealed: Sealed) -> None:
    assert len(sealed.seals()) == 3
    assert sealed.found() == []
    # What one seal is, only the next one lists.
    assert sealed.unsealed() == [(max(sealed.seals()), max(sealed.seals()))]


def test_what_was_forged_with_all_its_hashes_is_found_by_its_seal(sealed: Sealed) -> None:
    events = [seq for seq, arrival in sealed.messages.items() if arrival.event is not None]
    victims = sorted(random.Random(3).sample(events[:-2], 8))
    for seq in victims:
        forge(sealed.place, seq)

    assert sealed.found() == [(StoreFault.ALTERED, seq, None) for seq in victims]


def test_what_was_erased_with_every_trace_is_found_by_its_seal(sealed: Sealed) -> None:
    victims = [7, 30, 61]
    for seq in victims:
        erase(sealed.place, seq)

    assert sealed.found() == [(StoreFault.MISSING, seq, None) for seq in victims]


def test_an_altered_seal_is_found_and_nothing_else_is_accused(sealed: Sealed) -> None:
    seal = sealed.seals()[0]
    sealed.place.do(f"update other_message set body = replace(body, '[', '[ ') where seq = {seal}")

    assert (StoreFault.ALTERED, seal) in [(fault, seq) for fault, seq, _ in sealed.found()]
    assert {fault for fault, _, _ in sealed.found()} <= {StoreFault.ALTERED, StoreFault.UNPROVEN}


def test_what_no_seal_lists_is_told_and_accused_of_nothing(sealed: Sealed) -> None:
    """Without the last seal nobody can say of what it lists whether it is as it came."""
    last = sealed.seals()[-1]
    erase(sealed.place, last)
    event = max(seq for seq, arrival in sealed.messages.items() if arrival.event is not None and seq < last)
    forge(sealed.place, event)

    assert sealed.found() == []
    ((first, end),) = sealed.unsealed()
    assert first <= sealed.seals()[1] < event <= end == last - 1


def test_a_forged_fork_cannot_hide_an_altered_event_without_a_word(sealed: Sealed) -> None:
    """Who holds the station adds a seal that says that the numbers were given twice, and a branch that ends."""
    victim = max(seq for seq, arrival in sealed.messages.items() if arrival.event is not None)
    forge(sealed.place, victim)
    assert sealed.found() == [(StoreFault.ALTERED, victim, None)]

    name = sealed.messages[1].stream
    assert name is not None
    branch = seal_message(1, codec.seal(name, 1, None, [(1, "0" * 64)], [], AT), name)
    forked = Carried(stream=name, newest=max(sealed.messages), seqs=(), forked=True)
    with sealed.place.engine.begin() as connection:
        connection.execute(
            text(
                "insert into conflict (box_id, key_kind, key, kept_digest, digest, suffix, body, received_ms)"
                " values (1, 'seq', :key, '', '', :suffix, :body, 0)"
            ),
            {"key": f"{name}/1", "suffix": codec.CHAIN, "body": branch.raw},
        )
    sealed.store.commit([seal_message(1, codec.seal("s-2", 1, None, [], [], AT, forked))])

    assert victim not in [seq for _, seq, _ in sealed.found()]
    assert any(first <= victim <= last for first, last in sealed.unsealed())


def test_an_end_that_was_cut_off_is_found_by_the_head_that_the_box_told(sealed: Sealed) -> None:
    last = max(sealed.messages)
    assert sealed.seals()[-1] == last
    erase(sealed.place, last)
    assert sealed.found() == [], "the box says that it still holds it: nothing that it lists is accused"
    sealed.place.do(f"update stream set oldest = {last + 1}, newest = {last - 1}")

    assert (StoreFault.MISSING, None, 3) in sealed.found()


def test_another_head_of_the_same_seal_is_told(sealed: Sealed) -> None:
    raw = re.sub(rb'"sha256":"[0-9a-f]{64}"', b'"sha256":"%s"' % (b"0" * 64), sealed.hello.raw)
    forged = read(BASE + "hello", raw, {})
    with capture_logs() as lines:
        sealed.store.commit([sealed.hello, forged])

    assert [line["event"] for line in lines] == ["seal_contradicts"]


def seal_message(seq: int, body: bytes, stream: str = "s-2") -> InboundMessage:
    message = Message(codec.CHAIN, body, codec.JSON, Priority.COUNT, AT)
    stored = Stored(seq, message, sha256(body).hexdigest(), AT)
    return read(BASE + codec.CHAIN, codec.finish(stored, stream, AT), {})


def test_what_the_box_gave_up_or_carried_into_a_later_stream_is_a_gap_that_is_gone(sqlite_place: Place) -> None:
    dropped = codec.seal("s-1", 1, None, [], [(2, 3)], AT)
    carried = codec.seal("s-2", 1, None, [], [], AT, Carried(stream="s-1", newest=9, seqs=((5, 6),)))
    with closing(sqlite_place.open(gap_after_s=0)) as store:
        store.commit([one for seq in (1, 4, 7, 9) for one in messages(seq, seq)])
        store.commit([seal_message(1, dropped), seal_message(2, carried)])
        for _ in range(2):
            store.attend()

    gaps = sqlite_place.rows("select first, last, state from gap order by first")
    assert gaps == [(2, 3, "gone"), (5, 6, "gone"), (8, 8, "open")]
    assert sqlite_place.rows("select first, reason from given_up order by first") == [
        (2, "dropped"),
        (5, "carried"),
    ]
