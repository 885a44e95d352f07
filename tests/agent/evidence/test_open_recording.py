"""agent.evidence.open_recording: when a segment ends, and why there is a hole before the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.types import Instant
from agent.evidence.fragment import Fragment, as_stored
from agent.evidence.listing.listed import GAP_S
from agent.evidence.open_recording import (
    MAX_SEGMENT_BYTES,
    MAX_SEGMENT_S,
    MAX_SEGMENT_SHARE,
    NOT_RUNNING,
    NOTHING_CAME,
    SEGMENT_S,
    SYNC_S,
    OpenRecording,
)
from agent.evidence.segment import Header, SegmentWriter, segment_name
from tests.support.footage import NOON_S, piece

LARGE_BYTES = 1 << 40


def at(seconds: float) -> Instant:
    return Instant(1000.0 + seconds, NOON_S + seconds)


def media(seconds: float, key: bool = True, size: int = 100) -> Fragment:
    return replace(piece("north", "run-1", "media", at(seconds), 2.0, bytes(size)), key=key)


@pytest.fixture
def track(tmp_path: Path) -> Iterator[OpenRecording]:
    """With a segment that was begun at 0 s, and its first piece."""
    writer = SegmentWriter(tmp_path / segment_name(1), Header("north", 1, "boot-1", "run-1"))
    writer.open()
    made = OpenRecording()
    made.begin(writer, 0.0, media(0.0))
    append(made, media(0.0))
    yield made
    writer.close()


def append(track: OpenRecording, fragment: Fragment) -> None:
    assert track.writer is not None
    track.writer.append(as_stored(fragment, fragment.data, 1, "boot-1", "of its init"), fragment.data)
    track.went_on(track.writer, fragment.end)


def test_the_first_segment_of_a_life_says_that_nobody_recorded_before() -> None:
    assert OpenRecording().before == NOT_RUNNING


def test_a_hole_has_each_reason_once_in_the_order_in_which_it_was_said(track: OpenRecording) -> None:
    for why in (NOTHING_CAME, "", "the disk was full", NOTHING_CAME):
        track.say(why)
    assert track.before == f"{NOTHING_CAME}; the disk was full"


def test_a_piece_that_comes_later_than_it_should_breaks_off_what_is_open(track: OpenRecording) -> None:
    assert not track.breaks_off(media(2.0 + GAP_S))
    assert track.breaks_off(media(2.0 + GAP_S + 0.01))
    assert not OpenRecording().breaks_off(media(1e6)), "nothing is open that it could follow"


def test_a_segment_ends_after_ten_seconds_where_a_player_can_begin(track: OpenRecording) -> None:
    assert not track.is_enough(media(SEGMENT_S - GAP_S - 0.01), 0.0, LARGE_BYTES)
    assert track.is_enough(media(SEGMENT_S), 0.0, LARGE_BYTES)
    assert not track.is_enough(media(SEGMENT_S, key=False), 0.0, LARGE_BYTES)


@pytest.mark.parametrize(
    ("now_s", "budget_bytes", "enough"),
    [
        (0.0, LARGE_BYTES, False),
        (MAX_SEGMENT_S, LARGE_BYTES, True),
        (0.0, 100_000 / MAX_SEGMENT_SHARE, True),
    ],
)
def test_it_ends_whatever_its_pictures_say_once_it_is_old_or_large(
    track: OpenRecording, now_s: float, budget_bytes: int, enough: bool
) -> None:
    append(track, media(2.0, size=100_000))
    assert MAX_SEGMENT_BYTES > 100_000
    assert track.is_enough(media(4.0, key=False), now_s, budget_bytes) is enough


def test_what_was_appended_is_on_disk_every_two_seconds(
    track: OpenRecording, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(SegmentWriter, "sync", lambda writer: synced.append(writer.size))
    for number in range(1, 9):
        append(track, piece("north", "run-1", "media", at(2 + number * 0.5), 0.5, b"x"))
    assert len(synced) == 4.0 // SYNC_S


def test_what_is_abandoned_is_finished_when_the_disk_works_again(track: OpenRecording) -> None:
    path = track.writer.path if track.writer else None
    track.abandon()
    assert (track.writer, track.stale) == (None, path)
    track.abandon()
    assert track.stale == path


@pytest.mark.parametrize(("moved_s", "was_set"), [(0.5, False), (-1.9, False), (5.0, True), (-5.0, True)])
def test_a_clock_that_was_set_is_noticed_where_a_segment_can_begin(
    track: OpenRecording, moved_s: float, was_set: bool
) -> None:
    after = media(2.0)
    after = replace(after, start=Instant(after.start.mono_s, after.start.wall_s + moved_s))
    assert track.clock_was_set(after) is was_set
    assert not track.clock_was_set(replace(after, key=False))
    assert not OpenRecording().clock_was_set(after)
