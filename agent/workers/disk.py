"""Tells what becomes of the outbox as events: its disk full or failing, its file damaged or forked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import structlog

from agent.clock import Clock
from agent.core.condition_event import BOX_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Severity
from agent.errors import NgatuError
from agent.outbox.outbox import Outbox, Salvaged
from agent.translatable import tr

log = structlog.get_logger(__name__)

DAMAGED = ConditionEvent(EventKind.STORAGE_CORRUPT, BOX_RULE)
FORKED = ConditionEvent(EventKind.OUTBOX_FORKED, BOX_RULE, Severity.ALERT)


class DiskMonitor:
    """Watches the outbox's condition; `tick` in one loop, some seconds apart."""

    def __init__(self, outbox: Outbox, clock: Clock, ids: Ids, tell: Callable[[Iterable[Event]], None]) -> None:
        """`tell` is given what the box has to say of itself, in the thread that ticks."""
        self._outbox, self._clock, self._ids, self._tell = outbox, clock, ids, tell
        self._full = ConditionEvent(EventKind.STORAGE_FULL, BOX_RULE)
        self._ram_only = ConditionEvent(EventKind.STORAGE_RAM_ONLY, BOX_RULE)
        self._thread = threading.Thread()

    def start(self) -> None:
        """Look through the whole file and through damaged ones, beside the work: seconds on large ones."""
        self._begin(self._look_through)

    def tick(self) -> None:
        """Tell what has changed."""
        condition = self._outbox.condition()
        full = tr("the disk is full: pictures are dropped, events go on") if condition.full else None
        memory = tr("kept in memory only: {why}", why=condition.in_memory) if condition.in_memory else None
        self._full, of_full = self._changed(self._full, full)
        self._ram_only, of_memory = self._changed(self._ram_only, memory)
        self._tell([*of_full, *of_memory, *map(self._set_aside, self._outbox.salvaged())])
        if self._outbox.unsaved and not self._thread.is_alive():  # set aside since the start, and large
            self._begin(self._outbox.salvage)

    def close(self) -> None:
        """The agent stops: nothing stays open."""
        now = self._clock.now()
        self._full, of_full = self._full.close(now, EndReason.STOPPED)
        self._ram_only, of_memory = self._ram_only.close(now, EndReason.STOPPED)
        self._tell([*of_full, *of_memory])

    def _changed(self, before: ConditionEvent, trouble: str | None) -> tuple[ConditionEvent, tuple[Event, ...]]:
        """The event after this look: opened by a trouble, closed without one."""
        now = self._clock.now()
        if trouble is not None:
            after, self._ids, events = before.open(now, self._ids, trouble)
            return after, events
        lasted_s = now.since(before.last.started) if before.last else 0.0
        return before.close(now, detail=tr("over after {seconds:.0f} s", seconds=lasted_s))

    def _set_aside(self, salvaged: Salvaged) -> Event:
        kind = FORKED if salvaged.forked else DAMAGED
        event, self._ids = kind.once(self._clock.now(), self._ids, str(salvaged))
        return event

    def _begin(self, work: Callable[[], object]) -> None:
        self._thread = threading.Thread(target=self._done, args=(work,), name="storage", daemon=True)
        self._thread.start()

    def _look_through(self) -> None:
        self._outbox.salvage()
        self._outbox.verify()

    def _done(self, work: Callable[[], object]) -> None:
        try:
            work()
        except NgatuError as error:  # it is closed, or the disk fails: the next write tells that better
            log.warning("outbox_not_looked_through", why=error.what)
