"""How it stands with what is kept: the oldest of each class, what is held, what went. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, exists, func, select
from sqlalchemy.exc import SQLAlchemyError

from agent.wire.words import named
from station.retention.deletion import AT_ONCE
from station.retention.due import EVER_MS, SOURCES, DueSource, Shields, due, until
from station.retention.holds import CLOSING, HOLD, HoldKind
from station.retention.packages import (
    changed_ms,
    due_packages,
    due_samples,
    folders_of,
    held_ranges,
    samples_of,
)
from station.retention.settings import CLASSES, DAY_MS, KeptClass, RetentionSettings
from station.store.database import current_version, in_words
from station.store.schema import (
    count_interval,
    deletion,
    event,
    event_hold,
    event_is_alert,
    message_is_answer,
    other_message,
    picture,
    picture_is_snapshot,
    review,
)

SHOWN_DAYS: Final = 92
"""Of what went, so far back."""
_MOST_RECORDS: Final = 20_000


@dataclass(frozen=True, slots=True)
class ClassStanding:
    """One class."""

    kept: KeptClass
    days: int | None
    """None: for ever."""
    oldest_ms: int | None
    """When the oldest came that is here; None: there is nothing."""
    next_ms: int | None
    """When the next one goes that nothing holds; past: at the next run. None: none, or it has no days."""
    due: int | None = None
    """How many would go now, where that was asked."""


@dataclass(frozen=True, slots=True)
class DeletedOnDay:
    """What went of one class on one day, by one rule."""

    day: date
    kept: str
    """A word of KeptClass, or one of a newer version."""
    days: int
    items: int
    messages: int
    size_bytes: int

    @property
    def words(self) -> str:
        """What it was, to a person."""
        return named(CLASSES, self.kept)


@dataclass(frozen=True, slots=True)
class RetentionOverview:
    """All of it."""

    classes: tuple[ClassStanding, ...]
    held: Mapping[HoldKind, int]
    """How many events; of footage, how many requests."""
    deleted: tuple[DeletedOnDay, ...]
    """The newest day first."""


def overview(
    engine: Engine,
    state_dir: Path,
    settings: RetentionSettings | None,
    now_ms: int,
    zone: tzinfo | None = None,
    *,
    counted: bool = False,
) -> RetentionOverview:
    """How it stands; `counted` says how many would go now, too, and reads all of them for that.

    Raises:
        StoreError: the store cannot be read, or is of another version.
    """
    wanted = settings or RetentionSettings()
    try:
        with engine.connect() as connection, connection.begin():
            current_version(connection)
            folders = folders_of(state_dir)
            shields = Shields(held_ranges(connection, folders))
            classes = tuple(
                _standing(connection, state_dir, kept, wanted, shields, now_ms, counted=counted)
                for kept in KeptClass
            )
            held = _held(connection, state_dir)
            since_ms = now_ms - SHOWN_DAYS * DAY_MS
            query = select(deletion).where(deletion.c.begun_ms >= since_ms, deletion.c.item_count > 0)
            rows = connection.execute(query.order_by(deletion.c.id.desc()).limit(_MOST_RECORDS)).all()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return RetentionOverview(classes, held, tuple(_by_day(rows, zone)))


def _standing(
    connection: Connection,
    state_dir: Path,
    kept: KeptClass,
    settings: RetentionSettings,
    shields: Shields,
    now_ms: int,
    *,
    counted: bool,
) -> ClassStanding:
    days, until_ms = settings.days(kept), until(settings, kept, now_ms)
    if kept in (KeptClass.FOOTAGE, KeptClass.SAMPLES):
        here, free = _packages(connection, state_dir, kept)
        free = [] if days is None else free
        number = sum(since_ms < (until_ms or 0) for since_ms in free)
    else:
        sources = [each for each in SOURCES if each.kept is kept]
        here = [at for query in _OLDEST[kept] if (at := connection.scalar(query)) is not None]
        free = [] if days is None else [at for each in sources for at in _next(connection, each, shields)]
        number = 0
        if counted and until_ms is not None:
            number = sum(_count(connection, each, until_ms, shields) for each in sources)
    next_ms = min(free) + (days or 0) * DAY_MS if free else None
    return ClassStanding(kept, days, min(here, default=None), next_ms, number if counted else None)


def _packages(connection: Connection, state_dir: Path, kept: KeptClass) -> tuple[list[int], list[int]]:
    """Since when (ms) what is here is as it is; and of what nothing holds."""
    if kept is KeptClass.SAMPLES:
        orders = samples_of(state_dir)
        here = [changed_ms(each) for each in orders.every() if each.package.is_dir()]
        return here, [since_ms for _, since_ms in due_samples(orders, EVER_MS)]
    folders = folders_of(state_dir)
    here = [changed_ms(each) for each in folders.every() if each.package.is_dir()]
    return here, [since_ms for _, since_ms in due_packages(connection, folders, EVER_MS)]


def _next(connection: Connection, source: DueSource, shields: Shields) -> list[int]:
    """When the first one came that nothing holds."""
    for rows in due(lambda job: job(connection), source, EVER_MS, shields, AT_ONCE):
        return [min(max(row.came_ms, row.received_ms) for row in rows)]
    return []


def _count(connection: Connection, source: DueSource, until_ms: int, shields: Shields) -> int:
    parts = due(lambda job: job(connection), source, until_ms, shields, 10 * AT_ONCE)
    return sum(len(rows) for rows in parts)


def _first(column: Any, *which: Any) -> Select[Any]:
    return select(column).where(*which).order_by(column).limit(1)


_OLDEST: Final[Mapping[KeptClass, Sequence[Select[Any]]]] = {
    KeptClass.PICTURES: (
        _first(picture.c.received_ms).join(
            event,
            (event.c.box_id == picture.c.box_id) & (event.c.event_id == picture.c.event_id) & ~event_is_alert,
        ),
    ),
    KeptClass.EVENTS: (_first(event.c.first_received_ms, ~event_is_alert),),
    KeptClass.ALERTS: (_first(event.c.first_received_ms, event_is_alert),),
    KeptClass.COUNTS: (_first(count_interval.c.start_ms),),
    KeptClass.ANSWERS: (
        _first(picture.c.received_ms, picture_is_snapshot),
        _first(other_message.c.received_ms, message_is_answer),
    ),
}


def _held(connection: Connection, state_dir: Path) -> Mapping[HoldKind, int]:
    closed = exists().where(
        event_hold.c.box_id == review.c.box_id,
        event_hold.c.event_id == review.c.event_id,
        event_hold.c.act == CLOSING,
        event_hold.c.change_id == review.c.change_id,
    )
    here = exists().where(event.c.box_id == review.c.box_id, event.c.event_id == review.c.event_id)
    judged = review.c.state.in_(("confirmed", "passed_on"))
    counts = {
        HoldKind.CASE: select(func.count())
        .select_from(event_hold)
        .where(event_hold.c.act == HOLD, event_hold.c.released_ms.is_(None)),
        HoldKind.OPEN: select(func.count()).where(event_is_alert, event.c.settled_ms.is_(None)),
        HoldKind.JUDGED: select(func.count()).select_from(review).where(judged, ~closed, here),
    }
    found = {kind: connection.scalar(query) or 0 for kind, query in counts.items()}
    return found | {HoldKind.FOOTAGE: len(held_ranges(connection, folders_of(state_dir)))}


def _by_day(rows: Sequence[Row[Any]], zone: tzinfo | None) -> list[DeletedOnDay]:
    sums: defaultdict[tuple[date, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        day = datetime.fromtimestamp(row.begun_ms / 1000, UTC).astimezone(zone).date()
        found = sums[day, row.kind, row.days]
        for at, name in enumerate(("item_count", "messages", "size_bytes")):
            found[at] += getattr(row, name)
    order = {str(kept): at for at, kept in enumerate(KeptClass)}
    keys = sorted(sums, key=lambda key: (-key[0].toordinal(), order.get(key[1], 99), key[2]))
    return [DeletedOnDay(*key, *sums[key]) for key in keys]
