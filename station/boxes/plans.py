"""Plans: pictures of the commune, with the places of boxes on them.

Places are in permille of the picture, from its left and its top, so they stay right at every size. Whoever
saves the places of a plan says which plan he saw: what somebody else has saved meanwhile is not overwritten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from agent.printable import printable
from agent.translatable import tr
from station.boxes.plan_picture import PlanError, plan_picture
from station.store.database import in_words
from station.store.schema import box, plan, plan_place

MAX_PLANS: Final = 50
MAX_NAME_CHARS: Final = 80
PERMILLE: Final = 1000
_TOLD: Final = (plan.c.id, plan.c.name, plan.c.width_px, plan.c.height_px, plan.c.changed_ms)


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """Where a box hangs on a plan."""

    device: str
    x_permille: int
    y_permille: int


@dataclass(frozen=True, slots=True)
class CommunePlan:
    """A plan without its picture."""

    id: int
    name: str
    width_px: int
    height_px: int
    changed_ms: int
    """Of picture, name or places."""
    places: tuple[PlacedBox, ...]


@dataclass(frozen=True, slots=True)
class PlanImage:
    """Its picture."""

    media_type: str
    data: bytes
    changed_ms: int


class Plans:
    """The plans of a station; for many threads."""

    def __init__(
        self, engine: Engine, reads: Engine | None = None, now: Callable[[], float] = time.time
    ) -> None:
        """`reads` is for whoever only looks, so that it waits for no writer; None: `engine`."""
        self._writes, self._reads, self._now = engine, reads or engine, now

    def all(self) -> tuple[CommunePlan, ...]:
        """Every plan, by name.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._reading() as connection:
            rows = connection.execute(select(*_TOLD).order_by(func.lower(plan.c.name), plan.c.id)).all()
            return tuple(_plan(connection, row) for row in rows)

    def find(self, plan_id: int) -> CommunePlan | None:
        """One plan; None: there is none.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._reading() as connection:
            row = connection.execute(select(*_TOLD).where(plan.c.id == plan_id)).first()
            return None if row is None else _plan(connection, row)

    def image(self, plan_id: int) -> PlanImage | None:
        """Its picture; None: there is no such plan.

        Raises:
            StoreError: the store cannot be read.
        """
        columns = plan.c.media_type, plan.c.image, plan.c.changed_ms
        with self._reading() as connection:
            row = connection.execute(select(*columns).where(plan.c.id == plan_id)).first()
        return None if row is None else PlanImage(row.media_type, bytes(row.image), row.changed_ms)

    def add(self, name: str, data: bytes) -> int:
        """Make a plan of a picture's file; its id.

        Raises:
            PlanError: the picture or the name will not do, or there are MAX_PLANS.
            StoreError: the store cannot be written.
        """
        name, made = _name(name), plan_picture(data)
        with self._writing() as connection:
            if (connection.scalar(select(func.count()).select_from(plan)) or 0) >= MAX_PLANS:
                raise PlanError(tr("there are {most} plans already", most=MAX_PLANS), tr("remove one"))
            values = {
                "name": name,
                "media_type": made.media_type,
                "image": made.data,
                "width_px": made.width_px,
                "height_px": made.height_px,
                "changed_ms": self._now_ms(),
            }
            key = connection.execute(insert(plan).values(values)).inserted_primary_key
            assert key is not None
            return int(key[0])

    def change(self, plan_id: int, name: str, data: bytes | None = None) -> None:
        """Give a plan another name, and with `data` another picture; the places stay.

        Raises:
            PlanError: there is no such plan, or the picture or the name will not do.
            StoreError: the store cannot be written.
        """
        values: dict[str, Any] = {"name": _name(name), "changed_ms": self._now_ms()}
        if data is not None:
            made = plan_picture(data)
            values |= {"media_type": made.media_type, "image": made.data}
            values |= {"width_px": made.width_px, "height_px": made.height_px}
        with self._writing() as connection:
            if not connection.execute(update(plan).where(plan.c.id == plan_id).values(values)).rowcount:
                raise _no_plan()

    def remove(self, plan_id: int) -> None:
        """Take a plan away, with its places.

        Raises:
            PlanError: there is none.
            StoreError: the store cannot be written.
        """
        with self._writing() as connection:
            connection.execute(delete(plan_place).where(plan_place.c.plan_id == plan_id))
            if not connection.execute(delete(plan).where(plan.c.id == plan_id)).rowcount:
                raise _no_plan()

    def arrange(
        self, plan_id: int, commune: str, places: Mapping[str, tuple[int, int]], seen_ms: int | None = None
    ) -> CommunePlan:
        """Have exactly these boxes on the plan: the id of each with permille from the left and from the top.

        `seen_ms` is the plan's `changed_ms` as whoever arranged them saw it; None: whatever it is now.

        Raises:
            PlanError: there is no such plan or box, a place is not on the picture, or somebody else has changed
                the plan meanwhile.
            StoreError: the store cannot be written.
        """
        for x, y in places.values():
            if not (0 <= x <= PERMILLE and 0 <= y <= PERMILLE):
                raise PlanError(tr("a place is not on the picture"))
        with self._writing() as connection:
            found = connection.execute(select(*_TOLD).where(plan.c.id == plan_id)).first()
            if found is None:
                raise _no_plan()
            if seen_ms is not None and found.changed_ms != seen_ms:
                raise PlanError(
                    tr("somebody else has changed this plan meanwhile"),
                    tr("load the page again, and try again"),
                )
            ids = _ids(connection, commune, places)
            connection.execute(delete(plan_place).where(plan_place.c.plan_id == plan_id))
            rows = [
                {"plan_id": plan_id, "box_id": ids[device], "x_permille": x, "y_permille": y}
                for device, (x, y) in places.items()
            ]
            if rows:
                connection.execute(insert(plan_place), rows)
            changed_ms = max(self._now_ms(), found.changed_ms + 1)  # each change is another one
            connection.execute(update(plan).where(plan.c.id == plan_id).values(changed_ms=changed_ms))
            row = connection.execute(select(*_TOLD).where(plan.c.id == plan_id)).one()
            return _plan(connection, row)

    def _now_ms(self) -> int:
        return round(self._now() * 1000)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._reads.connect() as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._writes.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise in_words(error, self._writes.url) from error


def _plan(connection: Connection, row: Any) -> CommunePlan:
    query = (
        select(box.c.device, plan_place.c.x_permille, plan_place.c.y_permille)
        .join(box, box.c.id == plan_place.c.box_id)
        .where(plan_place.c.plan_id == row.id)
        .order_by(box.c.device)
    )
    places = tuple(PlacedBox(*each) for each in connection.execute(query))
    return CommunePlan(row.id, row.name, row.width_px, row.height_px, row.changed_ms, places)


def _ids(connection: Connection, commune: str, places: Mapping[str, object]) -> dict[str, int]:
    query = select(box.c.device, box.c.id).where(box.c.commune == commune)
    known = {row.device: row.id for row in connection.execute(query)}
    if strangers := sorted(set(places) - set(known)):
        raise PlanError(tr("there is no box {box}", box=printable(strangers[0])[:100]))
    return known


def _name(name: str) -> str:
    found = printable(name).strip()
    if not found or len(found) > MAX_NAME_CHARS:
        raise PlanError(tr("a plan needs a name of 1 to {most} letters", most=MAX_NAME_CHARS))
    return found


def _no_plan() -> PlanError:
    return PlanError(tr("there is no such plan any more"), tr("go back to the plans"))
