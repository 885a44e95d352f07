"""Has the cameras obey exactly the pauses that are in force, and ends each in its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from agent.clock import Clock
from agent.commands.journal import Journal
from agent.commands.policy import KnownTime, Pause
from agent.workers.command_records import CommandRecords

log = structlog.get_logger(__name__)


class PauseWatch:
    """Looks after the pauses of the journal, where nobody else writes."""

    def __init__(
        self,
        journal: Journal,
        records: CommandRecords,
        halt: Callable[[Sequence[Pause]], None],
        clock: Clock,
        known: Callable[[], KnownTime],
        boot_id: str,
    ) -> None:
        """`halt` has exactly the given ones obeyed."""
        self._journal, self._records, self._halt = journal, records, halt
        self._clock, self._known, self._boot_id = clock, known, boot_id
        self._pauses: Sequence[Pause] | None = None
        """Those in the journal; None: they may have changed since it was asked."""
        self._in_force: tuple[Pause, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is one whose end must not be missed."""
        return bool(self._pauses)

    def changed(self) -> None:
        """The journal may have others now."""
        self._pauses = None

    def look(self) -> None:
        """Have the cameras obey exactly the pauses that are in force now.

        Raises:
            OutboxError: the journal cannot be read or written.
        """
        pauses = self._pauses = self._journal.pauses() if self._pauses is None else self._pauses
        if not pauses and not self._in_force:
            return
        mono_s, now = self._clock.now().mono_s, self._known()
        in_force = tuple(pause for pause in pauses if pause.in_force(mono_s, self._boot_id, now))
        over = [pause for pause in pauses if pause.over(mono_s, self._boot_id, now)]
        if in_force != self._in_force:
            self._halt(in_force)
            log.info("paused", what=[f"{pause.camera}/{pause.rule or ''}".rstrip("/") for pause in in_force])
            self._in_force = in_force
        for pause in over:
            self._records.write({"state": "pause_over", "camera": pause.camera, "rule": pause.rule})
        if over:
            self._pauses = None
            self._journal.drop(over)
