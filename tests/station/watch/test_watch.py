"""station.watch.watch"""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.core.types import Phase
from agent.errors import NgatuError
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage
from station.watch.watch import REMEMBERED, SeenEvents, Watch
from tests.station.ingest.test_receipts import messages
from tests.station.watch.test_screen import changed
from tests.support.disks import small_disk


class Shown:
    """A screen that keeps what it is shown, or whose reader is gone."""

    def __init__(self, gone: bool = False, broken: bool = False) -> None:
        self.shown: list[InboundMessage] = []
        self.alarms: list[list[str]] = []
        self._gone, self._broken = gone, broken

    def show(self, arrival: InboundMessage) -> None:
        if self._gone:
            raise BrokenPipeError
        if self._broken:
            raise OverflowError("date value out of range")
        self.shown.append(arrival)

    def show_alarms(self, alarms: Sequence[str]) -> None:
        self.alarms.append(list(alarms))

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_a_reader_that_is_gone_ends_the_watch_and_fails_no_commit(tmp_path: Path) -> None:
    stopped: list[bool] = []
    watch = Watch(tmp_path)
    watch.begin(Shown(gone=True), lambda: stopped.append(True), None)

    watch.commit(messages(1, 1, picture=True))

    assert stopped == [True]
    (saved,) = tmp_path.glob("north-01/north/*")
    assert saved.name.endswith("_north_thumbnail_e-1.jpg")


def test_it_stops_after_so_many_events_not_messages() -> None:
    stopped: list[bool] = []
    watch, screen = Watch(None), Shown()
    watch.begin(screen, lambda: stopped.append(True), 2)
    (event,) = messages(1, 1)

    watch.commit([event, changed(event, revision=2)])
    assert stopped == []
    watch.commit(messages(2, 2))

    assert stopped == [True]
    assert len(screen.shown) == 3


def test_an_event_is_open_until_its_end(tmp_path: Path) -> None:
    watch = Watch(None)
    (event,) = messages(1, 1)

    watch.commit([event])
    assert watch.seen.open == 1
    watch.commit([changed(event, revision=2, phase=Phase.END)])

    assert watch.seen.open == 0
    assert watch.seen.events == watch.seen.alerts == 1


def test_a_picture_is_named_by_when_where_and_what_and_a_better_one_takes_its_place(tmp_path: Path) -> None:
    event, picture = messages(1, 1, picture=True)
    assert event.event is not None
    began = datetime(2026, 11, 27, 18, 3, 12, tzinfo=UTC)
    watch = Watch(tmp_path)

    for revision in (1, 2):  # a subscriber hands pictures over with their events
        of = event.event.model_copy(update={"start_time": began, "revision": revision})
        watch.commit([replace(picture, event=of)])

    (saved,) = tmp_path.rglob("*.jpg")
    named = f"{began.astimezone():%Y-%m-%d_%H%M%S%z}_north_line_crossed_thumbnail_e-1.jpg"
    assert saved == tmp_path / "north-01" / "north" / named


def test_what_cannot_be_shown_is_saved_and_counted_all_the_same(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.begin(Shown(broken=True), lambda: None, None)

    watch.commit(messages(1, 1, picture=True))

    (saved,) = tmp_path.glob("north-01/north/*")
    assert saved.name.endswith("_north_thumbnail_e-1.jpg")
    assert watch.seen.events == 1


def test_an_alarm_is_on_the_screen_until_it_is_over_and_logged_once() -> None:
    watch, screen = Watch(None), Shown()
    watch.begin(screen, lambda: None, None)

    with capture_logs() as lines:
        for _ in range(2):
            watch.raise_alarm(AlarmKind.RETAINED_FLOOD, ("hai-ninh", "north-01"), "camera/x/y")
        for _ in range(2):
            watch.close_alarm(AlarmKind.RETAINED_FLOOD, ("hai-ninh", "north-01"))

    meaning = AlarmKind.RETAINED_FLOOD.meaning
    assert screen.alarms == [[f"retained_flood hai-ninh/north-01: {meaning}; camera/x/y"], []]
    assert [line["event"] for line in lines] == ["alarm_opened", "alarm_closed"]


def test_a_folder_that_may_not_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for folder in (tmp_path / "file", tmp_path / "file" / "pictures"):
        with pytest.raises(NgatuError, match=f"--save {folder}: nothing can be written there") as refused:
            Watch(folder)
        assert refused.value.hint


def test_a_folder_that_takes_no_more_is_told_once_and_the_watching_goes_on(tmp_path: Path) -> None:
    watch, screen = Watch(tmp_path), Shown()
    watch.begin(screen, lambda: None, None)
    box = tmp_path / "north-01"

    with capture_logs() as logs:
        box.write_text("in the way")
        for number in range(1, 4):
            watch.commit(messages(number, number, picture=True))
        box.unlink()
        watch.commit(messages(4, 4, picture=True))
        watch.commit(messages(5, 5, picture=True))

    names = [each["event"] for each in logs if each["event"].startswith("pictures_")]
    assert names == ["pictures_not_saved", "pictures_saved_again"]
    assert watch.seen.unsaved == 3
    assert len(screen.shown) == 10
    assert screen.alarms == [[f"pictures are not saved into {tmp_path}: Not a directory"], []]
    assert len(list(box.glob("north/*.jpg"))) == 2


def test_a_full_disk_leaves_no_half_picture(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        watch = Watch(disk)
        (disk / "others").write_bytes(bytes(48 << 10))
        large = replace(messages(1, 1, picture=True)[-1], image=bytes(40 << 10))
        watch.commit([large])

        assert watch.seen.unsaved == 1
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["others"]


@pytest.mark.long
def test_its_memory_ends_somewhere_and_what_is_forgotten_is_only_counted() -> None:
    """It once kept every event for ever: some hundred bytes of each."""
    watch = Watch(None)
    (event,) = messages(1, 1)

    def sizes(numbers: range) -> int:
        tracemalloc.start()
        for number in numbers:
            watch.commit([changed(event, id=f"{number:036d}")])
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size

    sizes(range(12_000))
    grown_bytes = sizes(range(12_000, 30_000)) - sizes(range(30_000, 42_000))

    assert watch.seen.events == 42_000
    assert watch.seen.open == REMEMBERED
    assert abs(grown_bytes) < 500_000


def test_an_event_that_was_forgotten_counts_again_and_is_open_no_more() -> None:
    seen = SeenEvents(remembered=2)
    payloads = [message.event for number in range(1, 4) for message in messages(number, number)]
    first, second, third = (each for each in payloads if each is not None)

    for each in (first, second, first, third):  # the second is the one that is not heard of for longest
        seen.note("north-01", each)
    assert (seen.events, seen.alerts, seen.open) == (3, 3, 2)

    seen.note("north-01", second.model_copy(update={"revision": 2, "phase": Phase.END}))
    assert (seen.events, seen.open) == (4, 1)
