"""What a look-up takes with a million events stored: a page and how many there are, on either database.

The store is filled as an earlier version left it and brought up to date, which is measured as well. Each
look-up is made a number of times, each time with other cameras and hours where it names any.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import URL, Engine

from benchmarks.filled_store import (
    BOXES,
    DAYS,
    END_MS,
    RARE_RULE,
    bring_pictures,
    count,
    fill,
    lay_segments,
    paint,
    review_alerts,
)
from benchmarks.questions import asked
from benchmarks.table import Row
from station.lookup.search import looked_up
from station.lookup.timeline.density import densities
from station.lookup.wanted import EventSearch
from station.store.database import engine_of, upgrade
from station.store.statements.analysis import analyze
from tests.support.stores import new_database, postgresql_server

EVENTS = int(os.environ.get("NGATU_BENCH_EVENTS", "1000000"))
TIMES = 15
END = datetime.fromtimestamp(END_MS / 1000, UTC)
ALL = {"since": END - timedelta(days=DAYS + 1), "until": END + timedelta(hours=1)}
DAY = timedelta(days=1)
Making = Callable[[Random], EventSearch]


def main(paths: Sequence[Path], progress: Callable[[str], None] = lambda _: None) -> Iterator[Row]:
    """A row for each look-up and each database; a folder keeps the SQLite file for the next time."""
    with ExitStack() as left:
        folder = paths[0] if paths else Path(left.enter_context(tempfile.TemporaryDirectory(prefix="ngatu-")))
        yield from measured_on("SQLite", URL.create("sqlite", database=str(folder / "station.db")), progress)
        lay_segments(folder, EVENTS)
    try:
        with postgresql_server() as server:
            yield from measured_on("PostgreSQL", new_database(server), progress)
    except pytest.skip.Exception:
        yield {"database": "PostgreSQL", "look-up": "it is not installed here"}


def measured_on(name: str, url: URL, progress: Callable[[str], None]) -> Iterator[Row]:
    """The rows of one database, which is filled first where it is empty."""
    engine = engine_of(url)
    if not is_filled(engine):
        upgrade(engine, "0009")
        fill(engine, EVENTS, lambda done: progress(f"{name}, {done} events"))
        progress(f"{name}, brought up to date")
        lasted_s = _upgraded(engine, "0021")
        bring_pictures(engine, lambda done: progress(f"{name}, {done} pictures"))
        progress(f"{name}, brought up to date")
        lasted_s += _upgraded(engine)
        review_alerts(engine)
        paint(engine)
        count(engine)
        if name == "PostgreSQL":  # as autovacuum does within minutes
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("vacuum analyze")
        else:  # as a station does while it grows
            with engine.begin() as connection:
                analyze(connection)
        yield {"database": name, "events": EVENTS, "brought up to date, s": round(lasted_s, 1)}
    engine.dispose()
    reader = engine_of(url, writes=False)
    for words, making in LOOK_UPS.items():
        progress(f"{name}, {words}")
        yield _measured(reader, name, words, making)
    for days in (1, 30, DAYS):
        yield _measured_density(reader, name, days)
    for words, took_ms, number in asked(reader, TIMES):
        progress(f"{name}, {words}")
        yield _row(name, words, took_ms) | {"found": str(number), "whole": "yes"}
    reader.dispose()


def _upgraded(engine: Engine, version: str = "head") -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    upgrade(engine, version)
    return time.perf_counter() - began


def is_filled(engine: Engine) -> bool:
    """Whether an earlier call has left its file here."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            return False
        tables = connection.exec_driver_sql("select count(*) from sqlite_master where name = 'audit_entry'")
        return bool(tables.scalar())


def _measured(engine: Engine, name: str, words: str, making: Making) -> Row:
    chance, took_ms, last = Random(words), list[float](), None
    for _ in range(TIMES):
        wanted = making(chance)
        began = time.perf_counter()
        last = looked_up(engine, wanted)
        took_ms.append(1000 * (time.perf_counter() - began))
    assert last is not None
    page, number = last
    cut = page.looked_to_ms
    return _row(name, words, took_ms) | {
        "found": f"{number.number}{'' if number.is_all else '+'}",
        "whole": "yes" if cut is None else f"the last {(END_MS - cut) / 86_400_000:.0f} days",
    }


def _measured_density(engine: Engine, name: str, days: int) -> Row:
    chance, took_ms, bars = Random(days), list[float](), 0
    for _ in range(TIMES):
        cameras = [(chance.randint(1, BOXES), "cam-1") for _ in range(6)]
        began = time.perf_counter()
        found = densities(engine, cameras, END_MS - days * 86_400_000, END_MS)
        took_ms.append(1000 * (time.perf_counter() - began))
        bars = sum(len(each.bars) for each in found)
    return _row(name, f"density of six cameras, {days} days", took_ms) | {"found": str(bars), "whole": "yes"}


