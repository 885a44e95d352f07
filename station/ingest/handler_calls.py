"""The handler, called so that whatever it raises ends nothing: a failure is told once, and so is its end.

What it is called for is told apart: on a full disk it can read, and attend to its own, while it keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from agent.errors import NgatuError
from station.ingest.alarms import AlarmKind
from station.ingest.fair_queue import Box
from station.ingest.handler import (
    Attends,
    Compares,
    GivesCommands,
    Handler,
    OutboundCommand,
    RaisesAlarms,
)
from station.ingest.inbound import InboundMessage

log = structlog.get_logger("station.ingest.handler_calls")

Call = Literal["commit", "admit", "attend", "alarm", "command"]
"""What the handler is called for."""


@dataclass
class CallFailure:
    """Why it cannot do it now."""

    why: str
    hint: str | None
    logged: set[str] = field(default_factory=set)
    """Reasons that stand in the log: two that take turns are told once each."""


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
        self.unkept: str | None = None
        """Why the latest messages were not kept, for people; None: they were. Other calls do not count."""
        self._handler = handler
        self._failures: dict[Call, CallFailure] = {}

    @property
    def failing(self) -> str | None:
        """Why the handler does not keep what it is given; None: it does."""
        return next((self._failures[call].why for call in ("commit", "admit") if call in self._failures), None)

    def committed(self, fresh: Sequence[InboundMessage]) -> bool:
        """Whether these are kept now."""
        if not self.done(lambda: self._handler.commit(fresh)):
            failure = self._failures["commit"]
            self.unkept = failure.hint or failure.why
            return False
        self.unkept = None
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
            self.done(self._handler.attend, "attend")

    def commands(self) -> Sequence[OutboundCommand]:
        """What it has to be carried to boxes; nothing where it has not, or cannot say now."""
        handler, found = self._handler, list[OutboundCommand]()
        if isinstance(handler, GivesCommands):
            self.done(lambda: found.extend(handler.commands()), "command")
        return found

    def raise_alarm(self, kind: AlarmKind, box: Box | None, detail: str, count: int = 1) -> None:
        """Tell a handler that wants to hear of it what is wrong and lasts."""
        handler = self._handler
        if isinstance(handler, RaisesAlarms):
            self.done(lambda: handler.raise_alarm(kind, box, detail, count), "alarm")

    def done(self, job: Callable[[], None], call: Call = "commit") -> bool:
        """Whether the handler could do it; a failure is told once, and so is its end."""
        try:
            job()
        except NgatuError as error:
            if self._is_new(call, error.what, error.hint):
                log.error("commit_failed", why=error.what, hint=error.hint)  # noqa: TRY400  (it says all)
        except Exception as error:  # whatever the handler's storage raises: promise 1
            if self._is_new(call, repr(error), None):
                log.exception("commit_failed")
        else:
            if self._failures.pop(call, None) is not None:
                log.info("commits_again", failed=self.counters.failed_commits)
            return True
        self.counters.failed_commits += 1
        return False

    def _is_new(self, call: Call, why: str, hint: str | None) -> bool:
        """Note a failure; whether it is not in the log yet."""
        failure = self._failures.setdefault(call, CallFailure(why, hint))
        failure.why, failure.hint = why, hint
        is_new = why not in failure.logged
        failure.logged.add(why)
        return is_new
