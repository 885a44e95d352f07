"""How each box stands now, out of the store, for conventions that tell states."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import HealthPayload, InfoPayload, Payload
from station.lookup.places import BoxPlace, read_places
from station.outward.feed import OutEvent
from station.store.database import in_words
from station.store.schema import box, camera, event

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class BoxNow:
    """One box by what it told last."""

    commune: str
    device: str
    state: str | None
    """online, offline, stopped; None: it never said."""
    info: InfoPayload | None
    health: HealthPayload | None
    cameras: Mapping[str, str]
    """Name -> streaming, stalled, lost, blind or disabled."""
    open_rules: frozenset[tuple[str, str]]
    """Camera and rule of every event that goes on."""
    place: BoxPlace
    """What it and all of its cameras and rules are called, as people are shown it at the screen."""


def boxes_now(engine: Engine) -> Sequence[BoxNow]:
    """All of them, by commune and device.

    Raises:
        StoreError: the store cannot be read.
    """
    columns = box.c.id, box.c.commune, box.c.device, box.c.state, box.c.info, box.c.health
    seen = select(camera.c.box_id, camera.c.name, camera.c.state)
    going_on = select(event.c.box_id, event.c.camera, event.c.rule_id).where(event.c.phase != "end").distinct()
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(select(*columns).order_by(box.c.commune, box.c.device)).all()
            places = read_places(connection)
            cameras: dict[int, dict[str, str]] = defaultdict(dict)
            for box_id, name, state in connection.execute(seen):
                cameras[box_id][name] = state
            rules: dict[int, set[tuple[str, str]]] = defaultdict(set)
            for box_id, name, rule in connection.execute(going_on):
                rules[box_id].add((name, rule))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return [
        BoxNow(
            row.commune,
            row.device,
            row.state,
            _info(row.info or ""),
            _health(row.health or ""),
            cameras[row.id],
            frozenset(rules[row.id]),
            places[row.id],
        )
        for row in rows
    ]


def others_open(engine: Engine, out: OutEvent) -> bool:
    """Whether another event of the same rule of the same camera goes on.

    Raises:
        StoreError: the store cannot be read.
    """
    query = (
        select(event.c.event_id)
        .where(
            event.c.phase != "end",
            event.c.box_id == out.box_id,
            event.c.camera == out.payload.camera,
            event.c.rule_id == out.payload.rule.id,
            event.c.event_id != out.payload.id,
        )
        .limit(1)
    )
    try:
        with engine.connect() as connection, connection.begin():
            return connection.scalar(query) is not None
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _read(model: type[P], body: str) -> P | None:
    if not body:
        return None
    try:
        return codec.parse(model, body.encode())
    except WireError:
        return None


@functools.lru_cache(maxsize=1024)
def _info(body: str) -> InfoPayload | None:
    return _read(InfoPayload, body)


@functools.lru_cache(maxsize=1024)
def _health(body: str) -> HealthPayload | None:
    return _read(HealthPayload, body)
