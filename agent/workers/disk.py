"""Tells what the disk does to the outbox as events: full, failing, damaged. Entry and exit, once each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import structlog

from agent.clock import Clock
from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Phase, Severity
from agent.errors import NgatuError
from agent.outbox.outbox import Outbox

log = structlog.get_logger(__name__)

RULE = "box"
"""Stands for the rule in events that the box tells of itself."""


class DiskMonitor:
    """Watches the outbox's condition; `tick` in one loop, some seconds apart."""

    def __init__(self, outbox: Outbox, clock: Clock, ids: Ids, tell: Callable[[Iterable[Event]], None]) -> None:
        """`tell` is given what the box has to say of itself, in the thread that ticks."""
        self._outbox, self._clock, self._ids, self._tell = outbox, clock, ids, tell
        self._open: dict[EventKind, Event] = {}

    def start(self) -> None:
        """Look through the whole file and through damaged ones, beside the work: seconds on large ones."""
        threading.Thread(target=self._look_through, name="storage", daemon=True).start()

    def tick(self) -> None:
        """Tell what has changed."""
        condition = self._outbox.condition()
        full = "the disk is full: pictures are dropped, events go on" if condition.full else None
        memory = f"kept in memory only: {condition.in_memory}" if condition.in_memory else None
        self._tell(
            [
                *self._change(EventKind.STORAGE_FULL, full),
                *self._change(EventKind.STORAGE_RAM_ONLY, memory),
                *(self._damage(str(told)) for told in self._outbox.salvaged()),
            ]
        )

    def close(self) -> None:
        """The agent stops: nothing stays open."""
        ends = [replace(self._next(each), end_reason=EndReason.AGENT_RESTARTED) for each in self._open.values()]
        self._open.clear()
        self._tell(ends)

    def _change(self, kind: EventKind, trouble: str | None) -> Iterator[Event]:
        told = self._open.get(kind)
        if trouble is not None and told is None:
            self._open[kind] = told = self._event(kind, Phase.START, trouble)
            yield told
        elif trouble is None and told is not None:
            del self._open[kind]
            ended = self._next(told)
            yield replace(ended, detail=f"over after {ended.at.since(told.started):.0f} s")

    def _damage(self, detail: str) -> Event:
        return self._event(EventKind.STORAGE_CORRUPT, Phase.END, detail)

    def _event(self, kind: EventKind, phase: Phase, detail: str) -> Event:
        now = self._clock.now()
        name, self._ids = self._ids.next(now)
        return Event(
            id=name,
            revision=1,
            kind=kind,
            phase=phase,
            severity=Severity.INFO,
            at=now,
            rule_id=RULE,
            rule_kind=RULE,
            started=now,
            detail=detail,
        )

    def _next(self, told: Event) -> Event:
        return replace(told, revision=told.revision + 1, phase=Phase.END, at=self._clock.now())

    def _look_through(self) -> None:
        try:
            self._outbox.salvage()
            self._outbox.verify()
        except NgatuError as error:  # it is closed, or the disk fails: the next write tells that better
            log.warning("outbox_not_looked_through", why=error.what)
