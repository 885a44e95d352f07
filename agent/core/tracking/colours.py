"""What colour a road user has, in the eleven basic words, out of its best picture. Pure.

The eleven words are those that every language of that many basic colour terms has (Berlin and Kay, "Basic Color
Terms", 1969): a witness says one of them. Each pixel is named by its lightness, chroma and hue in CIELAB, and
the word of most pixels is told with its share as the confidence; where no word is ahead, none is told.

Three things would name what is not the road user, and are held against it:

- The light: what surrounds a road user is road, and a road is grey. What that lacks in a channel each pixel
  is given.
- The road itself, in the corners of the box: pixels count less towards its border, and a fifth where they look
  like the surroundings.
- Glass, tyres and shadow, which make half of a car black: what is dark counts less where a vehicle is.

At night a camera sees by infrared, or by lamps of one colour: a word would be invented. There, and where a view
has hardly any colour, it is unknown, with confidence 0.

The limits were set by eye on 550 pictures of streets: see docs/design/colours.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.sensitive import FOUR_WHEELS, TWO_WHEELS
from agent.core.types import Box, Colour, Colours, ColourWord, Frame, Image

BODY: Final = (0.10, 0.15, 0.90, 0.85)
"""Of a vehicle's box: left, top, right, bottom."""
CLOTHES: Final = (0.22, 0.18, 0.78, 0.52)
"""Of a person's box: below the head, above the legs."""
CLOTHES_ON_WHEELS: Final = (0.22, 0.15, 0.78, 0.44)
"""Of a two-wheeler's box with its rider."""
MACHINE: Final = (0.15, 0.50, 0.85, 0.92)
SIDE_PX: Final = 96
"""A picture is looked at with its longer side at this size at most: more pixels say the same."""
LEAST_SMALL_PX: Final = 4
LEAST_BESIDE: Final = 64
"""Of fewer pixels beside it nobody can say how the road is."""
LEAST_PX: Final = 14
"""A part with fewer pixels either way is edges only."""
FAINT: Final = 12.0
"""Chroma of the surroundings up to which it is the light's, whatever they are."""
TINT: Final = 24.0
"""Up to which it may be, where all of them have it, and they are no verge."""
EVEN: Final = 7.0
MOST: Final = 0.6
"""They all have it: so much of them lies within so much of their median."""
VERGE: Final = 95.0, 170.0
LAMP: Final = 35.0, 95.0
"""Hues of grass, and of sodium lamps, in degrees."""
LAMP_CHROMA: Final = 18.0
DARK_ROAD: Final = 16.0
LIKE_ROAD: Final = 9.0
"""Distance in CIELAB within which a pixel may be of the road."""
SURE: Final = 0.55
"""A word of a smaller share is not told."""
SURE_OF_A_BLACK_MACHINE: Final = 0.8
"""Tyres, engine and shadow make half of any motorbike black."""
AHEAD: Final = 1.25
"""The first word has to have so many times the share of the second."""
DARK_GLASS: Final = 30.0
LIGHT: Final = 46.0, 61.0
"""Between them (CIELAB's lightness) what has no hue is grey; below it is black, above it white."""
LIGHT_CLOTHES: Final = 34.0, 64.0
SPREAD: Final = 12.0
DARK_VIEW, GREY_VIEW = 55.0, 0.8
"""Mean luma (0..255) below which a view is night; mean distance of chroma from grey below which it has none."""
STRIDE: Final = 16

_XYZ: Final = np.array(
    [
        [0.1804375, 0.0721750, 0.9503041],
        [0.3575761, 0.7151522, 0.1191920],
        [0.4124564, 0.2126729, 0.0193339],
    ],
    np.float32,
) / np.array([0.95047, 1.0, 1.08883], np.float32)
"""What blue, green and red of sRGB add to X, Y and Z, each as a share of what white has (IEC 61966-2-1)."""

