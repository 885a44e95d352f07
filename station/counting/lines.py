"""Which lines were ever counted at, and which of them seems to be another's new name."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Engine, Select, Text, case, cast, exists, func, literal, null, select
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words
from station.store.schema import box, count_interval

_RENAMED_WITHIN_MS: Final = 3_600_000
"""From the last interval under one name to the first under another, at most: a box that is set up anew."""
MOST_LINES: Final = 256
"""Of one box, where nobody asks for more: a box names lines as it likes, and as many as it likes."""


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


def counted_lines(
    engine: Engine,
    box_ids: Sequence[int] = (),
    most: int | None = None,
    within_ms: tuple[int, int] | None = None,
) -> Sequence[CountedLine]:
    """Every line of these boxes, or of all, by box, camera and name; of one box the first `most`.

    Of those, if it is given, the ones of which an interval begins from within_ms[0] until before within_ms[1],
    by the box's clock.
    An index has them in order, and is leapt over from one to the next: the number of intervals costs nothing.

    Raises:
        StoreError: the store cannot be read.
    """
    return _read(engine, _found(box_ids, most), within_ms)


def counted_line(engine: Engine, device: str, camera: str, rule: str) -> CountedLine | None:
    """The line of this name; None: nobody ever counted there.

    Raises:
        StoreError: the store cannot be read.
    """
    if "\0" in device + camera + rule:  # no text of a database
        return None
    of = count_interval.c
    found = (
        select(box.c.id.label("box_id"), literal(camera).label("camera"), literal(rule).label("rule"))
        .where(
            box.c.device == device,
            exists().where(of.box_id == box.c.id, of.camera == camera, of.rule == rule),
        )
        .order_by(box.c.id)
        .limit(1)
        .cte("found")
    )
    return next(iter(_read(engine, found)), None)


def camera_lines(engine: Engine, box_id: int, camera: str, most: int | None = None) -> Sequence[CountedLine]:
    """Every line of one camera by name, or the first `most`.

    Raises:
        StoreError: the store cannot be read.
    """
    return _read(engine, _found((box_id,), most, camera))


def predecessors(lines: Iterable[CountedLine]) -> Mapping[CountedLine, CountedLine]:
    """Line -> the one whose new name it seems to be: of that camera, and ended when this one began.

    A configuration names rules as it likes, and nothing on the wire says that one was renamed: this is a guess
    for somebody to agree to. Two that began at once, or two that ended, are left alone.
    What counted for the last time when the other one began was beside it: so nobody comes before himself.
    """
    of_camera: dict[tuple[int, str], list[CountedLine]] = {}
    for line in lines:
        of_camera.setdefault((line.box_id, line.camera), []).append(line)
    return dict(pair for each in of_camera.values() for pair in _renamed(each))


def _renamed(lines: Sequence[CountedLine]) -> Iterator[tuple[CountedLine, CountedLine]]:
    """(line, what it was before) of one camera: each is the only one for the other."""
    by_end = sorted(lines, key=lambda line: line.last_ms)
    by_start = sorted(lines, key=lambda line: line.first_ms)
    ends = [line.last_ms for line in by_end]
    starts = [line.first_ms for line in by_start]
    for line in lines:
        ended = _only(by_end, ends, line.first_ms - _RENAMED_WITHIN_MS, line.first_ms - 1, line)
        if ended is None:
            continue
        if _only(by_start, starts, ended.last_ms + 1, ended.last_ms + _RENAMED_WITHIN_MS, ended) is not None:
            yield line, ended


def _only(
    ordered: Sequence[CountedLine], at_ms: Sequence[int], low_ms: int, high_ms: int, but: CountedLine
) -> CountedLine | None:
    """The one from low_ms to high_ms beside `but`; None: there is none, or more than one."""
    first, end = bisect_left(at_ms, low_ms), bisect_right(at_ms, high_ms)
    found = [line for line in ordered[first : min(end, first + 3)] if line != but]
    return found[0] if len(found) == 1 else None


def _read(engine: Engine, found: CTE, within_ms: tuple[int, int] | None = None) -> Sequence[CountedLine]:
    of = [count_interval.c[name] == found.c[name] for name in ("box_id", "camera", "rule")]
    ends = [
        select(way(count_interval.c.start_ms)).where(*of).scalar_subquery().label(name)
        for name, way in (("first_ms", func.min), ("last_ms", func.max))
    ]
    query: Select[Any] = select(found, box.c.device, *ends).join(box, box.c.id == found.c.box_id)
    if within_ms is not None:
        start_ms = count_interval.c.start_ms
        query = query.where(exists().where(*of, start_ms >= within_ms[0], start_ms < within_ms[1]))
    try:
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(query.order_by(box.c.device, found.c.camera, found.c.rule)).all()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return tuple(
        CountedLine(row.box_id, row.device, row.camera, row.rule, row.first_ms, row.last_ms) for row in rows
    )


def _found(box_ids: Sequence[int], most: int | None, camera: str | None = None) -> CTE:
    """(box_id, camera, rule), each once; of one box the first `most`.

    A step goes to the next rule of the camera or, behind the last one, to the next camera, of which it has no
    rule yet.
    """
    of = count_interval.c
    begun = _least(of.camera, of.box_id == box.c.id) if camera is None else literal(camera)
    start = select(
        box.c.id.label("box_id"),
        begun.label("camera"),
        cast(null(), Text).label("rule"),
        literal(0).label("number"),
    )
    if box_ids:
        start = start.where(box.c.id.in_(box_ids))
    lines = start.cte("lines", recursive=True)
    at = lines.c
    rule = _least(of.rule, of.box_id == at.box_id, of.camera == at.camera, of.rule > func.coalesce(at.rule, ""))
    there = _least(of.camera, of.box_id == at.box_id, of.camera > at.camera) if camera is None else null()
    step = select(
        at.box_id,
        case((rule.is_not(None), at.camera), else_=there),
        rule,
        at.number + case((rule.is_not(None), 1), else_=0),
    ).where(at.camera.is_not(None))
    if most is not None:
        step = step.where(at.number < most)
    lines = lines.union_all(step)
    query = select(lines.c.box_id, lines.c.camera, lines.c.rule)
    return query.where(lines.c.rule.is_not(None)).cte("found")


def _least(what: ColumnElement[str], *where: ColumnElement[bool]) -> Any:
    return select(func.min(what)).where(*where).scalar_subquery()
