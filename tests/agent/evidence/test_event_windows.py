"""agent.evidence.event_windows: what is recorded around events."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Event, EventKind, Instant, Phase, Severity
from agent.evidence.event_windows import EventWindows, PreRoll, forget, update
from agent.evidence.fragment import Fragment
from agent.evidence.settings import RecordSettings

SETTINGS = RecordSettings(mode="events", pre_roll_s=10, post_roll_s=20, max_event_s=60)


def event(name: str, phase: Phase, at_s: float) -> Event:
    at = Instant(at_s, at_s)
    return Event(name, 1, EventKind.LINE_CROSSED, phase, Severity.INFO, at, "rule", "line", at)


def fragment(at_s: float, duration_s: float = 2.0, key: bool = True, size: int = 1000) -> Fragment:
    return Fragment(
        "north",
        "run",
        "media",
        Instant(at_s, at_s),
        duration_s,
        key,
        "h264",
        64,
        64,
        bytes(size),
        recorded="as it came",
        mask_sha256=None,
        clock="ntp",
    )


def wanted(windows: EventWindows, upto: int = 400) -> list[int]:
    return [at for at in range(upto) if windows.wanted(at, at, SETTINGS)]


def test_an_event_is_recorded_from_before_it_to_after_it() -> None:
    windows = update(EventWindows(), [event("a", Phase.START, 100)], SETTINGS)
    assert wanted(windows, 130) == list(range(90, 130))
    windows = update(windows, [event("a", Phase.UPDATE, 110), event("a", Phase.END, 120)], SETTINGS)
    assert wanted(windows) == list(range(90, 141))


def test_of_a_long_event_the_middle_is_left_out() -> None:
    windows = update(EventWindows(), [event("a", Phase.START, 100)], SETTINGS)
    assert wanted(windows) == list(range(90, 161))
    windows = update(windows, [event("a", Phase.END, 300)], SETTINGS)
    assert wanted(windows) == [*range(90, 181), *range(290, 321)]


def test_events_beside_each_other_are_recorded_all() -> None:
    windows = update(EventWindows(), [event("a", Phase.START, 100), event("b", Phase.START, 130)], SETTINGS)
    windows = update(windows, [event("a", Phase.END, 105), event("b", Phase.END, 140)], SETTINGS)
    assert wanted(windows) == list(range(90, 161))
    assert wanted(forget(windows, 400)) == []


def test_what_is_over_when_it_is_told_is_recorded_too() -> None:
    windows = update(EventWindows(), [event("a", Phase.END, 100)], SETTINGS)
    assert wanted(windows) == list(range(90, 121))


def test_what_waits_is_taken_from_the_key_picture_before() -> None:
    pre_roll = PreRoll(10)
    for number in range(8):
        pre_roll.add(fragment(90 + 2 * number, key=number % 2 == 0))
    windows = update(EventWindows(), [event("a", Phase.START, 103)], SETTINGS)

    taken = list(pre_roll.taken(windows, SETTINGS))

    assert [each.start.mono_s for each in taken] == [90 + 2 * number for number in range(8)]
    assert list(pre_roll.taken(windows, SETTINGS)) == []
    pre_roll.add(fragment(106))
    assert [each.start.mono_s for each in pre_roll.taken(windows, SETTINGS)] == [106]


def test_what_waits_is_few_pieces_however_small_they_are() -> None:
    pre_roll = PreRoll(10)
    for _ in range(50_000):
        pre_roll.add(fragment(90, duration_s=0.0, size=16))
    windows = update(EventWindows(), [event("a", Phase.END, 90)], SETTINGS)
    assert 60 < len(list(pre_roll.taken(windows, SETTINGS))) < 10_000
    assert pre_roll.bytes == 0


@given(st.lists(st.tuples(st.floats(0.2, 4), st.integers(1, 200_000)), max_size=60))
def test_what_waits_is_bounded_in_bytes_and_time(pieces: list[tuple[float, int]]) -> None:
    pre_roll, at_s = PreRoll(5, max_bytes=500_000), 0.0
    for duration_s, size in pieces:
        pre_roll.add(replace(fragment(at_s, duration_s), data=bytes(size)))
        at_s += duration_s
        assert pre_roll.bytes <= 500_000
    everything = update(
        EventWindows(), [event("a", Phase.END, at_s)], RecordSettings(pre_roll_s=60, post_roll_s=60)
    )
    taken = list(pre_roll.taken(everything, SETTINGS))
    assert sum(each.duration_s for each in taken) <= 5 + 10 + 8
    assert sum(len(each.data) for each in taken) <= 500_000
