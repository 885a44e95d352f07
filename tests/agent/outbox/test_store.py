"""agent.outbox.store"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.outbox import database
from agent.outbox.seals import SEAL_AFTER_S, SEAL_EVERY
from agent.outbox.store import LIVE_S, OutboxStore
from agent.outbox.transaction import cost_bytes
from agent.wire import codec
from agent.wire.message import Priority
from agent.wire.payloads import ChainBody
from tests.conftest import SteppedClock
from tests.support.outboxes import by_hand, end, message, proofs, start, update

MOST = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def opened(path: Path, clock: SteppedClock) -> Iterator[Callable[[], OutboxStore]]:
    stores: list[OutboxStore] = []

    def open_one() -> OutboxStore:
        stores.append(OutboxStore(database.connect(path, clock.now(), 0, None), clock.now()))
        return stores[-1]

    yield open_one
    for store in stores:
        store.db.close()


@pytest.fixture
def store(opened: Callable[[], OutboxStore]) -> OutboxStore:
    return opened()


def test_while_nothing_waits_the_database_is_not_asked_what_does(
    store: OutboxStore, clock: SteppedClock
) -> None:
    asked: list[str] = []
    store.db.set_trace_callback(asked.append)
    assert store.waiting(10, clock.now(), (), list(Priority)) == []
    assert asked == []
    store.put([[start("e2")]], clock.now(), MOST, None)

    assert [each.message.event_id for each in store.waiting(10, clock.now(), (), list(Priority))] == ["e2"]


def test_invariant_14_on_a_full_disk_pictures_make_room_for_each_other_and_for_events(
    store: OutboxStore, clock: SteppedClock
) -> None:
    def put(name: str, number: int, priority: Priority, bulk_bytes: int | None) -> None:
        messages = [message(f"{name}{n}", priority=priority, body=bytes(30_000)) for n in range(number)]
        store.put([messages], clock.now(), 256 << 20, bulk_bytes)

    put("p", 20, Priority.IMAGE, None)
    full = store.counters.cost_bytes
    put("q", 10, Priority.IMAGE, full)
    assert store.counters.cost_bytes <= full
    assert store.counters.dropped == {Priority.IMAGE: 10}
    put("e", 15, Priority.EVENT, full)
    assert store.counters.cost_bytes <= full
    assert store.counters.dropped[Priority.IMAGE] >= 25
    put("f", 15, Priority.EVENT, full)
    assert store.counters.dropped == {Priority.IMAGE: 30}, "the last picture is gone, and no event"
    assert store.counters.cost_bytes > full, "events have the ballast to themselves"


def test_the_sums_are_those_that_the_database_would_give(
    opened: Callable[[], OutboxStore], clock: SteppedClock
) -> None:
    store = opened()
    for n in range(30):
        store.put([[start(f"e{n}"), update(f"e{n}", 2)], [message(None)]], clock.now(), MOST, None)
    store.set_apart(3, "why")
    store.set_apart(3, "again")
    store.forget(proofs(store.db, (1, 2), (7, 9)))
    store.count_losses({Priority.EVENT: 2})

    assert opened().counters == store.counters


def test_what_fails_in_the_middle_leaves_everything_as_it_was(
    opened: Callable[[], OutboxStore], clock: SteppedClock
) -> None:
    store = opened()
    store.put([[start("e1"), update("e1", 2)]], clock.now(), MOST, None)
    before, fresh = store.counters, dict(store.fresh)
    spoilt = message("e2", body="text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.put([[update("e1", 3), end("e1", 4), message("e3"), spoilt]], clock.now(), MOST, None)

    assert (store.counters, store.fresh, store.ended) == (before, fresh, set())
    assert opened().counters == before


def test_a_hand_on_the_file_is_noticed_and_counted(store: OutboxStore, path: Path, clock: SteppedClock) -> None:
    store.put([[message("e1"), message("e2")]], clock.now(), MOST, None)
    assert not store.changed_by_hand()
    by_hand(path, "delete from message where seq = 1")
    assert store.changed_by_hand()
    store.count_again()

    assert not store.changed_by_hand()
    assert store.counters.pending == 1


def test_only_what_was_put_in_the_last_minute_is_live(store: OutboxStore, clock: SteppedClock) -> None:
    for _ in range(3):
        store.put([[message(None)]], clock.now(), MOST, None)
        clock.advance(LIVE_S / 2)

    assert store.live(clock.now()) == 2
    store.leave_behind()
    assert store.live(clock.now()) == 4


def test_a_seal_is_due_when_something_other_than_a_seal_has_waited_for_it(
    store: OutboxStore, clock: SteppedClock
) -> None:
    clock.advance(SEAL_AFTER_S)
    assert not store.seal_due(clock.now())
    store.put([[message("e")]], clock.now(), MOST, None)
    clock.advance(SEAL_AFTER_S - 1)
    assert not store.seal_due(clock.now())
    clock.advance(1)
    assert store.seal_due(clock.now())
    store.seal(clock.now(), MOST)
    clock.advance(10 * SEAL_AFTER_S)

    assert not store.seal_due(clock.now()), "a seal alone needs none"
    assert store.counters.seal is not None


def test_what_waited_for_a_seal_at_the_start_gets_one(
    opened: Callable[[], OutboxStore], clock: SteppedClock
) -> None:
    opened().put([[message("e")]], clock.now(), MOST, None)
    again = opened()
    clock.advance(SEAL_AFTER_S)

    assert again.seal_due(clock.now())


def test_a_seal_that_came_by_itself_begins_the_waiting_anew(store: OutboxStore, clock: SteppedClock) -> None:
    store.put([[message("first")]], clock.now(), MOST, None)
    clock.advance(SEAL_AFTER_S - 10)
    store.put([[message(None) for _ in range(SEAL_EVERY)]], clock.now(), MOST, None)
    assert store.counters.seal is not None
    clock.advance(10)
    assert not store.seal_due(clock.now()), "what the seal left over waits since a moment"
    clock.advance(SEAL_AFTER_S - 10)

    assert store.seal_due(clock.now())


def test_more_that_waits_for_a_seal_does_not_put_it_off(store: OutboxStore, clock: SteppedClock) -> None:
    for _ in range(4):
        store.put([[message(None)]], clock.now(), MOST, None)
        clock.advance(SEAL_AFTER_S / 4)

    assert store.seal_due(clock.now())


def test_only_the_row_that_was_given_out_is_never_changed(store: OutboxStore, clock: SteppedClock) -> None:
    store.put([[start("a"), update("a", 2), start("b"), update("b", 2)]], clock.now(), MOST, None)
    store.give(1)  # the start of a, not its update
    store.give(4)

    assert store.put([[update("a", 3), update("b", 3)]], clock.now(), MOST, None) == [[2, 5]]


def test_a_receipt_tells_how_many_it_removed(store: OutboxStore, clock: SteppedClock) -> None:
    store.put([[message("a"), message("b"), message("c")]], clock.now(), MOST, None)
    store.set_apart(2, "why")

    receipt = proofs(store.db, (1, 2))
    assert store.forget([*receipt, (3, "f" * 16)]) == (2, [3], ())
    assert store.forget(receipt) == (0, [], ())


def test_what_has_a_receipt_or_is_set_apart_is_never_changed_and_the_rest_may_be(
    store: OutboxStore, clock: SteppedClock
) -> None:
    store.put([[update("a", 2), update("b", 2), update("c", 2)]], clock.now(), MOST, None)
    store.forget(proofs(store.db, (1, 1)))
    store.set_apart(3, "why")

    assert store.put([[update("a", 3), update("b", 3), update("c", 3)]], clock.now(), MOST, None) == [[4, 2, 5]]


def test_a_seal_does_not_list_what_may_still_change(store: OutboxStore, clock: SteppedClock) -> None:
    """Invariant 13: an update that nobody was given may be taken over, also after the seal."""
    store.put([[start("a"), update("a", 2), message("b")]], clock.now(), MOST, None)
    store.seal(clock.now(), MOST)
    body = codec.parse(ChainBody, store.give(4).message.body)
    assert [seq for seq, _ in body.entries] == [1, 3]
    assert store.put([[update("a", 3)]], clock.now(), MOST, None) == [[2]]
    given = store.give(2)
    store.seal(clock.now(), MOST)

    body = codec.parse(ChainBody, store.give(5).message.body)
    assert (2, given.sha256) in body.entries


def test_what_ended_or_was_given_up_is_taken_over_by_nothing(store: OutboxStore, clock: SteppedClock) -> None:
    store.put([[start("a"), update("a", 2)]], clock.now(), MOST, None)
    assert store.put([[end("a", 3)]], clock.now(), MOST, None) == [[2]]
    assert store.put([[update("a", 4)]], clock.now(), MOST, None) == [[3]]
    store.put([[message("large", body=bytes(90_000))]], clock.now(), cost_bytes(90_000), None)
    assert store.counters.dropped[Priority.UPDATE] == 1
    assert store.put([[update("a", 5)]], clock.now(), MOST, None) == [[5]]

    assert store.give(5).message.revision == 5


def test_all_that_ended_is_remembered_not_only_the_last(store: OutboxStore, clock: SteppedClock) -> None:
    for event in ("a", "b"):
        store.put([[end(event, 2)]], clock.now(), MOST, None)

    assert store.ended == {"a", "b"}


def test_a_seal_that_is_alone_at_the_start_needs_none(
    opened: Callable[[], OutboxStore], clock: SteppedClock
) -> None:
    store = opened()
    store.put([[message("e")]], clock.now(), MOST, None)
    store.seal(clock.now(), MOST)
    again = opened()
    assert again.counters.unsealed == 1
    clock.advance(10 * SEAL_AFTER_S)

    assert not again.seal_due(clock.now())


def test_before_a_stream_ends_all_that_can_no_longer_change_is_sealed(
    store: OutboxStore, clock: SteppedClock
) -> None:
    store.put([[message("a")]], clock.now(), MOST, None)
    store.seal_everything(clock.now(), MOST)
    assert store.counters.seal is not None
    assert store.counters.seal[1] == 1
    store.put([[*(message(f"e{n}") for n in range(SEAL_EVERY - 5)), update("u", 2)]], clock.now(), MOST, None)
    store.seal_everything(clock.now(), MOST)
    store.seal_everything(clock.now(), MOST)

    assert store.counters.seal[1] == 2
    assert store.counters.unsealed == 2, "the newest seal, and the update that may still change"
