"""What a network finds in a picture with the tiles of a full scan: that is how a box looks at a junction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.core.attention.merge import gathered
from agent.core.attention.settings import AttentionSettings
from agent.core.types import Box, Crop, Detection, Image, Reason
from agent.detectors.card import Card, hashed
from agent.detectors.onnx import OnnxDetector
from agent.detectors.settings import DetectorSettings

LEAST_SCORE = 0.02
"""The curve needs the unlikely boxes too."""
_NEAR, _FAR = 8 / 15, 7 / 15
TILES = tuple(
    Crop(Box(left, top, left + _NEAR, top + _NEAR), Reason.FULL_SCAN)
    for top in (0.0, _FAR)
    for left in (0.0, _FAR)
)
"""Two by two, of which neighbours share an eighth, as a full scan's do."""


def unhurried(model: Path, card: Card) -> OnnxDetector:
    """A network that says also what it is hardly sure of.

    Raises:
        ModelError: it is no network, or not of this card.
    """
    settings = DetectorSettings(
        model=str(model), min_score=dict.fromkeys(card.keep, LEAST_SCORE), twin_iou=1.0, threads=2
    )
    return OnnxDetector(model, hashed(model), card, settings)


def tiled(detector: OnnxDetector, picture: Image, tiles: Sequence[Crop] = TILES) -> tuple[Detection, ...]:
    """What is found in tiles (without any, a full scan's), in fractions of the picture, once, best first."""
    high, wide = picture.shape[:2]
    parts = [
        picture[
            round(t.box.top * high) : round(t.box.bottom * high),
            round(t.box.left * wide) : round(t.box.right * wide),
        ]
        for t in tiles
    ]
    usual = AttentionSettings()
    return gathered(tiles, detector.detect(parts), usual.same_iou, usual.inside)
