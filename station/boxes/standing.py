"""How the boxes of a commune stand, by what they last said and what the station knows of them.

Moments are milliseconds since 1970. Those of what a box said are by the box's clock; those of what came, by the
station's. What a box says is hostile until it is shown: whoever shows it makes it printable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, Float, Row, Select, cast, func, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import CameraStatusPayload, HealthPayload, InfoPayload, RecordingHealth
from station.boxes.state_words import camera_word
from station.ingest.alarms import AlarmKind
from station.lookup.places import camera_places
from station.store.alarms import StandingAlarm, standing
from station.store.clocks import TRUSTED_CLOCKS
from station.store.columns import ms
from station.store.database import in_words
from station.store.gaps import GapState
from station.store.schema import (
    blob,
    box,
    box_status,
    camera,
    event,
    event_began_ms,
    gap,
    picture,
    picture_is_snapshot,
    stream,
)
from station.store.titles import shown_title, told_title

GONE_SHOWN_MS: Final = 7 * 86_400_000
"""What was lost longer ago than that is no news; the figures of the store still have it."""
MOST_SHOWN: Final = 64
"""Cameras of a box: as many as a configuration may have. What a box claims beyond them is counted only."""
_NEWEST: Final = 200
"""So many of a camera's newest events are looked through for a picture of the whole view."""


@dataclass(frozen=True, slots=True)
class CameraStanding:
    """One camera of a box."""

    name: str
    title: str
    """For people: as it is configured, else its name."""
    state: str
    """streaming, stalled, lost, blind, disabled; unknown: it has not said anything yet."""
    since_ms: int | None
    reason: str | None
    kind: str | None
    """rtsp, usb, csi or file."""
    recording: RecordingHealth | None
    fps: float | None
    """Pictures per second that are looked at."""
    paused: bool

    @property
    def is_starting(self) -> bool:
        """It has given no picture yet since the agent began."""
        return camera_word(self.state, self.reason) == "starting"


@dataclass(frozen=True, slots=True)
class BoxGaps:
    """What is missing of the streams of a box, in messages."""

    missing: int = 0
    """May still come."""
    gone: int = 0
    """Will not come any more, and was found within GONE_SHOWN_MS."""


@dataclass(frozen=True, slots=True)
class BoxStanding:
    """One box."""

    id: int
    commune: str
    device: str
    title: str
    """For people: where it hangs, with its id where another box says the same; else its id."""
    state: str | None
    """online, offline or stopped; None: it never said."""
    since_ms: int | None
    """When the station heard of that state."""
    word_ms: int
    """When its newest word came; of one that is away as far as can be known."""
    info: InfoPayload | None
    health: HealthPayload | None
    health_age_ms: int | None
    """How old its newest report of itself is."""
    cameras: tuple[CameraStanding, ...]
    """MOST_SHOWN at most."""
    more_cameras: int = 0
    """So many are left out."""
    alarms: tuple[StandingAlarm, ...] = ()
    gaps: BoxGaps = field(default_factory=BoxGaps)

    @property
    def is_online(self) -> bool:
        """Whether the broker holds a connection of it."""
        return self.state == "online"

    @property
    def is_second_holder(self) -> bool:
        """Whether two boxes speak with its identity."""
        return any(each.kind == AlarmKind.SECOND_HOLDER for each in self.alarms)

    @property
    def speaks(self) -> bool:
        """Whether its newest report is of the life that is at work now."""
        session = self.info.session if self.info is not None else None
        return self.health is not None and session in (None, self.health.session)


@dataclass(frozen=True, slots=True)
class NewestPicture:
    """The newest picture of the whole view of a camera that the station has."""

    sha256: str
    at_ms: int
    ordered: bool
    """It was ordered; else it is of an event."""


def standings(engine: Engine, commune: str | None, now_ms: int) -> tuple[BoxStanding, ...]:
    """Every box of the commune, or of all that can be read (None), by its id.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            return _all(connection, commune, now_ms)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def newest_pictures(engine: Engine, box_id: int, names: tuple[str, ...]) -> dict[str, NewestPicture]:
    """Camera -> its newest picture of the whole view; cameras without one are left out.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            found = {name: _newest(connection, box_id, name) for name in names}
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return {name: each for name, each in found.items() if each is not None}


