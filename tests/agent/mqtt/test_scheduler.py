"""agent.mqtt.scheduler"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.mqtt.data_cap import DAY_S
from agent.mqtt.live import Fate, LivePicture
from agent.outbox.degraded import AGAIN_S
from agent.outbox.recovery.pages import PAGE
from agent.outbox.seals import SEAL_AFTER_S
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.payloads import HelloPayload
from tests.support.brokers import Mosquitto, until
from tests.support.forwarders import Box, Notes, client, event, picture, station
from tests.support.outboxes import by_hand, refusing

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


def test_pictures_of_a_look_come_beside_those_of_events_and_hold_up_neither_these_nor_events(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    """As many of both wait as can; after three of a look one of an event has its turn."""
    box, notes = open_box(mosquitto.port), Notes()
    fates: list[Fate] = []
    looking = box.topics.of(MessageKind.LOOK, command_id="look-1", number="+")
    with station(box, notes), client(mosquitto.port, looking) as (_, seen):
        until(lambda: box.forwarder.figures().station_online)

        def another(fate: Fate | None = None) -> None:
            if fate is not None:
                fates.append(fate)
            if len(fates) < 40:
                number = len(fates) + 1
                now = box.clock.now()
                box.live.put(LivePicture("look-1", f"look/look-1/{number}", b"\xff\xd8", now, (), another))

        box.outbox.put([picture(n) for n in range(5)] + [event(f"e{n}") for n in range(20)])
        another()
        until(lambda: len(fates) >= 40)
        until(lambda: sum(a.kind == "event" for a in notes.arrivals) == 20)
        until(lambda: sum(a.kind == "image" for a in notes.arrivals) == 5)

        # The broker has answered for them before it hands the last of them on.
        until(lambda: len(seen) >= 40)

    assert fates == [Fate.SENT] * 40
    assert len(seen) == 40


def test_the_age_of_a_picture_is_that_of_the_moment_at_which_it_is_sent(
    mosquitto: Mosquitto, open_box: Callable[..., Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came while the disk gave out the events that go before it, which took four seconds."""
    notes, clock, fates = Notes(), Ahead(), list[Fate]()
    box = open_box(mosquitto.port, clock=clock)
    looking = box.topics.of(MessageKind.LOOK, command_id="look-1", number="+")
    with station(box, notes), client(mosquitto.port, looking):
        until(lambda: box.forwarder.figures().station_online)
        waiting = box.outbox.waiting

        def slowly(*asked: Any) -> Any:
            given = waiting(*asked)
            if given and not fates and not clock.seconds:
                now = clock.now()
                box.live.put(LivePicture("look-1", "look/look-1/1", b"\xff\xd8", now, (), fates.append))
                clock.seconds += 4.0
            return given

        monkeypatch.setattr(box.outbox, "waiting", slowly)
        box.outbox.put([event("e1")])
        until(lambda: fates)

    assert fates == [Fate.DROPPED]


def test_what_nobody_looks_at_is_told_as_such_and_no_trouble_of_the_box(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(mosquitto.port), Notes()
    fates: list[Fate] = []
    with station(box, notes):
        until(lambda: box.forwarder.figures().station_online)
        box.live.put(LivePicture("look-1", "look/look-1/1", b"\xff\xd8", box.clock.now(), (), fates.append))
        until(lambda: fates)
        assert box.forwarder.figures().trouble is None

    assert fates == [Fate.UNWANTED]


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
