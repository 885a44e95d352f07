"""Steps of the duty room with events: each by somebody, none over another's head, all of them kept.

Invariants
1. Who takes a step names the one that he has seen last. If another came meanwhile, nothing is changed, and he
   is told what it was: of two officers at once the second learns what the first said.
2. `review`, `review_change` and `event.settled_ms` say the same, for they are written in one transaction.
3. A step's id is above those of all steps that anybody could read before: steps are taken one after another.
4. A past step is never changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import NgatuError
from agent.translatable import tr
from station.review import open_alerts as alerts
from station.review import standing as reading
from station.review.open_alerts import EVERY, PAGE, AlertPlace, AlertWish, OpenAlert, OpenCount
from station.review.standing import Reviewer, ReviewKey, ReviewStep, Standing
from station.review.states import STATE_WORDS, FalseReason, ReviewState, clean_note, judge_step
from station.store.database import in_words
from station.store.schema import event, event_began_ms, review, review_change
from station.store.statements.inserts import upsert

_OF_EVENT: Final = (event.c.camera, event.c.rule_id, event.c.rule_kind, event_began_ms.label("began_ms"))


class EventUnknown(NgatuError):
    """The store has no such event."""


class ReviewOvertaken(NgatuError):
    """Somebody else took a step meanwhile: nothing was changed. `standing` is what he said (invariant 1)."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        name = standing.by.name if standing.by else tr("somebody")
        super().__init__(
            tr("{name} was faster: {state}", name=name, state=STATE_WORDS[standing.state]),
            tr("look at what was said, then decide again"),
        )


class ReviewQueue:
    """What was made of events; any number of threads and processes may have one."""

    def __init__(
        self, engine: Engine, writes: Engine | None = None, now: Callable[[], float] = time.time
    ) -> None:
        """`engine` reads; `writes` takes steps, where that is another one. `now` is in seconds since 1970."""
        self._reads, self._writes, self._now = engine, writes or engine, now

    def mark(
        self,
        key: ReviewKey,
        state: ReviewState,
        by: Reviewer,
        *,
        seen: int,
        note: str = "",
        reason: FalseReason | None = None,
        right_label: str | None = None,
    ) -> Standing:
        """Take a step; `seen` is `Standing.change_id` as whoever decided has seen it.

        `right_label` is one of RIGHT_LABELS, of what was taken for something else.

        Raises:
            ReviewRefused: the step may not follow, or lacks something.
            ReviewOvertaken: invariant 1.
            EventUnknown: there is no such event.
            StoreError: the store cannot be read or written.
        """
        kept = clean_note(note)
        try:
            with self._writes.begin() as connection:
                _one_at_a_time(connection)
                wanted = Standing(state, reason, kept, by, right_label=right_label)
                return self._step(connection, key, wanted, seen)
        except SQLAlchemyError as error:
            raise in_words(error, self._writes.url) from error

    def acknowledge(self, key: ReviewKey, by: Reviewer, *, seen: int, note: str = "") -> Standing:
        """Say that somebody has it in hand. Raises as `mark` does."""
        return self.mark(key, ReviewState.SEEN, by, seen=seen, note=note)

    def take_back(self, key: ReviewKey, by: Reviewer, *, seen: int, note: str = "") -> Standing:
        """Open it again, as if nobody had looked; its history stays. Raises as `mark` does."""
        return self.mark(key, ReviewState.NEW, by, seen=seen, note=note)

    def key_of(self, commune: str, device: str, event_id: str) -> ReviewKey | None:
        """The ids of an event by its names; None: the store has no such event."""
        return reading.key_of(self._reads, commune, device, event_id)

    def standing(self, key: ReviewKey) -> Standing:
        """How one event stands."""
        return self.standings([key])[key]

    def standings(self, keys: Collection[ReviewKey]) -> Mapping[ReviewKey, Standing]:
        """How these events stand; every one of them has an entry."""
        return reading.standings(self._reads, keys)

    def history(self, key: ReviewKey) -> Sequence[ReviewStep]:
        """Every step of an event, the first one first."""
        return reading.history(self._reads, key)

    def changes_after(self, after: int, limit: int = 500) -> Sequence[ReviewStep]:
        """For a feed: steps after the one of that id, in order; `newest_change` is where it begins."""
        return reading.changes_after(self._reads, after, limit)

    def newest_change(self) -> int:
        """The id of the latest step; 0 where none was taken."""
        return reading.newest_change(self._reads)

    def open_alerts(
        self,
        wish: AlertWish = EVERY,
        after: AlertPlace | None = None,
        limit: int = PAGE,
        *,
        itself: bool = False,
    ) -> Sequence[OpenAlert]:
        """The queue, the newest first, a page at a time."""
        return alerts.open_alerts(self._reads, wish, after, limit, itself=itself)

    def open_counts(self) -> Sequence[OpenCount]:
        """How many are open, by box, camera and rule."""
        return alerts.open_counts(self._reads)

    def _step(self, connection: Connection, key: ReviewKey, wanted: Standing, seen: int) -> Standing:
        assert wanted.by is not None
        one = event.c.box_id == key[0], event.c.event_id == key[1]
        it = connection.execute(select(*_OF_EVENT).where(*one)).mappings().one_or_none()
        if it is None:
            raise EventUnknown(tr("the store has no such event"), tr("it may have been deleted by its age"))
        before = reading.current(connection, key)
        if before.change_id != seen:
            raise ReviewOvertaken(reading.latest(connection, key) or before)
        seen_as = connection.scalar(select(event.c.label).where(*one))
        judge_step(before.state, wanted.state, wanted.reason, wanted.right_label, seen_as)
        now_ms = int(self._now() * 1000)
        said = {
            "state": str(wanted.state),
            "reason": wanted.reason,
            "right_label": wanted.right_label,
            "note": wanted.note,
            "login": wanted.by.login,
            "name": wanted.by.name,
            "changed_ms": now_ms,
        }
        place = {"box_id": key[0], "event_id": key[1]}
        put = insert(review_change).values(place | said).returning(review_change.c.id)
        now = replace(wanted, changed_ms=now_ms, change_id=connection.execute(put).scalar_one())
        _keep(connection, place, said | {"change_id": now.change_id, **it})
        settled = {"settled_ms": now_ms if now.state.is_final else None}
        connection.execute(update(event).where(*one).values(settled))
        return reading.NOBODY if now.state is ReviewState.NEW else now


def _keep(connection: Connection, place: Mapping[str, object], said: Mapping[str, object]) -> None:
    """How the event stands now; what was taken back has no row."""
    if said["state"] == ReviewState.NEW:
        these = (review.c[name] == value for name, value in place.items())
        connection.execute(delete(review).where(*these))
        return
    put = upsert(connection, review).values({**place, **said})
    latest = {name: put.excluded[name] for name in said}
    connection.execute(put.on_conflict_do_update(index_elements=[*place], set_=latest))


def _one_at_a_time(connection: Connection) -> None:
    """Invariant 3. SQLite has one writer anyway; in PostgreSQL ids are given before a commit is seen."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("lock table review_change in share row exclusive mode"))