def _all(connection: Connection, commune: str | None, now_ms: int) -> tuple[BoxStanding, ...]:
    since = {row[0]: row[1] for row in connection.execute(_since())}
    crowded = _crowded(connection)
    of_box: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(
        select(camera).where(camera.c.box_id.not_in(list(crowded))).order_by(camera.c.name)
    ):
        of_box.setdefault(row.box_id, []).append(row)
    alarms: dict[str | None, list[StandingAlarm]] = {}
    for each in standing(connection):
        alarms.setdefault(each.box, []).append(each)
    gaps = _gaps(connection, now_ms - GONE_SHOWN_MS)
    query = select(box).order_by(box.c.device)
    if commune is not None:
        query = query.where(box.c.commune == commune)
    rows = connection.execute(query).all()
    for row in rows:
        if row.id in crowded:
            of_box[row.id] = _of_crowded(connection, row)
    return tuple(
        _standing(
            row,
            since.get(row.id),
            of_box.get(row.id, []),
            crowded.get(row.id),
            tuple(alarms.get(f"{row.commune}/{row.device}", ())),
            gaps.get(row.id, BoxGaps()),
            now_ms,
        )
        for row in rows
    )


def _crowded(connection: Connection) -> dict[int, int]:
    """Box -> how many cameras have spoken in its name, where that is more than a box has."""
    number = func.count()
    query = select(camera.c.box_id, number).group_by(camera.c.box_id).having(number > MOST_SHOWN)
    return {row[0]: row[1] for row in connection.execute(query)}


def _of_crowded(connection: Connection, row: Row[Any]) -> list[Row[Any]]:
    """What is needed of such a box: the cameras that it is set up with, or else the first."""
    info = _read(InfoPayload, row.info)
    query = select(camera).where(camera.c.box_id == row.id).order_by(camera.c.name)
    if info is not None and info.cameras:
        query = query.where(camera.c.name.in_([each.id for each in info.cameras[:MOST_SHOWN]]))
    return list(connection.execute(query.limit(MOST_SHOWN)).all())


def _since() -> Select[Any]:
    """Box -> when the station heard of its state; the moment of a will is that of its connection."""
    same = (
        (box_status.c.box_id == box.c.id)
        & (box_status.c.session == box.c.state_session)
        & (box_status.c.state == box.c.state)
    )
    return select(box.c.id, func.max(box_status.c.received_ms)).join(box_status, same).group_by(box.c.id)


