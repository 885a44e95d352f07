"""station.review.open_alerts"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import event as hooks

from station.review.open_alerts import AlertPlace, AlertWish, open_alerts, open_counts
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import ReviewState
from station.store.statements.analysis import analyze
from tests.station.lookup.test_query import lasting
from tests.station.store.test_store import altered
from tests.support.stores import Place

HA = Reviewer("ha", "Hà")


@pytest.fixture
def filled(place: Place) -> Iterator[Place]:
    """Alerts e-1 to e-6 a minute apart, two of the southern camera; and e-7, which is for looking up."""
    with closing(place.open()) as store:
        store.commit(
            [
                lasting(n, n, n + 0.5, camera="south" if n in (2, 4) else "north", replayed=False)
                for n in range(1, 7)
            ]
            + [lasting(7, 7, 8, severity="info")]
        )
    yield place
    place.close()


def ids(place: Place, *args: object, **wanted: object) -> list[str]:
    return [each.place.event_id for each in open_alerts(place.engine, *args, **wanted)]  # type: ignore[arg-type]


def test_what_nobody_is_done_with_comes_newest_first(filled: Place) -> None:
    queue = ReviewQueue(filled.engine)
    queue.mark((1, "e-5"), ReviewState.CONFIRMED, HA, seen=0)
    queue.acknowledge((1, "e-3"), HA, seen=0, note="a patrol goes there")

    assert ids(filled) == ["e-6", "e-4", "e-3", "e-2", "e-1"]
    assert ids(filled, AlertWish(only_new=True)) == ["e-6", "e-4", "e-2", "e-1"]
    (seen,) = (each for each in open_alerts(filled.engine) if each.place.event_id == "e-3")
    assert (seen.standing.state, seen.standing.note, seen.standing.by) == ("seen", "a patrol goes there", HA)
    assert (seen.box, seen.camera, seen.rule, seen.rule_kind, seen.is_late) == (
        "north-01", "north", "stop-line", "line", False,
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 4, 6, 50])
def test_pages_have_every_alert_once_whatever_is_settled_meanwhile(filled: Place, size: int) -> None:
    found: list[str] = []
    page = open_alerts(filled.engine, limit=size)
    while page:
        found += [each.place.event_id for each in page]
        last = AlertPlace.read(str(page[-1].place))
        assert last == page[-1].place
        ReviewQueue(filled.engine).mark(page[-1].key, ReviewState.PASSED_ON, HA, seen=0)
        page = open_alerts(filled.engine, after=last, limit=size)

    assert found == ["e-6", "e-5", "e-4", "e-3", "e-2", "e-1"]


def test_alerts_of_one_millisecond_come_once_each(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([lasting(number, 5, 6) for number in range(1, 10)])

    first = open_alerts(place.engine, limit=4)
    rest = open_alerts(place.engine, after=first[-1].place)
    assert sorted(each.place.event_id for each in (*first, *rest)) == [f"e-{number}" for number in range(1, 10)]


def test_the_queue_is_narrowed_by_what_is_named(filled: Place) -> None:
    assert ids(filled, AlertWish(cameras=("south",))) == ["e-4", "e-2"]
    assert ids(filled, AlertWish(boxes=("north-01",), rules=("stop-line",))) == [
        f"e-{n}" for n in range(6, 0, -1)
    ]
    assert ids(filled, AlertWish(rules=("elsewhere",))) == []


def test_open_ones_are_counted_by_camera_and_rule(filled: Place) -> None:
    queue = ReviewQueue(filled.engine)
    queue.mark((1, "e-1"), ReviewState.CONFIRMED, HA, seen=0)
    queue.acknowledge((1, "e-2"), HA, seen=0)

    counts = open_counts(filled.engine)

    assert [(each.box, each.camera, each.rule, each.number, each.seen) for each in counts] == [
        ("north-01", "north", "stop-line", 3, 0),
        ("north-01", "south", "stop-line", 2, 1),
    ]


def test_an_alert_that_came_late_says_so(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([altered(lasting(1, 1), replayed=True)])

    assert [each.is_late for each in open_alerts(place.engine)] == [True]


@pytest.mark.parametrize(
    "text", ["", "1", "1~2", "1~2~", "1~2~a b", "x~2~a", "1~2~" + "a" * 65, "9" * 30 + "~1~a"]
)
def test_a_place_that_somebody_made_up_is_none(text: str) -> None:
    assert AlertPlace.read(text) is None


@pytest.mark.long
def test_the_queue_and_its_counts_are_read_out_of_the_index_of_open_ones(filled: Place) -> None:
    """So they take as long as the queue is long: with a million events 2 ms and 10 ms on either database."""
    asked: list[tuple[str, object]] = []
    engine = filled.engine
    with closing(filled.open()) as store:
        store.commit([lasting(number, 20 + number) for number in range(10, 90)])
    queue = ReviewQueue(engine)
    for number in range(10, 88):
        queue.mark((1, f"e-{number}"), ReviewState.CONFIRMED, HA, seen=0)
    with engine.begin() as connection:
        analyze(connection)  # as the station does once it has grown
    hooks.listen(engine, "before_cursor_execute", lambda _c, _k, text, values, *_: asked.append((text, values)))
    open_alerts(engine, after=AlertPlace(10**13, 1, "a"))
    open_counts(engine)

    explain = "explain query plan " if engine.dialect.name == "sqlite" else "explain "
    plans = []
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("set local enable_seqscan = off")  # so few rows are read sooner without
        for text, values in [each for each in asked if each[0].startswith("SELECT")]:
            rows = connection.exec_driver_sql(explain + text, values).all()
            plans.append("\n".join(str(row) for row in rows))
    assert len(plans) == 3, "the page; those that are seen, by their state; all, by box, camera and rule"
    for plan in (plans[0], plans[2]):
        assert "ix_event_unsettled" in plan, plan
