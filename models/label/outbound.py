"""What is done is written out for other programs, soon after it was saved, in a thread of its own.

A set of 5,000 pictures takes a second to write, so not each stroke is: a pause in the work, or at most
LONGEST_S, and the end of the program. What is saved is on the disk before; this is what others read.
"""

from __future__ import annotations

import threading

import structlog

from agent.errors import NgatuError
from models.label.workplace import Workplace

PAUSE_S = 2.0
LONGEST_S = 20.0
AGAIN_S = 10.0
"""After what could not be written: somebody may have made room."""

log = structlog.get_logger(__name__)


class Outbound:
    """Writes `instances.json` or YOLO's files when something was saved."""

    def __init__(self, workplace: Workplace) -> None:
        """`start` begins."""
        self._workplace = workplace
        self._changed, self._again, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbound", daemon=True)
        self.error: NgatuError | None = None
        """Why what is saved is not written out; None while all is well."""
        self.name = ""
        """The file that was written last."""

    def start(self) -> None:
        """Write what is done now, and begin to wait."""
        self._write()
        self._thread.start()

    def changed(self) -> None:
        """Something was saved."""
        self._changed.set()
        self._again.set()

    def stop(self) -> None:
        """Write what is left."""
        self._ended.set()
        self.changed()
        self._thread.join(60)
        self._write()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._changed.wait(AGAIN_S if self.error is not None else None)
            for _ in range(round(LONGEST_S / PAUSE_S)):
                self._again.clear()
                if self._ended.is_set() or not self._again.wait(PAUSE_S):
                    break
            self._changed.clear()
            if not self._ended.is_set():
                self._write()

    def _write(self) -> None:
        try:
            self.name = str(self._workplace.write_out())
            self.error = None
        except NgatuError as error:
            self.error = error
            log.warning("labels_not_written", error=str(error))
        except OSError as error:
            self.error = NgatuError(str(error))
            log.warning("labels_not_written", error=str(error))