def _gaps(connection: Connection, gone_since_ms: int) -> dict[int, BoxGaps]:
    missing = func.sum(cast(gap.c.missing, Float))  # whole numbers of a hostile box could leave 64 bits
    news = (gap.c.state == str(GapState.OPEN)) | (gap.c.opened_ms >= gone_since_ms)
    query = (
        select(stream.c.box_id, gap.c.state, missing.label("missing"))
        .join(stream, stream.c.id == gap.c.stream_id)
        .where(gap.c.closed_ms.is_(None), news)
        .group_by(stream.c.box_id, gap.c.state)
    )
    found: dict[int, dict[str, int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.box_id, {})[row.state] = int(row.missing)
    return {
        box_id: BoxGaps(by.get(str(GapState.OPEN), 0), by.get(str(GapState.GONE), 0))
        for box_id, by in found.items()
    }


def _standing(
    row: Row[Any],
    since_ms: int | None,
    cameras: list[Row[Any]],
    spoken: int | None,
    alarms: tuple[StandingAlarm, ...],
    gaps: BoxGaps,
    now_ms: int,
) -> BoxStanding:
    info, health = _read(InfoPayload, row.info), _read(HealthPayload, row.health)
    is_shared = any(each.kind == AlarmKind.SAME_TITLE for each in alarms)
    age_ms = None if health is None else max(0, now_ms - _said_ms(health, row.health_ms))
    claimed = len(info.cameras) if info is not None and info.cameras else spoken or len(cameras)
    titles = {each.name: each.title for each in reversed(camera_places(row.info or ""))}  # the first of a name
    shown = _cameras(info, health, cameras, titles)
    return BoxStanding(
        id=row.id,
        commune=row.commune,
        device=row.device,
        title=shown_title(told_title(row.info), row.device, is_shared=is_shared),
        state=row.state,
        since_ms=since_ms if since_ms is not None else row.state_ms,
        word_ms=_word_ms(row, since_ms, health),
        info=info,
        health=health,
        health_age_ms=age_ms,
        cameras=shown,
        more_cameras=max(0, claimed - MOST_SHOWN),
        alarms=alarms,
        gaps=gaps,
    )


def _read(model: Any, text: str | None) -> Any:
    """What a box said, if this station understands it."""
    try:
        return None if text is None else codec.parse(model, text.encode())
    except WireError:
        return None


def _said_ms(health: HealthPayload, came_ms: int) -> int:
    """When it was said: the broker gives an old word again to a station that has just started."""
    vouched = health.clock is not None and health.clock.state in TRUSTED_CLOCKS
    return min(came_ms, ms(health.time)) if vouched else came_ms


def _word_ms(row: Row[Any], since_ms: int | None, health: HealthPayload | None) -> int:
    """That a box is away is the broker's word; its own newest one came before that."""
    if row.state == "online" or row.state is None:
        return int(row.last_seen_ms)
    said = [each for each in (since_ms, row.last_seen_ms) if each is not None]
    if row.state == "offline" and health is not None:
        said.append(_said_ms(health, row.health_ms))
    return int(min(said))


def _cameras(
    info: InfoPayload | None, health: HealthPayload | None, rows: list[Row[Any]], titles: Mapping[str, str]
) -> tuple[CameraStanding, ...]:
    """Those that the box is set up with; before it has told of any, those that spoke; MOST_SHOWN at most."""
    stated = {row.name: row for row in rows}
    configured = {each.id: each for each in info.cameras} if info is not None else {}
    paused = {each.of for each in health.degradations if each.word == "paused"} if health is not None else set()
    found = []
    for name in islice(configured or stated, MOST_SHOWN):
        row, of_info = stated.get(name), configured.get(name)
        of_health = health.cameras.get(name) if health is not None else None
        body = _read(CameraStatusPayload, row.body) if row is not None else None
        state = row.state if row is not None else (of_health.state if of_health is not None else None)
        reason = body.reason if body is not None else None
        found.append(
            CameraStanding(
                name=name,
                title=titles.get(name, name),
                state=state or "unknown",
                since_ms=row.since_ms if row is not None else None,
                reason=reason,
                kind=of_info.kind if of_info is not None else None,
                recording=of_health.recording if of_health is not None else None,
                fps=of_health.fps_analysed if of_health is not None else None,
                paused=name in paused or camera_word(state or "", reason) == "paused",
            )
        )
    return tuple(found)


def _newest(connection: Connection, box_id: int, name: str) -> NewestPicture | None:
    ordered = (
        select(picture.c.sha256, picture.c.received_ms)
        .where(picture_is_snapshot, picture.c.box_id == box_id, picture.c.camera == name)
        .order_by(picture.c.received_ms.desc())
        .limit(1)
    )
    latest = (
        select(event.c.scene_sha256, event_began_ms.label("began_ms"))
        .where(event.c.box_id == box_id, event.c.camera == name)
        .order_by(event_began_ms.desc())
        .limit(_NEWEST)
        .subquery()
    )
    seen = (
        select(latest.c.scene_sha256, latest.c.began_ms)
        .join(blob, blob.c.sha256 == latest.c.scene_sha256)
        .order_by(latest.c.began_ms.desc())
        .limit(1)
    )
    found = [NewestPicture(row[0], row[1], ordered=True) for row in connection.execute(ordered)]
    found += [NewestPicture(row[0], row[1], ordered=False) for row in connection.execute(seen)]
    return max(found, key=lambda each: each.at_ms, default=None)
