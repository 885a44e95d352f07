"""What says how good a network is: labelled pictures held back, and what the base was sure of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.detectors.card import Card
from models.dataset.types import AnnotatedImage
from models.train.held_back import HeldBackResult, on_labelled
from models.train.remembering import kept, spread, sure_of
from models.train.tiled import unhurried


class TrainingJudges:
    """Looks at a network's file as often as wanted; the base is looked at once."""

    def __init__(
        self,
        base: Path,
        card: Card,
        images: Sequence[AnnotatedImage],
        labels: Sequence[str],
        rehearsal: Sequence[bytes],
    ) -> None:
        """`labels` are those that were looked for on the images.

        Raises:
            ModelError: the base is no network, or not of this card.
        """
        self._card, self._images = card, tuple(images)
        self._labels = tuple(label for label in labels if label in card.keep)
        self._rehearsal = spread(rehearsal)
        detector = unhurried(base, card)
        self._before = sure_of(detector, self._rehearsal)
        detector.close()

    def look(self, model: Path) -> HeldBackResult:
        """How this file does.

        Raises:
            ModelError: it is no network, or a picture cannot be read.
        """
        detector = unhurried(model, self._card)
        on = on_labelled(detector, self._images, self._labels)
        still = kept(detector, self._rehearsal, self._before)
        detector.close()
        return replace(on, kept=still)
