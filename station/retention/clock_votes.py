"""Whether boxes of a good clock speak against the station's: each box has one vote, however much it tells.

A box votes by what it said last of now: its newest events that did not wait, and how it says it is. One of them
that came when it was said is enough: what lay at a broker while the station was away speaks against nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from agent.errors import WireError
from agent.translatable import joined, tr
from agent.wire import codec
from agent.wire.payloads import HealthPayload
from station.retention.settings import DAY_MS
from station.store.clocks import TRUSTED_CLOCKS
from station.store.columns import ms
from station.store.id_cache import Box
from station.store.schema import box, event, event_revision, stream

APART_MS: Final = DAY_MS
"""So far a good clock and the station's are never apart, unless one of them was set wrong."""
_SINCE_MS: Final = 2 * DAY_MS
_STREAMS: Final = 2
"""The newest of a box: a new one may have brought no event yet."""
_EVENTS: Final = 5
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class ClockVote:
    """By how much the station's clock is ahead of one box's; negative where it is behind."""

    box: Box
    ahead_ms: int

    @property
    def is_apart(self) -> bool:
        """One of the two clocks is wrong."""
        return abs(self.ahead_ms) > APART_MS

    @property
    def days(self) -> int:
        """Between the two."""
        return round(abs(self.ahead_ms) / DAY_MS)

    @property
    def detail(self) -> str:
        """As an alarm says it."""
        if self.ahead_ms > 0:
            return tr("what it tells of now is dated {days} days before it came here", days=self.days)
        return tr("what it tells of now is dated {days} days after it came here", days=self.days)


@dataclass(frozen=True, slots=True)
class ClockVotes:
    """Of the boxes that spoke in the last two days by a clock that somebody vouches for."""

    every: Sequence[ClockVote]

    @property
    def against(self) -> Sequence[ClockVote]:
        """Those of the side that has most of all boxes; none: the station's clock is not in doubt.

        A single box against the station is enough: nobody can say which is right, and what is deleted is gone.
        With two boxes of which one agrees with the station, the other one is wrong.
        """
        for sign in (1, -1):
            side = [each for each in self.every if each.is_apart and each.ahead_ms * sign > 0]
            if 2 * len(side) > len(self.every):
                return side
        return ()

    @property
    def wrong(self) -> Sequence[ClockVote]:
        """Boxes whose own clock is wrong, as the others say."""
        return () if self.against else [each for each in self.every if each.is_apart]

    @property
    def doubt(self) -> str:
        """Why the station's clock is in doubt, with the names of those who say so; '': it is not."""
        against = self.against
        if not against:
            return ""
        names = [tr("{box} ({days} days)", box=each.box[1], days=each.days) for each in against[:_NAMED]] + (
            [tr("{n} more", n=len(against) - _NAMED)] if len(against) > _NAMED else []
        )
        boxes = joined(", ", names)
        if against[0].ahead_ms > 0:
            return tr(
                "{count} of {all} boxes date what they tell more than a day before this machine does: {boxes}",
                count=len(against),
                all=len(self.every),
                boxes=boxes,
            )
        return tr(
            "{count} of {all} boxes date what they tell more than a day after this machine does: {boxes}",
            count=len(against),
            all=len(self.every),
            boxes=boxes,
        )


def clock_votes(connection: Connection, now_ms: int) -> ClockVotes:
    """One vote of each box that spoke of now."""
    columns = box.c.id, box.c.commune, box.c.device, box.c.state, box.c.health, box.c.health_ms
    found = list[ClockVote]()
    for row in connection.execute(select(*columns).order_by(box.c.commune, box.c.device)).all():
        said = list(_of_events(connection, row.id, now_ms - _SINCE_MS))
        if row.state == "online" and (row.health_ms or 0) > now_ms - _SINCE_MS:
            said += _of_health(row.health, row.health_ms)
        if said:
            found.append(ClockVote((row.commune, row.device), min(said, key=abs)))
    return ClockVotes(found)


def _of_events(connection: Connection, box_id: int, since_ms: int) -> Iterator[int]:
    """By number, which an index has in order: to look for them by receipt would read what all boxes told."""
    streams = select(stream.c.id).where(stream.c.box_id == box_id).order_by(stream.c.id.desc()).limit(_STREAMS)
    its_event = (event.c.event_id == event_revision.c.event_id) & (event.c.box_id == event_revision.c.box_id)
    for stream_id in connection.scalars(streams).all():
        query = (
            select(event_revision.c.received_ms, event_revision.c.time_ms, event_revision.c.replayed)
            .add_columns(event.c.clock_state)
            .join(event, its_event)
            .where(event_revision.c.stream_id == stream_id)
            .order_by(event_revision.c.seq.desc())
            .limit(_EVENTS)
        )
        for row in connection.execute(query):
            if row.received_ms > since_ms and not row.replayed and row.clock_state in TRUSTED_CLOCKS:
                yield row.received_ms - row.time_ms


def _of_health(text: str, came_ms: int) -> Iterator[int]:
    try:
        health = codec.parse(HealthPayload, text.encode())
    except WireError:  # of a version that this station does not understand
        return
    if health.clock is not None and health.clock.state in TRUSTED_CLOCKS:
        yield came_ms - ms(health.time)
