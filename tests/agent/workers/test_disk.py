"""agent.workers.disk"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Phase, Severity
from agent.outbox.degraded import AGAIN_S
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.message import Message, Priority
from agent.workers.disk import DiskMonitor
from tests.conftest import SteppedClock
from tests.support.brokers import until


class Place:
    """A box's outbox and what is told of it."""

    def __init__(self, path: Path, clock: SteppedClock) -> None:
        self.clock = clock
        self.outbox = Outbox(path, OutboxSettings(ballast_bytes=1 << 20), clock)
        self.reports: list[Event] = []
        self.storage = DiskMonitor(self.outbox, clock, Ids(bytes(32)), self.reports.extend)

    def put(self, body: bytes = b"{}") -> None:
        self.outbox.put([Message("t", body, "application/json", Priority.EVENT, self.clock.now())])

    def wait(self) -> None:
        self.clock.advance(AGAIN_S)
        self.outbox.tend()
        self.storage.tick()

    def kinds(self) -> list[tuple[EventKind | str, Phase]]:
        return [(event.kind, event.phase) for event in self.reports]


@pytest.fixture
def open_place(tmp_path: Path, clock: SteppedClock) -> Iterator[Callable[[], Place]]:
    places: list[Place] = []

    def start() -> Place:
        places.append(Place(tmp_path / "outbox.db", clock))
        return places[-1]

    yield start
    for place in places:
        place.outbox.close()


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """The bytes that are held back for a full disk are gone, and cannot be had again."""
    ballast = folder / "outbox.db.ballast"
    ballast.unlink()
    ballast.mkdir()
    yield
    ballast.rmdir()


def test_a_full_disk_is_one_event_and_its_end_another(open_place: Callable[[], Place], tmp_path: Path) -> None:
    place = open_place()
    place.storage.tick()
    assert place.reports == []
    with no_room(tmp_path):
        place.wait()
        for _ in range(3):
            place.storage.tick()
    place.wait()
    assert place.kinds() == [(EventKind.STORAGE_FULL, Phase.START), (EventKind.STORAGE_FULL, Phase.END)]
    first, second = place.reports
    assert (second.id, second.revision, second.detail) == (first.id, 2, "over after 10 s")


def test_a_disk_that_takes_nothing_is_told_and_so_is_its_return(
    open_place: Callable[[], Place], tmp_path: Path
) -> None:
    """Promise P19."""
    (tmp_path / "outbox.db").symlink_to(tmp_path / "gone" / "outbox.db")
    place = open_place()
    place.put()
    place.storage.tick()
    detail = place.reports[0].detail
    assert detail is not None
    assert detail.startswith("kept in memory only: ")
    (tmp_path / "gone").mkdir()
    place.wait()
    kind = EventKind.STORAGE_RAM_ONLY
    assert place.kinds() == [(kind, Phase.START), (kind, Phase.END)]


def test_a_damaged_file_is_told_with_what_became_of_it(open_place: Callable[[], Place], tmp_path: Path) -> None:
    """Promise P18."""
    place = open_place()
    place.put()
    place.outbox.close()
    with (tmp_path / "outbox.db").open("r+b") as file:
        file.write(b"nonsense")
    place = open_place()
    place.storage.tick()
    assert place.kinds() == [(EventKind.STORAGE_CORRUPT, Phase.END)]
    expected = (
        "1 messages saved, 0 spoiled, 0 pages unreadable; "
        "the file outbox.db.damaged.1 is erased, for all of it came again"
    )
    assert place.reports[0].detail == expected


def test_a_forked_file_is_an_alert_also_where_it_is_too_large_to_be_saved_at_once(
    open_place: Callable[[], Place],
) -> None:
    place = open_place()
    for _ in range(100):
        place.put(bytes(90_000))
    place.storage.start()
    place.outbox.acknowledge(place.outbox.stream, [], newest=9_000)

    def is_reported() -> bool:
        place.storage.tick()
        return bool(place.reports)

    until(is_reported)
    assert place.kinds() == [(EventKind.OUTBOX_FORKED, Phase.END)]
    (event,) = place.reports
    assert event.severity is Severity.ALERT
    assert event.detail is not None
    assert int(event.detail.split()[0]) > 100
    assert " messages go on under new numbers: the station has others under theirs;" in event.detail


def test_damage_of_a_large_file_is_looked_for_beside_the_work(
    open_place: Callable[[], Place], tmp_path: Path
) -> None:
    place = open_place()
    for _ in range(20):
        place.put()
    path = tmp_path / "outbox.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("pragma wal_checkpoint(truncate)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(path.stat().st_size - 4096))
    place.storage.start()
    until(lambda: place.outbox.stats().damaged == 1)
    place.put()


def test_what_is_open_ends_with_the_agent(open_place: Callable[[], Place], tmp_path: Path) -> None:
    place = open_place()
    with no_room(tmp_path):
        place.wait()
        place.storage.close()
    assert [event.end_reason for event in place.reports] == [None, EndReason.STOPPED]
