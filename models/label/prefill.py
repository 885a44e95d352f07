"""Proposals for a whole folder, in a thread: the picture that somebody looks at first, then the others."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import structlog

from agent.core.types import Image
from agent.detectors import Detector
from agent.errors import ModelError, NgatuError
from agent.translatable import tr
from models.label.judged import not_yet_judged, ruled_out_in
from models.label.proposer import proposals
from models.label.sheet import ProposedBox
from models.label.store import PictureRow
from models.label.workplace import Workplace

log = structlog.get_logger(__name__)


class Prefill:
    """One detector over all that nobody has touched."""

    def __init__(self, workplace: Workplace, detector: Detector) -> None:
        """`start` begins."""
        self._workplace, self._detector = workplace, detector
        self._wanted = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prefill", daemon=True)
        self.error: NgatuError | None = None
        """Why it has ended before its time."""

    @property
    def model(self) -> str:
        """The detector's name."""
        return self._detector.name

    @property
    def running(self) -> bool:
        """Whether there is more to look at."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def want(self, number: int) -> None:
        """Somebody looks at this picture: it is next."""
        self._wanted = number

    def stop(self) -> None:
        """End after the picture at hand."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(60)
        self._detector.close()

    def _run(self) -> None:
        store, model = self._workplace.store, self._detector.sha256
        try:
            while not self._ended.is_set() and (row := store.without_proposals(model, self._wanted)):
                store.propose(row.id, model, self._look(row))
        except NgatuError as error:
            self.error = error
            log.warning("prefill_ended", error=str(error))

    def _look(self, row: PictureRow) -> tuple[ProposedBox, ...]:
        try:
            image = decoded(self._workplace.images / row.name)
        except ModelError as error:  # the head of the file was right, and the rest is not
            log.warning("picture_unreadable", error=str(error))
            return ()
        found = proposals(image, self._detector, self._workplace.classes)
        ruled_out = ruled_out_in(self._workplace.store).get(row.name, ())
        return not_yet_judged(found, row.sheet.boxes, ruled_out)


def decoded(picture: Path) -> Image:
    """BGR, (height, width, 3), turned as its EXIF says.

    Raises:
        ModelError: it cannot be decoded.
    """
    data = np.fromfile(picture, np.uint8) if picture.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ModelError(tr("{path}: the picture cannot be decoded", path=picture))
    return np.asarray(image, np.uint8)
