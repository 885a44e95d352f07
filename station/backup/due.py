"""Whether the latest backup is recent and whole, and what the journal adds to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import NgatuError
from agent.translatable import joined, tr
from station.backup.folder import BackupFolder, in_words, store_id
from station.backup.segments import heads, holes
from station.config import BackupSettings
from station.ingest.alarms import AlarmKind
from station.ingest.handler import RaisesAlarms

_LOOK_S = 60.0
_AHEAD_H = 1.0
"""A backup from so far in the future was made by a clock that was wrong."""


def state_of(settings: BackupSettings, state_dir: Path, now_s: float) -> tuple[str, str]:
    """How the latest backup stands, and what is wrong with it; empty: nothing.

    Raises:
        BackupError: there is none, it is another store's, or it cannot be read.
    """
    assert settings.folder is not None
    folder = BackupFolder(settings.folder)
    try:
        folder.refuse_other(store_id(state_dir))
        manifest = folder.manifest()
        gaps = list(holes(manifest.journal_first, heads(folder.journal))) if settings.journal else []
    except OSError as error:
        raise in_words(error, settings.folder) from error
    made = datetime.fromtimestamp(manifest.made_ms / 1000, UTC).astimezone().isoformat(" ", "minutes")
    journal = tr(", and a journal since") if settings.journal and not gaps else ""
    shown = tr(
        "{folder}: of {made}, {pictures} pictures{journal}",
        folder=settings.folder,
        made=made,
        pictures=manifest.pictures,
        journal=journal,
    )
    age_h = (now_s - manifest.made_ms / 1000) / 3600
    if age_h < -_AHEAD_H:
        gaps.append(tr("it is of a moment that has not come: make a new one now that the clock is right"))
    if age_h > settings.due_after_h:
        gaps.append(tr("it is {age_h:.0f} hours old", age_h=age_h))
    if manifest.pictures_missing:
        gaps.append(
            tr(
                "it lacks {pictures} pictures, as the store does",
                pictures=manifest.pictures_missing,
            )
        )
    return shown, joined("; ", gaps)


class BackupWatch:
    """Looks once a minute, in a thread of its own, for a disk that does not answer must hold up nobody."""

    def __init__(self, settings: BackupSettings, state_dir: Path, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._state_dir = state_dir
        self._now = now
        self._looked_s: float | None = None
        self._thread: threading.Thread | None = None
        self._wrong: str | None = None
        self._shown: str | None = None

    def tell(self, alarms: RaisesAlarms) -> None:
        """In the station's turn: raise the alarm where no backup is recent and whole, end it where one is."""
        if self._looked_s is None or time.monotonic() - self._looked_s >= _LOOK_S:
            self._look()
        if self._wrong is None or self._wrong == self._shown:
            return
        self._shown = self._wrong
        if self._shown:
            alarms.raise_alarm(AlarmKind.BACKUP_DUE, None, self._shown)
        else:
            alarms.close_alarm(AlarmKind.BACKUP_DUE, None)

    def _look(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        self._looked_s = time.monotonic()
        self._thread = threading.Thread(target=self._find, name="backup-watch", daemon=True)
        self._thread.start()

    def _find(self) -> None:
        try:
            _, self._wrong = state_of(self._settings, self._state_dir, self._now())
        except NgatuError as error:
            self._wrong = f"{error.what}; {error.hint}" if error.hint else error.what
