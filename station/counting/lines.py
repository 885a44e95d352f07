"""Which lines were ever counted at, and which of them seems to be another's new name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Engine, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words
from station.store.schema import box, count_interval

_RENAMED_WITHIN_MS: Final = 3_600_000
"""From the last interval under one name to the first under another, at most: a box that is set up anew."""


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A counting rule of one camera, by the name that it has or had."""

    box_id: int
    box: str
    camera: str
    rule: str
    first_ms: int
    """Where its first interval begins, by the box's clock."""
    last_ms: int
    """Where its last one begins."""


def counted_lines(engine: Engine, box_ids: Sequence[int] = ()) -> Sequence[CountedLine]:
    """Every line of these boxes, or of all, by box, camera and name.

    An index has them in order, and is leapt over from one to the next: the number of intervals costs nothing.

    Raises:
        StoreError: the store cannot be read.
    """
    found = _lines(box_ids)
    of = [count_interval.c[name] == found.c[name] for name in ("box_id", "camera", "rule")]
    ends = [
        select(way(count_interval.c.start_ms)).where(*of).scalar_subquery().label(name)
        for name, way in (("first_ms", func.min), ("last_ms", func.max))
    ]
    query: Select[Any] = select(found, box.c.device, *ends).join(box, box.c.id == found.c.box_id)
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(query.order_by(box.c.device, found.c.camera, found.c.rule)).all()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return tuple(
        CountedLine(row.box_id, row.device, row.camera, row.rule, row.first_ms, row.last_ms) for row in rows
    )


def predecessors(lines: Iterable[CountedLine]) -> Mapping[CountedLine, CountedLine]:
    """Line -> the one whose new name it seems to be: of that camera, and ended when this one began.

    A configuration names rules as it likes, and nothing on the wire says that one was renamed: this is a guess
    for somebody to agree to. Two that began at once, or two that ended, are left alone.
    """
    listed = list(lines)
    candidates: dict[CountedLine, list[CountedLine]] = {}
    for line in listed:
        for other in listed:
            is_neighbour = (other.box_id, other.camera) == (line.box_id, line.camera) and other != line
            if is_neighbour and 0 <= line.first_ms - other.last_ms <= _RENAMED_WITHIN_MS:
                candidates.setdefault(line, []).append(other)
    taken = [other for others in candidates.values() for other in others]
    return {
        line: others[0]
        for line, others in candidates.items()
        if len(others) == 1 and taken.count(others[0]) == 1
    }


def _lines(box_ids: Sequence[int]) -> CTE:
    """(box_id, camera, rule), each once."""
    of = count_interval.c
    first = func.min(of.camera)
    start = select(box.c.id.label("box_id"), _next(first, of.box_id == box.c.id).label("camera"))
    if box_ids:
        start = start.where(box.c.id.in_(box_ids))
    cameras = start.cte("cameras", recursive=True)
    after = _next(first, of.box_id == cameras.c.box_id, of.camera > cameras.c.camera)
    cameras = cameras.union_all(select(cameras.c.box_id, after).where(cameras.c.camera.is_not(None)))
    name = func.min(of.rule)
    here = of.box_id == cameras.c.box_id, of.camera == cameras.c.camera
    lines = (
        select(cameras.c.box_id, cameras.c.camera, _next(name, *here).label("rule"))
        .where(cameras.c.camera.is_not(None))
        .cte("lines", recursive=True)
    )
    there = of.box_id == lines.c.box_id, of.camera == lines.c.camera, of.rule > lines.c.rule
    lines = lines.union_all(
        select(lines.c.box_id, lines.c.camera, _next(name, *there)).where(lines.c.rule.is_not(None))
    )
    return select(lines).where(lines.c.rule.is_not(None)).cte("found")


def _next(what: ColumnElement[str], *where: ColumnElement[bool]) -> Any:
    return select(what).where(*where).scalar_subquery()
