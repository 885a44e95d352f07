"""The picture of an order, for whoever gave it at a terminal: is it kept yet, and what is in it."""

from __future__ import annotations

import os
from functools import partial

from agent.errors import NgatuError
from station.command import LATE_S, wait_until
from station.config import StationConfig
from station.store.blobs import BLOBS
from station.store.database import engine_of, url_of
from station.store.pictures.rows import KeptPictures


class KeptSnapshot:
    """One picture of one store; whoever may not look into the store learns nothing of it."""

    def __init__(self, config: StationConfig, sha256: str) -> None:
        self._config, self._sha256 = config, sha256
        self._pictures: KeptPictures | None = None

    def is_kept(self, within_s: float = LATE_S) -> bool | None:
        """Whether it is, or is in time; None: this user may not look."""
        folder = self._config.state_dir
        if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
            return None
        try:
            engine = engine_of(url_of(self._config.database, folder), writes=False)
            self._pictures = KeptPictures(engine, folder / BLOBS)
            return wait_until(partial(self._pictures.has, self._sha256), within_s)
        except PermissionError:
            return None
        except NgatuError:  # no store here, or none that answers
            return False

    def read(self) -> bytes | None:
        """What is kept; None: it is not.

        Raises:
            OSError: it is there and cannot be read.
        """
        try:
            return None if self._pictures is None else self._pictures.read(self._sha256)
        except NgatuError:
            return None

    def close(self) -> None:
        """Let go of the store."""
        if self._pictures is not None:
            self._pictures.close()
