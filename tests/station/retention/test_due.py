"""station.retention.due"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from station.retention.due import SOURCES, DueSource, HeldRange, Shields, due, until
from station.retention.settings import KeptClass, RetentionSettings
from tests.support.aged_store import DAY_S, AgedStore
from tests.support.kept_events import event_now


def source_of(kept: KeptClass, what: str = "event") -> DueSource:
    return next(each for each in SOURCES if (each.kept, each.what) == (kept, what))


def found(
    aged: AgedStore, source: DueSource, days: float, held: Sequence[HeldRange] = (), at_once: int = 2
) -> list[Any]:
    until_ms = round((aged.now_s - days * DAY_S) * 1000)

    def read(job: Any) -> Any:
        with aged.engine.connect() as connection:
            return job(connection)

    parts = list(due(read, source, until_ms, Shields(held), at_once))
    assert all(len(part) <= at_once for part in parts)
    return [row for part in parts for row in part]


def test_the_oldest_come_first_and_each_once_in_parts(aged: AgedStore) -> None:
    for number, days in enumerate((35, 90, 31, 29, 60), 1):
        aged.event(number, days)

    rows = found(aged, source_of(KeptClass.EVENTS), 30)

    assert [row.event_id for row in rows] == ["e-2", "e-5", "e-1", "e-3"]


def test_many_that_came_at_one_moment_are_all_found(aged: AgedStore) -> None:
    aged.keep(40, *(event_now(n, ago_s=40 * DAY_S, severity="info") for n in range(1, 8)))

    rows = found(aged, source_of(KeptClass.EVENTS), 30)

    assert {row.event_id for row in rows} == {f"e-{n}" for n in range(1, 8)}


def test_what_lies_in_the_time_of_footage_is_held(aged: AgedStore) -> None:
    aged.event(1, 40)
    aged.event(2, 40, camera="south")
    (box_id, _), at_ms = aged.key(1), round((aged.now_s - 40 * DAY_S) * 1000)
    near = HeldRange(box_id, "north", at_ms - 60_000, at_ms + 60_000)
    far = HeldRange(box_id, "north", at_ms + 60_000, at_ms + 120_000)

    source = source_of(KeptClass.EVENTS)
    assert [row.event_id for row in found(aged, source, 30, [near])] == ["e-2"]
    assert len(found(aged, source, 30, [far])) == 2


def test_a_picture_without_its_event_goes_by_the_days_of_alerts(aged: AgedStore) -> None:
    aged.event(2, 1)
    aged.keep(40, aged.picture(1, b"nobody told of what"))

    (row,) = found(aged, source_of(KeptClass.ALERTS, "picture"), 30)

    assert row.event_id == "e-1"
    assert found(aged, source_of(KeptClass.PICTURES, "picture"), 30) == []


def test_a_class_without_days_is_never_due() -> None:
    assert until(RetentionSettings(events=2), KeptClass.EVENTS, 10 * 86_400_000) == 8 * 86_400_000
    assert until(RetentionSettings(events=2), KeptClass.ALERTS, 10 * 86_400_000) is None


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: f"{each.kept}-{each.what}")
def test_what_is_due_is_found_by_an_index_and_not_by_reading_all(
    aged_file: AgedStore, source: DueSource
) -> None:
    aged_file.event(1, 1)
    with aged_file.engine.connect() as connection:
        query = source.after(5, None, 10).compile(
            connection, compile_kwargs={"literal_binds": True, "render_postcompile": True}
        )
        plan = [row[3] for row in connection.execute(text(f"explain query plan {query}"))]

    main = {"event": "event", "picture": "picture", "count": "count_interval", "answer": "other_message"}
    first = next(line for line in plan if line.startswith(("SEARCH", "SCAN")))
    assert first.startswith(f"SEARCH {main[source.what]} USING"), plan
