"""Pictures for those who look at bytes only: whole JPEGs with words in them."""

from __future__ import annotations

import cv2
import numpy as np

_SMALL = cv2.imencode(".jpg", np.full((8, 8, 3), 128, np.uint8))[1].tobytes()


def jpeg(words: bytes = b"") -> bytes:
    """One JPEG; the words stand where a decoder reads colours, so 0xFF may not be among them."""
    assert b"\xff" not in words
    return _SMALL[:-2] + words + _SMALL[-2:]