_HUES: Final = (
    (36.0, ColourWord.RED),
    (72.0, ColourWord.ORANGE),
    (114.0, ColourWord.YELLOW),
    (190.0, ColourWord.GREEN),
    (300.0, ColourWord.BLUE),
    (335.0, ColourWord.PURPLE),
    (360.0, ColourWord.RED),
)
"""Up to which angle (degrees) a hue of CIELAB has which word, before lightness has its say."""
_WORDS: Final = tuple(ColourWord)
_PLACE: Final[Mapping[ColourWord, int]] = {word: place for place, word in enumerate(_WORDS)}
_CIRCLE: Final = (
    ColourWord.RED, ColourWord.ORANGE, ColourWord.YELLOW, ColourWord.GREEN,
    ColourWord.BLUE, ColourWord.PURPLE, ColourWord.PINK,
)  # fmt: skip


def _neighbours() -> NDArray[np.bool_]:
    """(words, words): which are next to each other, so that a paint between them is named by either."""
    pairs = [*zip(_CIRCLE, (*_CIRCLE[1:], _CIRCLE[0]), strict=True)]
    pairs += [(ColourWord.BROWN, ColourWord.ORANGE), (ColourWord.BROWN, ColourWord.RED)]
    found = np.zeros((len(_WORDS), len(_WORDS)), bool)
    for one, other in pairs:
        found[_PLACE[one], _PLACE[other]] = found[_PLACE[other], _PLACE[one]] = True
    return found


_NEXT_TO: Final = _neighbours()


def has_colour(frame: Frame) -> bool:
    """Whether the view is light enough, and coloured enough, for a word to mean anything."""
    if float(frame.luma[::STRIDE, ::STRIDE].mean()) < DARK_VIEW:
        return False
    spread = [np.abs(plane[::STRIDE, ::STRIDE].astype(np.int16) - 128).mean() for plane in (frame.u, frame.v)]
    return float(max(spread)) >= GREY_VIEW


def of(image: Image, box: Box, label: str, *, riders: int = 1, shown: bool = True) -> Colours:
    """The colours of a road user in a picture, in which `box` (fractions of it) is its own.

    `shown` is what `has_colour` says of the whole view. A label without parts to name gives no colours, and a
    two-wheeler without riders no clothes.
    """
    vehicle, clothes = _parts(label, riders)
    size = image.shape[1], image.shape[0]
    image = _small(image)
    outside = _beside(image.shape[0], image.shape[1], box)
    lab = _lab(image, outside) if shown and (vehicle or clothes) else None
    road = None if lab is None or not outside.any() else _ranked(lab[outside], 0.5)
    return Colours(
        None if vehicle is None else _named(lab, road, box, vehicle, size, glass=True),
        None if clothes is None else _named(lab, road, box, clothes, size, glass=False),
    )


def _small(image: Image) -> Image:
    scale = SIDE_PX / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


Part = tuple[float, float, float, float]


def _parts(label: str, riders: int) -> tuple[Part | None, Part | None]:
    if label in FOUR_WHEELS:
        return BODY, None
    if label in TWO_WHEELS:
        return MACHINE, CLOTHES_ON_WHEELS if riders else None
    return None, CLOTHES if label == "person" else None


