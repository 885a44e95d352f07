"""The handler, called so that whatever it raises ends nothing: a failure is told once, and so is its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from agent.errors import NgatuError
from station.ingest.alarms import AlarmKind
from station.ingest.fair_queue import Box
from station.ingest.handler import Attends, Compares, Handler, RaisesAlarms
from station.ingest.inbound import InboundMessage

log = structlog.get_logger("station.ingest.handler_calls")


@dataclass
class IngestCounters:
    """What a subscriber has seen and done since it began."""

    committed: int = 0
    """Handed over and committed."""
    duplicates: int = 0
    """Came again although they were committed."""
    problems: int = 0
    """Committed, but could not be read."""
    ignored: int = 0
    """Not by a topic of a box; the station's own status comes back to it and is one of them."""
    refused: int = 0
    """Not handed over: the handler had enough of this box, or it sent faster than can be read."""
    receipted: int = 0
    """Messages of which a box was told that they are committed."""
    failed_commits: int = 0
    connects: int = 0


class HandlerCalls:
    """One handler, and what came of calling it."""

    def __init__(self, handler: Handler) -> None:
        self.counters = IngestCounters()
        self.failing: str | None = None
        """Why the handler did not keep the latest that it was given."""
        self.unkept: str | None = None
        """Why the latest messages were not kept, for people; None: they were. Other calls do not count."""
        self._hint: str | None = None
        self.commit_s = 0.0
        """How long the latest commit took."""
        self._handler = handler

    def committed(self, fresh: Sequence[InboundMessage]) -> bool:
        """Whether these are kept now."""
        begun_s = time.monotonic()
        if not self.done(lambda: self._handler.commit(fresh)):
            self.unkept = self._hint or self.failing
            return False
        self.unkept = None
        self.commit_s = time.monotonic() - begun_s
        self.counters.committed += len(fresh)
        self.counters.problems += sum(message.problem is not None for message in fresh)
        return True

    def compared(self, copies: Sequence[InboundMessage], conflicts: Sequence[InboundMessage]) -> bool:
        """Show the handler what came again; one that does not compare keeps conflicts as if they were new."""
        handler = self._handler
        if isinstance(handler, Compares):
            return self.done(lambda: handler.compare([*copies, *conflicts]))
        return not conflicts or self.done(lambda: handler.commit(conflicts))

    def attend(self) -> None:
        """Let it do work of its own."""
        if isinstance(self._handler, Attends):
            self.done(self._handler.attend)

    def raise_alarm(self, kind: AlarmKind, box: Box | None, detail: str, count: int = 1) -> None:
        """Tell a handler that wants to hear of it what is wrong and lasts."""
        handler = self._handler
        if isinstance(handler, RaisesAlarms):
            self.done(lambda: handler.raise_alarm(kind, box, detail, count))

    def done(self, job: Callable[[], None]) -> bool:
        """Whether the handler could do it; a failure is told once, and so is its end."""
        try:
            job()
        except NgatuError as error:
            if self.failing != error.what:
                log.error("commit_failed", why=error.what, hint=error.hint)  # noqa: TRY400  (it says all)
            self.failing, self._hint = error.what, error.hint
        except Exception as error:  # whatever the handler's storage raises: promise 1
            if self.failing != repr(error):
                log.exception("commit_failed")
            self.failing, self._hint = repr(error), None
        else:
            if self.failing is not None:
                log.info("commits_again", failed=self.counters.failed_commits)
            self.failing = None
            return True
        self.counters.failed_commits += 1
        return False
