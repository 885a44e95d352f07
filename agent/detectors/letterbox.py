"""From a picture to the network's input, and the way back for boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Image, Size

if TYPE_CHECKING:
    from agent.detectors.card import Card

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the picture lies in the network's input, in input pixels."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    def fractions(self, boxes: Floats) -> Floats:
        """Boxes (N, 4) in input pixels as clipped fractions of the picture, left, top, right, bottom."""
        origin = np.array([self.left_px, self.top_px] * 2, np.float32)
        extent = np.array([self.width_px, self.height_px] * 2, np.float32)
        return np.asarray(np.clip((boxes - origin) / extent, 0.0, 1.0), np.float32)


def place(picture: Size, field: Size, resize: str) -> Placement:
    """Where a picture of this size goes: `resize` is the card's.

    A letterbox keeps the aspect ratio and enlarges small pictures, as the training of these families does.
    """
    if resize == "stretch":
        return Placement(0, 0, field.width_px, field.height_px)
    scale = min(field.width_px / picture.width_px, field.height_px / picture.height_px)
    width = min(field.width_px, max(1, round(picture.width_px * scale)))
    height = min(field.height_px, max(1, round(picture.height_px * scale)))
    if resize == "letterbox_top_left":
        return Placement(0, 0, width, height)
    return Placement((field.width_px - width) // 2, (field.height_px - height) // 2, width, height)


def fitted(picture: Image, field: Size, placement: Placement, pad: int) -> Image:
    """The picture as (height, width, 3) of the field's size; the very same array where it already fits."""
    size = (placement.width_px, placement.height_px)
    same = (picture.shape[1], picture.shape[0]) == size
    # Beyond a half, linear sampling skips whole pixels and small objects flicker.
    how = cv2.INTER_AREA if picture.shape[0] > 2 * placement.height_px else cv2.INTER_LINEAR
    if size == (field.width_px, field.height_px):
        return picture if same else np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
    canvas = np.full((field.height_px, field.width_px, 3), pad, np.uint8)
    rows = slice(placement.top_px, placement.top_px + placement.height_px)
    columns = slice(placement.left_px, placement.left_px + placement.width_px)
    # A view with strides is a valid target for OpenCV, so the picture is written once.
    if same:
        canvas[rows, columns] = picture
    else:
        cv2.resize(picture, size, dst=canvas[rows, columns], interpolation=how)
    return canvas


def network_input(pictures: Sequence[Image], card: Card, dtype: Any) -> tuple[NDArray[Any], list[Placement]]:
    """The batch that the card asks for, and where each picture lies in it.

    Pictures are (height, width, 3), BGR, of any sizes. The batch is (N, 3, height, width), or
    (N, height, width, 3) where the card's layout is nhwc, with (pixel * scale - mean) / std per channel.
    """
    field = card.field
    places = [place(Size(p.shape[1], p.shape[0]), field, card.resize) for p in pictures]
    images = [fitted(p, field, at, card.pad) for p, at in zip(pictures, places, strict=True)]
    planar = card.layout == "nchw"
    shape = (field.height_px, field.width_px)
    batch = np.empty((len(images), 3, *shape) if planar else (len(images), *shape, 3), dtype)
    order = (0, 1, 2) if card.channels == "bgr" else (2, 1, 0)
    plain = card.is_plain or not np.issubdtype(dtype, np.floating)
    for row, image in zip(batch, images, strict=True):
        for channel, source in enumerate(order):
            target = row[channel] if planar else row[..., channel]
            target[...] = image[..., source]
            if not plain:
                target *= card.scale / card.std[channel]
                target -= card.mean[channel] / card.std[channel]
    return batch, places