def _lab(image: Image, beside: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """(H, W, 3): lightness 0..100, and the two axes of chroma, as by white light; None: nobody can say."""
    light = image.astype(np.float32) / 255
    if beside.any():
        gains = _gains(light[beside])
        if gains is None:
            return None
        # What is burnt out is white by any light: no channel of it says how much there was.
        kept = np.clip((light.max(axis=2, keepdims=True) - 0.88) / 0.12, 0, 1)
        light = np.clip(light * (kept + (1 - kept) * gains), 0, 1)
    return _cielab(light.astype(np.float32))


def _cielab(bgr: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 3): lightness 0..100 and two axes of chroma, of sRGB 0..1 under D65 (IEC 61966-2-1, CIE 15).

    Not by OpenCV: for its first picture it makes tables of 4.7 MB, and keeps them (measured).
    """
    linear = np.where(bgr <= 0.04045, bgr / 12.92, ((bgr + 0.055) / 1.055) ** 2.4)
    # Channel by channel: a matrix product would have the sum in another order on another processor.
    xyz = linear[..., :1] * _XYZ[0] + linear[..., 1:2] * _XYZ[1] + linear[..., 2:] * _XYZ[2]
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * ((29 / 6) ** 2 / 3) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1).astype(np.float32)


def _ranked(values: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """The least of each column, (N, …), that so large a share (0..1) of it is below.

    NumPy's own median and percentile load its masked arrays, which a box would keep: 2 MB.
    """
    rank = int(len(values) * share)
    return np.asarray(np.partition(values, rank, axis=0)[rank])


def _gains(beside: NDArray[Any]) -> NDArray[np.float32] | None:
    """By how much each channel of what surrounds the road user, (N, 3) BGR 0..1, is short of grey.

    As von Kries adapted, a factor for each channel: black stays black by any light. Ones where the surroundings
    have a colour of their own; None where they are lit by lamps of one colour, or by none.
    """
    lab = _cielab(beside)
    middle = _ranked(lab, 0.5)
    chroma = float(np.hypot(middle[1], middle[2]))
    hue = float(np.degrees(np.arctan2(middle[2], middle[1])) % 360)
    even = float((np.linalg.norm(lab[:, 1:] - middle[1:], axis=1) < EVEN).mean())
    if float(middle[0]) < DARK_ROAD or (chroma > LAMP_CHROMA and LAMP[0] <= hue <= LAMP[1]):
        return None
    if chroma > TINT or (chroma > FAINT and (even < MOST or VERGE[0] <= hue <= VERGE[1])):
        return np.ones(3, np.float32)
    road = np.maximum(_ranked(beside, 0.5), 0.02)
    return np.asarray(road.mean() / road, np.float32)


def _named(
    lab: NDArray[np.float32] | None,
    road: NDArray[np.float32] | None,
    box: Box,
    part: Part,
    size: tuple[int, int],
    *,
    glass: bool,
) -> Colour:
    """The word of one part; `size` is that of the picture before it was made small: (wide, high) pixels."""
    across, down = (part[2] - part[0]) * box.width * size[0], (part[3] - part[1]) * box.height * size[1]
    if lab is None or min(across, down) < LEAST_PX:
        return Colour(None, 0.0)
    high, wide = lab.shape[:2]
    left, right = (round((box.left + at * box.width) * wide) for at in (part[0], part[2]))
    top, bottom = (round((box.top + at * box.height) * high) for at in (part[1], part[3]))
    pixels = lab[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if min(pixels.shape[:2]) < LEAST_SMALL_PX:
        return Colour(None, 0.0)
    weight = _central(pixels.shape[0], pixels.shape[1])
    like_road = np.zeros(weight.shape, bool)
    if road is not None:
        like_road = np.linalg.norm(pixels - road, axis=2) < LIKE_ROAD
        weight = np.where(like_road, weight * 0.2, weight)
    words = _words(pixels)
    plain = words == _PLACE[ColourWord.GREY]
    if glass:
        weight = np.where(plain, weight * np.where(pixels[..., 0] < DARK_GLASS, 0.4, 0.8), weight)
    counted = np.bincount(words.ravel(), weight.ravel(), len(_WORDS))
    shares = counted / max(float(counted.sum()), 1e-9)
    first = int(np.argmax(shares + 0.5 * (_NEXT_TO @ shares)))
    word, share = _WORDS[first], float(shares[first] + 0.5 * shares[_NEXT_TO[first]].sum())
    second = float(np.where(_NEXT_TO[first], 0.0, shares)[np.arange(len(shares)) != first].max())
    if word is ColourWord.GREY:
        word, sure = _lightness(pixels[..., 0], plain, like_road, glass=glass)
        share *= sure
    least = SURE_OF_A_BLACK_MACHINE if word is ColourWord.BLACK and part == MACHINE else SURE
    if share < least or share < AHEAD * second:
        return Colour(None, round(share, 3))
    return Colour(word, round(share, 3))


def _lightness(
    light: NDArray[np.float32], plain: NDArray[np.bool_], like_road: NDArray[np.bool_], *, glass: bool
) -> tuple[ColourWord, float]:
    """Black, grey or white, and how sure (0..1): hardly at a limit between two of them.

    The upper half of a vehicle is glass in which the sky is seen, so its lower half counts. Bodies shine and
    have shadows: what is taken lies between the middle and the upper quarter of the pixels. Those that are like
    the road are left out, unless most are: then it is as grey as the road.
    """
    counted = plain.copy()
    if glass:
        counted[: len(plain) // 2] = False
    if not counted.any():
        counted = plain
    if like_road[counted].mean() < MOST:
        counted = counted & ~like_road
    middle = float(_ranked(light[counted], 0.5) + _ranked(light[counted], 0.75)) / 2
    dark, bright = LIGHT if glass else LIGHT_CLOTHES
    sure = min(1.0, 0.3 + min(abs(middle - dark), abs(middle - bright)) / SPREAD)
    word = ColourWord.BLACK if middle < dark else ColourWord.WHITE if middle > bright else ColourWord.GREY
    return word, sure


def _beside(high: int, wide: int, box: Box) -> NDArray[np.bool_]:
    """Which pixels lie beside the lower half of the box, for above is what stands behind; none, if few do."""
    found = np.ones((high, wide), bool)
    found[
        max(0, int(box.top * high)) : max(0, int(np.ceil(box.bottom * high))),
        max(0, int(box.left * wide)) : max(0, int(np.ceil(box.right * wide))),
    ] = False
    found[: int(max(0.0, box.top + box.height / 2) * high)] = False
    return found if found.sum() >= LEAST_BESIDE else np.zeros_like(found)


def _central(high: int, wide: int) -> NDArray[np.float64]:
    """Weights that fall off towards the border."""
    y = np.linspace(-1, 1, high)[:, None]
    x = np.linspace(-1, 1, wide)[None, :]
    return np.asarray(np.exp(-(x * x + y * y)), np.float64)


def _words(lab: NDArray[np.float32]) -> NDArray[np.intp]:
    """Each pixel's word, as its place among all words; without a hue it is grey, however light."""
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    edges = np.array([edge for edge, _ in _HUES])
    places = np.array([_PLACE[word] for _, word in _HUES])
    words = places[np.minimum(np.searchsorted(edges, hue, side="right"), len(_HUES) - 1)]

    def where(condition: NDArray[np.bool_], word: ColourWord) -> None:
        words[condition] = _PLACE[word]

    where((hue >= 36) & (hue < 46) & (chroma > 85), ColourWord.RED)  # what only a screen or a lamp can show
    where(((hue < 50) | (hue >= 335)) & (light > 68) & (chroma < 60), ColourWord.PINK)
    where(((hue < 6) | (hue >= 335)) & (light > 46), ColourWord.PINK)
    where((hue >= 290) & (hue < 300) & (light > 40), ColourWord.PURPLE)
    where((hue >= 36) & (hue < 80) & (light < 44) & (chroma < 48), ColourWord.BROWN)
    where((hue >= 80) & (hue < 104) & (light < 42), ColourWord.BROWN)
    warm = ((hue < 60) | (hue >= 345)) & (light < 45)  # no sky makes a dark body red
    plain = chroma < np.where(warm, 5.5, np.where((light < 30) | (light > 72), 12.0, 8.5))
    where(plain | (light < 12), ColourWord.GREY)
    return np.asarray(words, np.intp)
