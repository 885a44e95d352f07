"""What a duty room asks beside look-ups: one event, what goes on, counts of a month. For lookups.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row, select

from benchmarks.filled_store import END_MS
from station.counting.buckets import Step
from station.counting.lines import CountedLine, counted_lines
from station.counting.series import counted
from station.lookup.event import event_key, whole_event
from station.store.schema import box, event, event_is_alert

END = datetime.fromtimestamp(END_MS / 1000, UTC)
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
LAST = END.astimezone(VIETNAM).date() - timedelta(days=1)
MONTH = LAST - timedelta(days=29), LAST
IDS = 200
Question = Callable[[Random], int]


def asked(engine: Engine, times: int) -> Iterator[tuple[str, list[float], int]]:
    """(words, how long each time took in ms, how much was found the last time)."""
    with engine.connect() as connection:
        query = select(event.c.event_id, box.c.device).join(box, box.c.id == event.c.box_id)
        ids = connection.execute(query.order_by(event.c.event_id.desc()).limit(IDS)).all()
    lines = counted_lines(engine)
    questions: dict[str, Question] = {
        "an event by its id": lambda chance: _event(engine, chance.choice(ids)),
        "alerts that go on": lambda _: _open(engine),
        "a line, 30 days by hour": lambda chance: _counts(engine, chance.choice(lines)),
    }
    for words, question in questions.items():
        chance, took_ms, found = Random(words), list[float](), 0
        for _ in range(times):
            began = time.perf_counter()
            found = question(chance)
            took_ms.append(1000 * (time.perf_counter() - began))
        yield words, took_ms, found


def _event(engine: Engine, of: Row[str, str]) -> int:
    key = event_key(engine, of.device, of.event_id)
    return int(key is not None and whole_event(engine, key) is not None)


def _open(engine: Engine) -> int:
    query = select(event.c.box_id, event.c.event_id).where(event_is_alert, event.c.phase != "end")
    with engine.connect() as connection:
        return len(connection.execute(query).all())


def _counts(engine: Engine, line: CountedLine) -> int:
    return len(counted(engine, [line], MONTH, Step.HOUR, VIETNAM, END).cells)
