"""station.retention.overview"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from station.retention.holds import HoldKind
from station.retention.overview import ClassStanding, RetentionOverview, overview
from station.retention.settings import DAY_MS, KeptClass, RetentionSettings
from station.review.states import ReviewState
from tests.support.aged_store import DAY_S, MINH, AgedStore


def shown(aged: AgedStore, **days: Any) -> RetentionOverview:
    settings = RetentionSettings(**days)
    return overview(aged.engine, aged.place.folder, settings, round(aged.now_s * 1000), counted=True)


def of(found: RetentionOverview, kept: KeptClass) -> ClassStanding:
    return next(each for each in found.classes if each.kept is kept)


def near(at_ms: int | None, aged: AgedStore, days: float) -> bool:
    return at_ms is not None and abs(at_ms - (aged.now_s - days * DAY_S) * 1000) < 60_000


def test_an_empty_store_has_nothing_of_any_class(aged: AgedStore) -> None:
    found = shown(aged, events=30)
    assert [(each.oldest_ms, each.next_ms) for each in found.classes] == [(None, None)] * len(KeptClass)
    assert set(found.held.values()) == {0}
    assert found.deleted == ()


@pytest.mark.long
def test_of_each_class_the_oldest_the_next_and_how_many_are_due(aged: AgedStore) -> None:
    aged.event(1, 50)
    aged.event(2, 40, picture=b"p")
    aged.event(3, 10)
    aged.event(4, 200, severity="alert")
    aged.count(1, 100)
    aged.snapshot(1, 70)
    aged.holds.hold(aged.key(1), MINH, "1/2026", "held")

    found = shown(aged, pictures=5, events=30, counts=365)

    events = of(found, KeptClass.EVENTS)
    assert near(events.oldest_ms, aged, 50)
    assert near(events.next_ms, aged, 40 - 30)
    assert events.due == 1
    assert of(found, KeptClass.PICTURES).due == 1
    counts = of(found, KeptClass.COUNTS)
    assert near(counts.oldest_ms, aged, 100)
    assert (counts.due, near(counts.next_ms, aged, 100 - 365)) == (0, True)
    alerts = of(found, KeptClass.ALERTS)
    assert (alerts.days, near(alerts.oldest_ms, aged, 200), alerts.next_ms, alerts.due) == (None, True, None, 0)
    assert near(of(found, KeptClass.ANSWERS).oldest_ms, aged, 70)


def test_ordered_frames_are_shown_with_the_days_that_they_have(aged: AgedStore) -> None:
    for days in (40, 3):
        aged.frames(days, f"s-{days}")

    samples = of(shown(aged, samples=30), KeptClass.SAMPLES)

    assert samples.due == 1
    assert near(samples.oldest_ms, aged, 40)
    assert near(samples.next_ms, aged, 40 - 30)
    assert of(shown(aged), KeptClass.SAMPLES).next_ms is None, "without days they stay"


def test_what_is_held_is_counted_by_why(aged: AgedStore) -> None:
    for number in range(1, 6):
        aged.event(number, 3, severity="alert" if number < 5 else "info")
    aged.review(1, ReviewState.CONFIRMED)
    aged.review(2, ReviewState.CONFIRMED)
    aged.holds.close(aged.key(2), MINH, "1/2026", "over")
    aged.holds.hold(aged.key(5), MINH, "2/2026", "held")

    held = shown(aged, alerts=30).held

    assert held == {HoldKind.CASE: 1, HoldKind.OPEN: 2, HoldKind.JUDGED: 1, HoldKind.FOOTAGE: 0}


@pytest.mark.long
def test_what_went_is_summed_by_day_class_and_rule(aged: AgedStore) -> None:
    for number in range(1, 4):
        aged.event(number, 40, picture=b"p%d" % number)
    aged.run(pictures=20)
    aged.run(events=30)

    days = shown(aged, events=30).deleted

    today = datetime.fromtimestamp(aged.now_s).astimezone().date()
    assert [(each.day, each.kept, each.days, each.items) for each in days] == [
        (today, "pictures", 20, 3),
        (today, "events", 30, 3),
    ]
    assert all(each.size_bytes > 0 for each in days)
    later = overview(aged.engine, aged.place.folder, None, round(aged.now_s * 1000) + 100 * DAY_MS)
    assert later.deleted == ()
