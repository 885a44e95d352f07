"""station.counting.table"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from agent.language import translated
from station.counting.buckets import Step, buckets
from station.counting.series import CountCell, Series
from station.counting.table import MOST_GROUPS, By, note_of, table_of
from tests.station.counting.counts import BERLIN, VIETNAM

DAY = date(2026, 11, 27)
HOUR_MS = 3_600_000
Numbers = Mapping[tuple[str, str], int]


def a_day(*hours: Numbers | None, covered: int = HOUR_MS) -> Series:
    found = buckets(DAY, DAY, Step.HOUR, VIETNAM)
    cells = (CountCell(found[at], 0 if each is None else covered, each) for at, each in enumerate(hours))
    return Series((), Step.HOUR, tuple(cells))


BUSY = a_day({("car", "in"): 2, ("bus", "out"): 5}, None, {("car", "in"): 1})


def test_the_same_counts_stand_by_direction_or_by_label() -> None:
    by_direction, by_label = table_of(BUSY, By.DIRECTION), table_of(BUSY, By.LABEL)

    assert [translated(group, "vi") for group in by_direction.groups] == ["ra", "vào"]
    assert (by_direction.totals, by_label.totals) == ((5, 3), (5, 3))
    assert [row.values for row in by_direction.rows] == [(5, 2), None, (0, 1)]
    assert [row.values for row in by_label.rows] == [(5, 2), None, (0, 1)]
    assert by_direction.total == by_label.total == 8


def test_rare_labels_stand_together_and_none_is_lost() -> None:
    many = {(f"label-{number}", "in"): 20 - number for number in range(12)}
    found = table_of(a_day(many, {}), By.LABEL)

    assert len(found.groups) == MOST_GROUPS + 1
    assert translated(found.groups[-1], "en") == "others"
    assert found.total == sum(many.values())
    assert sum(found.rows[0].values or ()) == sum(many.values())
    assert found.rows[1].values == (0,) * (MOST_GROUPS + 1)


def test_a_cell_says_what_is_to_be_known_of_it() -> None:
    (bucket, *_) = buckets(DAY, DAY, Step.HOUR, VIETNAM)
    notes = [
        note_of(cell)
        for cell in (
            CountCell(bucket, HOUR_MS, {}),
            CountCell(bucket, 0, None),
            CountCell(bucket, HOUR_MS // 2, {}),
            CountCell(bucket, 1, {}),
            CountCell(bucket, HOUR_MS // 2, {}, is_running=True),
            CountCell(bucket, 0, None, is_running=True),
            CountCell(bucket, HOUR_MS, {}, is_parted=True),
        )
    ]

    assert notes == [
        "",
        "not counted",
        "only 50 % of the time counted",
        "only 1 % of the time counted",
        "until now",
        "not counted yet",
        "parted by time: an interval goes over its border",
    ]
    assert all(translated(note, "vi") != note for note in notes if note)


def test_times_are_said_as_people_say_them() -> None:
    def said(step: Step, day: date) -> list[tuple[str, str]]:
        cells = tuple(CountCell(bucket, 0, None) for bucket in buckets(day, day, step, BERLIN))
        return [(str(row.when), str(row.short)) for row in table_of(Series((), step, cells), By.LABEL).rows]

    assert said(Step.DAY, DAY) == [("27/11/2026", "27/11")]
    assert said(Step.WEEK, DAY) == [("23/11–29/11/2026", "23/11")]
    twice = said(Step.HOUR, date(2026, 10, 25))
    assert twice[2:4] == [("02:00 25/10/2026", "02:00"), ("02:00 again 25/10/2026", "02:00 again")]
    assert said(Step.WEEK, date(2026, 10, 25)) == [("19/10–25/10/2026", "19/10")]
