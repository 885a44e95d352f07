"""What was told beside what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from agent.core.types import EventKind
from benchmarks.scenes.chain import Reported
from benchmarks.scenes.truth import CROWD, LOITERING, NO_STOPPING, Truth, doubtful


@dataclass(frozen=True, slots=True)
class Score:
    """Of one rule."""

    happened: int
    right: int
    missed: int
    false: int
    untold: tuple[int, ...] = ()
    """The road users that were missed."""

    @property
    def precision(self) -> float:
        """Share of what was told that happened."""
        return self.right / max(1, self.right + self.false)

    @property
    def recall(self) -> float:
        """Share of what happened that was told."""
        return self.right / max(1, self.right + self.missed)


def lines(truth: Truth, reported: Reported) -> dict[str, object]:
    """Counts against the truth: the net error of the totals, and crossings that were missed or made up.

    `count_error_pct` is against everything that happened. `of_seen_pct` leaves out, on both sides, what nobody
    who looks at the same picture could have counted: road users that were not in plain view before the crossing
    and after it. `missed` and `extra` are of those that could be counted.
    """
    seen = [each for each in truth.crossings if truth.could_be_seen(each[1], each[3])]
    got: Counter[tuple[str, str]] = Counter()
    for each in reported.counts:
        for by_direction in each.counts.values():
            for direction, number in by_direction.items():
                got[each.rule_id, direction] += number
    everything = Counter((line, direction) for line, _, direction, _ in truth.crossings)
    net = sum(abs(everything[key] - got[key]) for key in everything | got)
    owed = Counter((line, user, direction) for line, user, direction, _ in seen)
    hidden = Counter((line, user, direction) for line, user, direction, _ in truth.crossings) - owed
    ways = {(line, user, direction) for line, user, direction, _ in truth.crossings}
    due = sum(owed.values())
    events = [(e, who) for e, who in reported.starts if e.kind is EventKind.LINE_CROSSED]
    extra = wrong = right = 0
    for event, shown in events:
        keys = [(event.rule_id, who, str(event.direction)) for who in shown]
        if key := next((key for key in keys if owed[key] > 0), None):
            owed[key] -= 1
            right += 1
        elif key := next((key for key in keys if hidden[key] > 0), None):
            hidden[key] -= 1
            got[event.rule_id, str(event.direction)] -= 1
        else:
            extra += 1
            other = "out" if event.direction == "in" else "in"
            wrong += any((event.rule_id, who, other) in ways for who in shown)
    real = Counter((line, direction) for line, _, direction, _ in seen)
    apart = sum(abs(real[key] - got[key]) for key in real | got)
    return {
        "crossings": due,
        "hidden": len(truth.crossings) - due,
        "counted": sum(got.values()),
        "count_error_pct": round(100 * net / max(1, len(truth.crossings)), 2),
        "of_seen_pct": round(100 * apart / max(1, due), 2),
        "missed": due - right,
        "extra": extra,
        "wrong_direction": wrong,
    }


def incidents(truth: Truth, reported: Reported, end: float) -> dict[str, Score]:
    """Stopped, loitering, wrong way and crowd."""
    shoulder = [(user, stay) for zone, user, stay in truth.closed if zone == "shoulder"]
    halts = [(user, stood_s, stay.last) for user, stay in shoulder for stood_s in stay.stands]
    stays = [(user, stay.last - stay.began, stay.last) for zone, user, stay in truth.closed if zone == "square"]
    return {
        "stopped_vehicle": _about(EventKind.STOPPED_VEHICLE, reported, halts, NO_STOPPING.min_s),
        "loitering": _about(EventKind.LOITERING, reported, stays, LOITERING.min_stay_s),
        "wrong_way": _about(EventKind.WRONG_WAY, reported, [(user, 1e9, at) for user, at in truth.wrong], 0.0),
        "crowd": _crowds(truth, reported),
    }


def _about(kind: EventKind, reported: Reported, stays: list[tuple[int, float, float]], least_s: float) -> Score:
    owed = Counter(user for user, lasted, _ in stays if lasted >= least_s and not doubtful(lasted, least_s))
    maybe = {user for user, lasted, _ in stays if doubtful(lasted, least_s)}
    happened, right, false = sum(owed.values()), 0, 0
    for event, shown in reported.starts:
        if event.kind is not kind:
            continue
        if (who := next((who for who in shown if owed[who] > 0), None)) is not None:
            owed[who] -= 1
            right += 1
        elif not maybe.intersection(shown):
            false += 1
    return Score(happened, right, happened - right, false, tuple(owed.elements()))


def wrong_way_of_seen(truth: Truth, untold: Collection[int]) -> float:
    """The recall of those who were in plain view on their wrong way; many follow each other behind a queue."""
    ways = {user: stay for zone, user, stay in truth.closed if zone == "lanes"}
    seen = {user for user, _ in truth.wrong if truth.plain_between(user, ways[user].began, ways[user].last)}
    return 1 - len(seen.intersection(untold)) / max(1, len(seen))


def _crowds(truth: Truth, reported: Reported) -> Score:
    starts = [event.at.mono_s for event, _ in reported.starts if event.kind is EventKind.CROWD]
    happened = right = 0
    used: set[float] = set()
    for begin, end in truth.crowds:
        inside = [at for at in starts if begin <= at <= end + CROWD.quiet_s and at not in used]
        if doubtful(end - begin, CROWD.min_s):
            used.update(inside)
        elif end - begin >= CROWD.min_s:
            happened += 1
            right += bool(inside)
            used.update(inside[:1])
    return Score(happened, right, happened - right, len(starts) - len(used))