def _row(name: str, words: str, took_ms: list[float]) -> Row:
    took_ms.sort()
    return {
        "database": name,
        "look-up": words,
        "p50, ms": round(took_ms[len(took_ms) // 2], 1),
        "p95, ms": round(took_ms[round(0.95 * (len(took_ms) - 1))], 1),
        "longest, ms": round(took_ms[-1], 1),
    }


def _camera(chance: Random) -> str:
    return f"box-{chance.randint(0, BOXES - 1):03}/cam-{chance.randint(1, 2)}"


def _hour(chance: Random) -> dict[str, Any]:
    since = END - timedelta(hours=chance.randint(2, 24 * DAYS - 2))
    return {"since": since, "until": since + timedelta(hours=1)}


def _always(**wanted: Any) -> Making:
    return lambda _: EventSearch(**(ALL | wanted))


LOOK_UPS: dict[str, Making] = {
    "everything": _always(),
    "everything, oldest first": _always(newest_first=False),
    "an hour, two riders, inwards": lambda chance: EventSearch(
        **_hour(chance), labels=("motorcycle",), riders=2, directions=("in",)
    ),
    "a camera's day": lambda chance: EventSearch(since=END - DAY, until=END, cameras=(_camera(chance),)),
    "a commune's day": lambda _: EventSearch(since=END - DAY, until=END),
    "a day of a camera": lambda chance: EventSearch(
        **(_hour(chance) | {"until": END}), cameras=(_camera(chance),)
    ),
    "a camera, always": lambda chance: EventSearch(**ALL, cameras=(_camera(chance),)),
    "a box, always": lambda chance: EventSearch(**ALL, boxes=(f"box-{chance.randint(0, BOXES - 1):03}",)),
    "twenty cameras, a label": lambda chance: EventSearch(
        **ALL, cameras=tuple({_camera(chance) for _ in range(20)}), labels=("truck",)
    ),
    "a box that is not there": _always(boxes=("elsewhere",)),
    "a label": _always(labels=("bus",)),
    "a label that is not there": _always(labels=("tram",)),
    "two labels": _always(labels=("bus", "truck")),
    "a kind": _always(kinds=("wrong_way",)),
    "a kind and a label": _always(kinds=("stopped_vehicle",), labels=("bus",)),
    "a kind and a label never together": _always(kinds=("camera_lost",), labels=("bus",)),
    "a rare rule": _always(rules=(RARE_RULE,)),
    "a rare rule and a common label": _always(rules=(RARE_RULE,), labels=("motorcycle",)),
    "a rule that is not there": _always(rules=("nothing",)),
    "alerts": _always(severities=("alert",)),
    "alerts of a camera": lambda chance: EventSearch(**ALL, severities=("alert",), cameras=(_camera(chance),)),
    "alerts nobody looked at": _always(severities=("alert",), reviews=("new",)),
    "marked as false": _always(reviews=("false",)),
    "false, of buses": _always(reviews=("false",), labels=("bus",)),
    "three riders or more": _always(riders=3, riders_at_least=True),
    "four riders": _always(riders=4),
    "four riders outwards, on a bus": _always(riders=4, directions=("out",), labels=("bus",)),
    "a colour": _always(vehicle_colours=("red",)),
    "red motorcycles, two riders": _always(vehicle_colours=("red",), labels=("motorcycle",), riders=2),
    "an hour, purple, four riders": lambda chance: EventSearch(
        **_hour(chance), vehicle_colours=("purple",), labels=("motorcycle",), riders=4
    ),
    "a rare colour on a rare label, yellow clothes": _always(
        vehicle_colours=("purple",), labels=("bicycle",), clothes_colours=("yellow",)
    ),
    "clothes of a colour that is not there": _always(clothes_colours=("brown",)),
    "a direction that is not there": _always(directions=("north",)),
    "a zone": _always(zones=("gate",)),
    "a zone that is not there": _always(zones=("nowhere",)),
    "late or replayed": _always(late_only=True),
    "late buses that went the wrong way": _always(late_only=True, labels=("bus",), kinds=("wrong_way",)),
    "a word": _always(words=("gate",)),
    "a word that is not there": _always(words=("nowhere",)),
    "a place by a word": _always(words=("ngã tư 017",)),
    "motorcycles inwards in a lane, never": _always(
        labels=("motorcycle",), directions=("in",), zones=("gate",)
    ),
    "the same, oldest first": _always(
        labels=("motorcycle",), directions=("in",), zones=("gate",), newest_first=False
    ),
}
"""Words -> the look-up."""
