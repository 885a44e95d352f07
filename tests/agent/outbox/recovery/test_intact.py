"""agent.outbox.recovery.intact"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from agent.outbox import database
from agent.outbox.recovery.intact import IntactFile
from agent.outbox.store import OutboxStore
from tests.conftest import SteppedClock
from tests.support.outboxes import by_hand, end, message, proofs, start


def test_it_tells_what_waits_what_is_open_and_what_the_file_says_of_itself(
    tmp_path: Path, clock: SteppedClock
) -> None:
    path = tmp_path / "outbox.db"
    with closing(database.connect(path, clock.now(), 0, ("before", 3, b"x" * 32))) as db:
        store = OutboxStore(db, clock.now())
        store.put([[start("a"), start("b"), end("b", 2), message("c")]], clock.now(), 1 << 20, None)
        store.set_apart(4, "why")
        store.forget(proofs(db, (1, 1)))
        stream = store.stream
    with closing(IntactFile(path)) as file:
        life = file.life()
        assert (life.stream, life.newest, life.seal) == (stream, 4, ("before", 3, b"x" * 32))
        assert file.search() == 3
        assert [event.event_id for event in file.open_events] == ["a"]
        assert [(each.seq, each.message.event_id, each.reason) for each in file.messages()] == [
            (2, "b", None),
            (3, "b", None),
            (4, "c", "why"),
        ]


def test_what_is_not_as_it_was_put_is_left_out(tmp_path: Path, clock: SteppedClock) -> None:
    path = tmp_path / "outbox.db"
    with closing(database.connect(path, clock.now(), 0, None)) as db:
        OutboxStore(db, clock.now()).put([[start("a"), start("b")]], clock.now(), 1 << 20, None)
    by_hand(path, "update message set body = x'00' where seq = 1")
    with closing(IntactFile(path)) as file:
        assert [each.seq for each in file.messages()] == [2]
