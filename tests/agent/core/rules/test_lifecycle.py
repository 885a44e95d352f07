"""agent.core.rules.lifecycle"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.ids import Ids
from agent.core.rules import lifecycle
from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.lifecycle import Fact, OpenEvents
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext
from agent.core.types import Box, EndReason, Event, Instant, Phase, Size

WINDOW = MotionRule(id="lasting", cooldown_s=10)
INSTANT = LineRule(id="instant", start=(0.0, 0.5), end=(1.0, 0.5), cooldown_s=10)
FREE = MotionRule(id="free")


def context(second: float) -> FrameContext:
    return FrameContext(Instant(second, second), Size(100, 100), RuleSettings())


def fact(rule: MotionRule | LineRule, about: str, second: float = 0.0, **more: object) -> Fact:
    return Fact(rule, about, Instant(second, second), region=Box(0, 0, 1, 1), **more)  # type: ignore[arg-type]


def play(frames: list[list[Fact]], step_s: float = 1.0) -> tuple[OpenEvents, list[Event]]:
    after, ids, events = OpenEvents(), Ids(b"0123456789abcdef"), []
    for number, facts in enumerate(frames):
        after, ids, new = lifecycle.update(after, facts, context(number * step_s), ids)
        events += new
    return after, events


def test_a_fact_starts_when_it_holds_and_ends_when_it_does_not() -> None:
    _, events = play([[fact(FREE, "a")], [fact(FREE, "a")], []])

    assert [(e.phase, e.revision, e.end_reason) for e in events] == [
        (Phase.START, 1, None),
        (Phase.END, 2, EndReason.LEFT),
    ]


def test_what_may_not_be_told_may_carry_an_open_event_on() -> None:
    quiet = fact(FREE, "a", may_start=False)

    assert play([[quiet], [quiet]])[1] == []
    assert [e.phase for e in play([[fact(FREE, "a")], [quiet], [quiet], []])[1]] == [Phase.START, Phase.END]


def test_an_instant_that_was_held_back_is_never_told_late() -> None:
    frames = [[fact(INSTANT, "a"), fact(INSTANT, "b")]] + [[fact(INSTANT, "b")]] * 20
    after, events = play(frames)

    assert [e.phase for e in events] == [Phase.START, Phase.END]
    assert after.cooldowns["instant"].suppressed == 1


def test_what_was_held_back_is_forgotten_when_it_no_longer_holds() -> None:
    after, _ = play([[fact(WINDOW, "a"), fact(WINDOW, "b")], []])

    assert (after.open, after.held_back, after.skipped) == ({}, frozenset(), frozenset())


def test_the_number_held_back_is_told_with_the_next_start_only() -> None:
    busy = [[fact(INSTANT, f"s{n}")] for n in range(25)]
    starts = [e for e in play(busy)[1] if e.phase is Phase.START]

    assert [e.suppressed for e in starts] == [0, 9, 9]


def test_closing_twice_ends_once() -> None:
    after, _ = play([[fact(FREE, "a"), fact(FREE, "b")]])
    after, ends = lifecycle.close(after, Instant(5, 5), EndReason.STOPPED)

    assert [e.end_reason for e in ends] == [EndReason.STOPPED] * 2
    assert lifecycle.close(after, Instant(6, 6), EndReason.STOPPED)[1] == ()


@given(
    st.lists(st.sets(st.tuples(st.sampled_from([WINDOW, INSTANT, FREE]), st.sampled_from("abc"))), max_size=40)
)
def test_each_start_is_told_or_counted_as_held_back(holding: list[set[tuple[MotionRule, str]]]) -> None:
    frames = [[fact(rule, about) for rule, about in sorted(each, key=str)] for each in holding]
    after, events = play([*frames, []])
    runs = {INSTANT.id: 0, FREE.id: 0}
    before: set[tuple[str, str]] = set()
    for each in frames:
        now = {one.key for one in each}
        for rule_id, *_ in now - before:
            runs[rule_id] = runs.get(rule_id, 0) + 1
        before = now

    for rule in (INSTANT, FREE):
        starts = [e for e in events if e.rule_id == rule.id and e.phase is Phase.START]
        left = after.cooldowns[rule.id].suppressed if rule.id in after.cooldowns else 0
        assert len(starts) + sum(e.suppressed for e in starts) + left == runs[rule.id]
    assert after.open == {}


def test_a_start_and_an_end_tell_all_of_what_holds() -> None:
    crossed = Fact(INSTANT, "one", Instant(0, 0), region=Box(0, 0, 1, 1), direction="in", number=2)
    _, (start, end) = play([[crossed], []])

    assert start == Event(
        id=start.id,
        revision=1,
        kind=INSTANT.event,
        phase=Phase.START,
        severity=INSTANT.severity,
        at=Instant(0, 0),
        rule_id="instant",
        rule_kind="line",
        started=Instant(0, 0),
        frame=Size(100, 100),
        object=None,
        region=Box(0, 0, 1, 1),
        direction="in",
        suppressed=0,
        thumbnail=None,
    )
    assert end == replace(start, revision=2, phase=Phase.END, at=Instant(1, 1), end_reason=EndReason.LEFT)


@pytest.mark.parametrize(
    ("area", "step_s", "seconds"),
    [
        (1.0, 1.0, [0, 60, 120]),  # nothing new: each minute
        (1.0, 61.0, [0, 61, 122]),
        (1.6, 1.0, [0, 3]),  # much larger: told, three seconds after the start
        (1.4, 1.0, [0, 60, 120]),
    ],
)
def test_what_lasts_is_told_again_after_a_minute_or_when_its_region_has_grown_much(
    area: float, step_s: float, seconds: list[float]
) -> None:
    small, large = Box(0, 0, 0.1, 0.1), Box(0, 0, 0.1 * area, 0.1)
    frames = [
        [Fact(FREE, "view", Instant(0, 0), region=small if n == 0 else large)]
        for n in range(4 if area > 1.5 else 130 if step_s == 1.0 else 3)
    ]

    assert [e.at.mono_s for e in play(frames, step_s)[1]] == seconds


def test_a_cooldown_is_over_to_the_second() -> None:
    frames = [[fact(INSTANT, f"s{n}")] for n in range(11)]
    after, events = play(frames)

    assert [(e.at.mono_s, e.suppressed) for e in events if e.phase is Phase.START] == [(0, 0), (10, 9)]
    assert after.cooldowns["instant"].suppressed == 0
