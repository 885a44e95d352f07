"""What became of a box and its cameras since a moment: each change of their states, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words
from station.store.schema import box_status, camera_status

MOST: Final = 200
"""A connection that flutters makes hundreds in a day; the newest are shown."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """From then on it was so."""

    at_ms: int
    camera: str | None
    """None: it is of the box itself."""
    state: str
    reason: str | None = None


def changes_since(engine: Engine, box_id: int, since_ms: int, most: int = MOST) -> tuple[StateChange, ...]:
    """The changes that the station heard of since then, the newest first, `most` of them at most.

    A camera's moment is that of its change, by the box's clock, where that is before it came here; a box's is
    when it came, for the will of a box that is lost bears the moment of its connection.

    Raises:
        StoreError: the store cannot be read.
    """
    of_box = (
        select(box_status.c.received_ms, box_status.c.state)
        .where(box_status.c.box_id == box_id, box_status.c.received_ms >= since_ms)
        .order_by(box_status.c.id.desc())
        .limit(most)
    )
    of_cameras = (
        select(camera_status)
        .where(camera_status.c.box_id == box_id, camera_status.c.received_ms >= since_ms)
        .order_by(camera_status.c.id.desc())
        .limit(most)
    )
    try:
        with engine.connect() as connection, connection.begin():
            found = [StateChange(row.received_ms, None, row.state) for row in connection.execute(of_box)]
            found += [
                StateChange(min(row.since_ms, row.received_ms), row.camera, row.state, row.reason)
                for row in connection.execute(of_cameras)
            ]
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return tuple(sorted(found, key=lambda each: -each.at_ms)[:most])
