"""agent.mqtt.scheduler"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.mqtt.data_cap import DAY_S
from agent.outbox.degraded import AGAIN_S
from agent.outbox.recovery.pages import PAGE
from agent.outbox.seals import SEAL_AFTER_S
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.payloads import HelloPayload
from tests.agent.mqtt.test_forwarder import Box, Notes, client, event, open_box, picture, station
from tests.support.brokers import Mosquitto, until
from tests.support.outboxes import by_hand, refusing

__all__ = ["open_box"]

pytestmark = pytest.mark.broker


@dataclass
class Ahead:
    """The machine's clock, so many seconds ahead."""

    seconds: float = 0.0
    real: SystemClock = field(default_factory=SystemClock)

    def now(self) -> Instant:
        now = self.real.now()
        return Instant(now.mono_s + self.seconds, now.wall_s + self.seconds)


@pytest.mark.parametrize("trusted", [True, False])
def test_pictures_beyond_the_day_s_bytes_wait_for_the_next_day_and_events_never(
    mosquitto: Mosquitto, open_box: Callable[..., Box], trusted: bool
) -> None:
    notes, clock = Notes(), Ahead()
    box = open_box(mosquitto.port, clock=clock, trusted=trusted, daily={"images_bytes": 20_000})
    box.outbox.put([picture(n) for n in range(20)])
    with station(box, notes):
        until(lambda: box.forwarder.figures().wait_for_tomorrow == ("image",))
        box.outbox.put([event(f"e{n}") for n in range(50)])
        until(lambda: sum(a.kind == "event" for a in notes.arrivals) == 50)
        pictures = sum(a.kind == "image" for a in notes.arrivals)
        assert 6 <= pictures <= 8, "the last one may go beyond"
        assert box.forwarder.figures().sent_today_bytes["image"] >= 20_000
        clock.seconds += DAY_S
        until(lambda: sum(a.kind == "image" for a in notes.arrivals) >= 2 * pictures - 1)
        assert sum(a.kind == "image" for a in notes.arrivals) < 20


def test_a_restart_gives_no_second_budget(mosquitto: Mosquitto, open_box: Callable[..., Box]) -> None:
    box, notes = open_box(mosquitto.port, daily={"images_bytes": 20_000}), Notes()
    box.outbox.put([picture(n) for n in range(20)])
    with station(box, notes):
        until(lambda: box.forwarder.figures().wait_for_tomorrow)
        until(lambda: box.forwarder.figures().in_flight == 0)
        pictures = sum(a.kind == "image" for a in notes.arrivals)
        box.restart_forwarder()
        box.outbox.put([event("e")])
        until(lambda: any(a.kind == "event" for a in notes.arrivals))
        assert box.forwarder.figures().wait_for_tomorrow == ("image",)
        assert sum(a.kind == "image" for a in notes.arrivals) == pictures


def test_what_was_on_its_way_when_the_file_broke_comes_in_the_new_stream(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(mosquitto.port), Notes(failing=True)
    box.outbox.put([event(f"e{n}") for n in range(30)])
    with station(box, notes), client(mosquitto.port, box.topics.of(MessageKind.HELLO)) as (_, seen):
        until(lambda: notes.refused)
        before = box.outbox.stream
        break_the_index(box.file)
        box.outbox.verify()
        assert box.outbox.stream != before
        box.outbox.put([event("new")])
        notes.failing = False
        until(lambda: box.pending() == 0)
        until(lambda: any(json.loads(message.payload)["stream"] == box.outbox.stream for message in seen))
    assert {a.stream for a in notes.arrivals if a.seq} <= {before, box.outbox.stream}
    assert ids(notes) == {f"e{n}" for n in range(30)} | {"new"}


def test_while_the_disk_takes_nothing_events_still_reach_the_station(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    """Promise P19."""
    notes, clock = Notes(), Ahead()
    box = open_box(mosquitto.port, clock=clock)
    with station(box, notes):
        box.outbox.put([event("before")])
        until(lambda: box.pending() == 0)
        with refusing(box.file):
            box.outbox.put([event(f"e{n}") for n in range(30)])
            assert box.outbox.condition().in_memory
            until(lambda: len(ids(notes)) == 31)
    box.outbox.put([event(f"away{n}") for n in range(30)])
    clock.seconds += AGAIN_S
    until(lambda: box.outbox.condition().in_memory is None)
    with station(box, notes):
        until(lambda: len(ids(notes)) == 61)
        until(lambda: box.pending() == 0)


def test_hello_names_the_newest_seal(mosquitto: Mosquitto, open_box: Callable[..., Box]) -> None:
    notes, clock = Notes(), Ahead()
    box = open_box(mosquitto.port, clock=clock)
    box.outbox.put([event("e")])
    with station(box, notes), client(mosquitto.port, box.topics.of(MessageKind.HELLO)) as (_, seen):
        until(lambda: box.pending() == 0)
        clock.seconds += SEAL_AFTER_S
        box.restart_forwarder()
        until(lambda: box.outbox.head() is not None)
    with client(mosquitto.port, box.topics.of(MessageKind.HELLO)) as (_, seen), station(box, notes):
        until(lambda: seen and codec.parse(HelloPayload, seen[-1].payload).seal is not None)
        place = codec.parse(HelloPayload, seen[-1].payload).seal
    assert place is not None
    assert (place.stream, place.number, place.sha256) == box.outbox.head()


def break_the_index(file: Path) -> None:
    """Damage by which no message is harmed."""
    by_hand(file, "pragma wal_checkpoint(truncate)")
    with closing(sqlite3.connect(file)) as db:
        (page,) = db.execute("select rootpage from sqlite_schema where name = 'message_by_class'").fetchone()
    with file.open("r+b") as raw:
        raw.seek((page - 1) * PAGE)
        raw.write(bytes(PAGE))


def ids(notes: Notes) -> set[str]:
    """Of the events that were committed, however often."""
    return {json.loads(a.raw)["id"] for a in notes.arrivals if a.kind == "event"}
