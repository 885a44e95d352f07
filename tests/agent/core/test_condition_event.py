"""agent.core.condition_event"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.condition_event import BOX_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Severity, Size

IDS = Ids(b"a seed of sixteen")
FULL_DISK = ConditionEvent(EventKind.STORAGE_FULL, BOX_RULE)


def at(second: float) -> Instant:
    return Instant(second, 100 + second)


def test_a_condition_is_one_event_from_its_beginning_to_its_end() -> None:
    condition, ids, (start,) = FULL_DISK.open(at(10), IDS, "full", started=at(8), frame=Size(640, 360))
    condition, (update,) = condition.update(at(11), "fuller")
    condition, (end,) = condition.close(at(12))

    assert (start.kind, start.severity, start.rule_id, start.rule_kind) == (
        EventKind.STORAGE_FULL, Severity.INFO, BOX_RULE, BOX_RULE,
    )  # fmt: skip
    assert (start.started, start.at, start.frame) == (at(8), at(10), Size(640, 360))
    messages = (start, update, end)
    assert [(each.phase, each.revision, each.detail, each.at) for each in messages] == [
        (Phase.START, 1, "full", at(10)),
        (Phase.UPDATE, 2, "fuller", at(11)),
        (Phase.END, 3, "fuller", at(12)),
    ]
    assert {(each.id, each.started) for each in messages} == {(start.id, at(8))}
    assert condition == FULL_DISK
    assert ids == IDS.next(at(10))[1]


def test_who_closes_it_may_say_why_and_correct_the_beginning() -> None:
    condition, _, _ = FULL_DISK.open(at(10), IDS, "full")
    _, (end,) = condition.close(at(12), EndReason.PAUSED, detail="over", started=at(9))

    assert (end.end_reason, end.detail, end.started) == (EndReason.PAUSED, "over", at(9))


def test_nothing_is_said_twice_and_nothing_of_what_is_not_open() -> None:
    condition, ids, _ = FULL_DISK.open(at(10), IDS, "full")

    assert condition.open(at(11), ids, "fuller") == (condition, ids, ())
    assert condition.update(at(11), "full") == (condition, ())
    assert FULL_DISK.update(at(11), "fuller") == (FULL_DISK, ())
    assert FULL_DISK.close(at(11)) == (FULL_DISK, ())


def test_what_is_over_when_it_is_told_is_one_message() -> None:
    event, ids = FULL_DISK.once(at(10), IDS, "was full")

    assert (event.phase, event.revision, event.detail, event.started) == (Phase.END, 1, "was full", at(10))
    assert ids != IDS


@given(st.lists(st.tuples(st.sampled_from(["open", "update", "close"]), st.sampled_from("abc"))))
def test_whatever_is_asked_each_event_starts_once_ends_at_most_once_and_counts_its_messages(
    steps: list[tuple[str, str]],
) -> None:
    condition, ids, events = FULL_DISK, IDS, list[Event]()
    for second, (verb, detail) in enumerate(steps):
        sent: tuple[Event, ...]
        if verb == "open":
            condition, ids, sent = condition.open(at(second), ids, detail)
        elif verb == "update":
            condition, sent = condition.update(at(second), detail)
        else:
            condition, sent = condition.close(at(second), detail=detail)
        events += sent

    for name in {each.id for each in events}:
        own = [each for each in events if each.id == name]
        assert [each.revision for each in own] == list(range(1, len(own) + 1))
        assert [each.phase for each in own[:1]] == [Phase.START]
        assert Phase.START not in [each.phase for each in own[1:]]
        assert Phase.END not in [each.phase for each in own[:-1]]
    assert (condition.last is None) == (not events or events[-1].phase is Phase.END)
