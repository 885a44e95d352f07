"""What blinds a camera, and what only looks like it, laid over footage; seeds are fixed.

Each overlay is made once per case, from the view's shape, a strength 0..1 and a source of chance, and then
turns (picture, seconds since it began) into what the camera shows. Pictures are luma planes (H, W), 0..255.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Shown = Callable[[Grey, float], Grey]
Overlay = Callable[[tuple[int, int], float, np.random.Generator], Shown]


_BANK = 8192


def _noise(shape: tuple[int, int], sigma: float, chance: np.random.Generator) -> Grey:
    """Grain: rows of a bank of chance, each beginning elsewhere; fresh chance takes ten times as long."""
    bank = chance.standard_normal(_BANK + shape[1], np.float32) * np.float32(sigma)
    rows = np.lib.stride_tricks.sliding_window_view(bank, shape[1])
    return np.asarray(rows[chance.integers(0, _BANK, shape[0])], np.float32)


def _soft(picture: Grey, sigma: float) -> Grey:
    """A Gaussian; a wide one is made on a smaller picture."""
    by = max(1, int(sigma / 3))
    if by == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    size = picture.shape[::-1]
    small = cv2.resize(picture, (size[0] // by, size[1] // by), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / by)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _cloth(
    shape: tuple[int, int], level: float, swing: float, grain: float, chance: np.random.Generator
) -> Grey:
    """A soft texture: `swing` steps deep, its folds `grain` heights of the picture wide."""
    small = max(2, round(1 / grain))
    rough = chance.normal(0, 1, (small, small * 2)).astype(np.float32)
    soft = np.asarray(cv2.resize(rough, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return np.float32(level) + soft * np.float32(swing)


def _part(shape: tuple[int, int], share: float, soft: float, chance: np.random.Generator) -> Grey:
    """A mask 0..1 that hides `share` of the view from one side, with a slanted edge `soft` heights wide."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = chance.uniform(0, 2 * np.pi)
    far = x / shape[1] * np.cos(angle) + y / shape[0] * np.sin(angle)
    edge = np.quantile(far, share)
    return np.asarray(
        np.clip((edge - far) / np.float32(max(soft, 1e-3)) + 0.5, 0, 1).astype(np.float32), np.float32
    )


def _blob(shape: tuple[int, int], share: float, chance: np.random.Generator) -> Grey:
    """A mask of a soft ellipse around some place near the middle that hides `share` of the view."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    cx, cy = chance.uniform(0.35, 0.65, 2)
    far = np.hypot((x / shape[1] - cx) * chance.uniform(0.8, 1.2), y / shape[0] - cy)
    edge = np.quantile(far, share)
    return np.asarray(np.clip((edge - far) / 0.06 + 0.5, 0, 1).astype(np.float32), np.float32)


# What blinds.


def bag(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A dark bag or cloth over all of the lens; the weaker, the brighter."""
    cloth = _cloth(shape, 22 + 50 * (1 - strength), 4, 0.3, chance)
    return lambda picture, at_s: cloth + _noise(shape, 2, chance)


def hand(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A hand, out of focus, that trembles: hides 80 to 100 % of the view."""
    skin, mask = (
        _cloth(shape, chance.uniform(70, 170), 12, 0.25, chance),
        _blob(shape, 0.8 + 0.2 * strength, chance),
    )

    def shown(picture: Grey, at_s: float) -> Grey:
        dx, dy = chance.normal(0, 0.006, 2) * shape[0]
        moved = cv2.warpAffine(mask, np.array([[1, 0, dx], [0, 1, dy]], np.float32), shape[::-1], borderMode=1)
        return picture + (skin - picture) * moved + _noise(shape, 1, chance)

    return shown


def spray(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Paint that comes blotch by blotch within two seconds, and leaves up to a fifth free."""
    hidden = _cloth(shape, 0, 1, 0.12, chance)
    hidden = np.clip((np.quantile(hidden, 0.82 + 0.18 * strength) - hidden) / 0.15 + 0.5, 0, 1).astype(
        np.float32
    )
    paint = _cloth(shape, chance.choice([30, 90, 200, 225]), 5, 0.5, chance)

    def shown(picture: Grey, at_s: float) -> Grey:
        return np.asarray(
            picture + (paint - picture) * hidden * np.float32(min(1.0, (at_s + 0.4) / 2)), np.float32
        )

    return shown


def leaf(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A leaf or a poster before the lens: from one side, 80 to 100 %, with a texture of its own."""
    skin, mask = (
        _cloth(shape, chance.uniform(50, 150), 15, 0.08, chance),
        _part(shape, 0.8 + 0.2 * strength, 0.05, chance),
    )
    return lambda picture, at_s: picture + (skin - picture) * mask + _noise(shape, 1, chance)


def cap(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A lens cap: black, with the noise of full gain or with none."""
    return lambda picture, at_s: np.full(shape, 16, np.float32) + _noise(shape, 4 * (1 - strength), chance)


def lamp_off(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """The only lamp goes out: 3 to 10 % of the light is left."""
    gain = np.float32(0.1 - 0.07 * strength)
    return lambda picture, at_s: picture * gain + _noise(shape, 2, chance)


def torch(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A torch into the lens: a white core and a veil over all the rest."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    cx, cy = chance.uniform(0.35, 0.65, 2)
    far = np.hypot(x - cx * shape[1], y - cy * shape[0]) / shape[0]
    glare = (350 + 650 * strength) * np.exp(-((far / (0.55 + 0.2 * strength)) ** 2)) + 40 + 80 * strength
    return lambda picture, at_s: picture * 0.7 + glare.astype(np.float32) + _noise(shape, 1, chance)


def overexposed(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """The exposure runs away."""
    gain, lift = np.float32(3 + 4 * strength), np.float32(60 * strength)
    return lambda picture, at_s: picture * gain + lift


def defocus(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Out of focus by a disc of 2.5 to 8 % of the height across; the sensor's noise stays."""
    across = shape[0] * (0.025 + 0.055 * strength)
    by = max(1, int(across / 12))
    size = max(3, round(across / by)) | 1
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.float32)
    disc /= disc.sum()

    def shown(picture: Grey, at_s: float) -> Grey:
        small = cv2.resize(picture, (shape[1] // by, shape[0] // by), interpolation=cv2.INTER_AREA)
        small = cv2.filter2D(small, -1, disc, borderType=cv2.BORDER_REPLICATE)
        soft = np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
        return soft + _noise(shape, 1, chance)

    return shown


def gauss(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A Gaussian of 0.7 to 4 % of the height."""
    sigma = shape[0] * (0.007 + 0.033 * strength)
    return lambda picture, at_s: _soft(picture, sigma)


def grease(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A smear: unequally blurred, veiled, a tenth still clear."""
    clear = _blob(shape, 0.1, chance)
    veil = np.float32(0.1 + 0.3 * strength)

    def shown(picture: Grey, at_s: float) -> Grey:
        soft = _soft(picture, shape[0] * (0.01 + 0.02 * strength))
        soft = soft * (1 - veil) + 150 * veil
        return soft + (picture - soft) * clear

    return shown


def _warped(matrix: NDArray[np.float64]) -> Shown:
    def shown(picture: Grey, at_s: float) -> Grey:
        size = picture.shape[::-1]
        return np.asarray(
            cv2.warpPerspective(picture, matrix, size, borderMode=cv2.BORDER_REFLECT_101), np.float32
        )

    return shown


def turned(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Turned by 15 to 60 % of the view's width, up or down a little."""
    dx = (0.15 + 0.45 * strength) * shape[1] * chance.choice([-1, 1])
    dy = chance.uniform(-0.1, 0.1) * shape[0]
    return _warped(np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]]))


def tilted(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Rotated by 8 to 35 degrees."""
    angle = (8 + 27 * strength) * chance.choice([-1, 1])
    middle = shape[1] / 2, shape[0] / 2
    return _warped(np.vstack([cv2.getRotationMatrix2D(middle, angle, 1.15), [0, 0, 1]]))


def bumped(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Knocked: another perspective, corners moved by up to 12 to 30 % of the view, and a shift of 8 %."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    by = (0.12 + 0.18 * strength) * chance.uniform(0.3, 1, (4, 2)) * chance.choice([-1, 1], (4, 2))
    goal = (corners + (by + 0.08) * [width, height]).astype(np.float32)
    return _warped(np.asarray(cv2.getPerspectiveTransform(corners, goal), np.float64))


def frozen(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """The same picture again and again."""
    held: list[Grey] = []

    def shown(picture: Grey, at_s: float) -> Grey:
        if not held:
            held.append(picture)
        return held[0]

    return shown


FAULTS: dict[str, tuple[Overlay, ...]] = {
    "covered": (bag, hand, spray, leaf),
    "dark": (cap, lamp_off),
    "bright": (torch, overexposed),
    "blurred": (defocus, gauss, grease),
    "moved": (turned, tilted, bumped),
    "frozen": (frozen,),
}
"""What blinds, by the word that the agent has for it."""


# What only looks like it.


def nothing(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """The footage as it is."""
    return lambda picture, at_s: picture


def dusk(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """From full light to 12 to 25 % of it within 90 seconds, and the grain grows."""
    left = 0.25 - 0.13 * strength

    def shown(picture: Grey, at_s: float) -> Grey:
        part = min(1.0, at_s / 90)
        return 16 + (picture - 16) * np.float32(1 - (1 - left) * part) + _noise(shape, 1 + 2 * part, chance)

    return shown


def fog(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Thickens for 60 seconds, most at the top, where it is far; at the bottom 15 to 40 % is left."""
    depth = np.linspace(1.6, 0.8, shape[0], dtype=np.float32)[:, None]
    thick = np.float32(-np.log(0.4 - 0.25 * strength) / 0.8)

    def shown(picture: Grey, at_s: float) -> Grey:
        clear = np.exp(-thick * depth * np.float32(min(1.0, at_s / 60)))
        return np.asarray(picture * clear + 170 * (1 - clear) + _noise(shape, 1, chance), np.float32)

    return shown


def bus(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A bus stands before the camera for 8 seconds, every 25, and hides 40 to 60 % of the view."""
    wide = 0.4 + 0.2 * strength
    length = round(shape[1] * wide)
    side = np.full((shape[0], length), chance.uniform(40, 220), np.float32)
    for left in range(0, length, max(8, length // 6)):
        cv2.rectangle(side, (left + 4, shape[0] // 5), (left + length // 7, shape[0] // 2), 35.0, cv2.FILLED)
    side += _cloth((shape[0], length), 0, 6, 0.1, chance)
    place = round(chance.uniform(0, shape[1] - length))

    def shown(picture: Grey, at_s: float) -> Grey:
        late_s = at_s % 25
        if late_s >= 8:
            return picture
        off = max(0.0, 1 - late_s / 1.2) - max(0.0, (late_s - 6.8) / 1.2)  # drives in, stands, drives out
        left = place + round(off * (shape[1] + length))
        picture = picture.copy()
        first, last = max(0, left), min(shape[1], left + length)
        if last > first:
            picture[:, first:last] = side[:, first - left : last - left]
        return picture

    return shown


def infrared(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """The filter clicks: a second too bright, then dim corners and grain; back after 60 seconds."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    far = np.hypot(x / shape[1] - 0.5, y / shape[0] - 0.6)
    lamp = np.clip(1.25 - (1 + 0.7 * strength) * far, 0.15, 1).astype(np.float32)

    def shown(picture: Grey, at_s: float) -> Grey:
        late_s = at_s % 120
        if late_s < 1 or 60 <= late_s < 61:
            return picture * 1.6 + 70
        if late_s >= 60:
            return picture
        return np.asarray(
            255 * (np.clip(picture, 0, 255) / 255) ** 0.8 * lamp + _noise(shape, 3, chance), np.float32
        )

    return shown


def exposure(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Every ten seconds the automatic exposure steps."""
    gains = [1.0, 0.6, 1.35, 0.75, 1.5, 0.5]

    def shown(picture: Grey, at_s: float) -> Grey:
        turn, late_s = int(at_s // 10), at_s % 10
        old, new = gains[(turn - 1) % 6] if turn else 1.0, gains[turn % 6]
        return picture * np.float32(old + (new - old) * min(1.0, late_s / 0.5))

    return shown


def rain(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """A cloudburst: hundreds of streaks, a veil, and light that falls to 70 % in a few seconds."""

    def shown(picture: Grey, at_s: float) -> Grey:
        streaks = np.zeros(shape, np.uint8)
        for _ in range(round(200 + 500 * strength)):
            x, y = int(chance.integers(0, shape[1])), int(chance.integers(-30, shape[0]))
            long = int(chance.integers(shape[0] // 40, shape[0] // 10))
            cv2.line(
                streaks,
                (x, y),
                (x + long // 6, y + long),
                int(chance.integers(15, 60)),
                1 + int(long > shape[0] // 12),
            )
        part = min(1.0, at_s / 5)
        veiled = picture * (1 - 0.3 * part) * (1 - 0.3 * strength * part) + 40 * strength * part
        return veiled + np.float32(part) * cv2.GaussianBlur(streaks, (3, 3), 0)

    return shown


def snow(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Flakes, near ones large; the ground turns white within two minutes."""

    def shown(picture: Grey, at_s: float) -> Grey:
        flakes = np.zeros(shape, np.uint8)
        for _ in range(round(100 + 300 * strength)):
            place = int(chance.integers(0, shape[1])), int(chance.integers(0, shape[0]))
            cv2.circle(
                flakes,
                place,
                1 + int(chance.exponential(shape[0] / 250)),
                int(chance.integers(30, 110)),
                cv2.FILLED,
            )
        white = 0.5 * min(1.0, at_s / 120)
        return picture * (1 - white) + 200 * white + cv2.GaussianBlur(flakes, (3, 3), 0)

    return shown


def headlights(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """At night a beam sweeps over a third of the view every ten seconds; the exposure gives way."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)

    def shown(picture: Grey, at_s: float) -> Grey:
        dark = 16 + (picture - 16) * 0.4
        part = at_s % 10 / 4
        if part >= 1:
            return dark + _noise(shape, 2, chance)
        cx, cy = (part * 1.6 - 0.3) * shape[1], 0.6 * shape[0]
        beam = np.exp(-(((x - cx) / (0.2 * shape[1])) ** 2 + ((y - cy) / (0.25 * shape[0])) ** 2))
        return np.asarray(
            dark * (1 - 0.3 * strength * (4 * part * (1 - part))) + 300 * beam + _noise(shape, 2, chance),
            np.float32,
        )

    return shown


def clouds(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Shadows of clouds pass over the view, hard or soft."""
    x = (np.arange(shape[1], dtype=np.float32) / shape[1])[None]

    def shown(picture: Grey, at_s: float) -> Grey:
        wave = np.clip((0.5 + (0.5 + strength) * np.sin(2 * np.pi * (x * 0.6 - at_s / 20))), 0, 1)
        return picture * (0.5 + 0.5 * wave).astype(np.float32)

    return shown


def sway(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """The pole sways by up to 0.6 to 1.2 % of the height."""
    by = (0.006 + 0.006 * strength) * shape[0]

    def shown(picture: Grey, at_s: float) -> Grey:
        dx = by * np.sin(2 * np.pi * 1.3 * at_s) + chance.normal(0, 0.1 * by)
        dy = 0.5 * by * np.sin(2 * np.pi * 1.7 * at_s)
        return _warped(np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]]))(picture, at_s)

    return shown


def lightning(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Flashes of half a second to a second and a half, in a row."""
    return lambda picture, at_s: picture * 2 + 120 if at_s % 5 < 0.5 + strength else picture


def insect(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> Shown:
    """Something crawls over the lens: a soft blot over a third of the view."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)

    def shown(picture: Grey, at_s: float) -> Grey:
        cx, cy = 0.5 + 0.35 * np.sin(at_s / 4), 0.5 + 0.3 * np.cos(at_s / 5)
        far = np.hypot((x / shape[1] - cx) * 1.4, y / shape[0] - cy)
        blot = np.clip((0.25 + 0.1 * strength - far) / 0.1 + 0.5, 0, 1)
        return np.asarray(picture + (200 - picture) * blot, np.float32)

    return shown


HARMLESS: dict[str, Overlay] = {
    overlay.__name__: overlay
    for overlay in (
        nothing, dusk, fog, bus, infrared, exposure, rain, snow, headlights, clouds, sway, lightning, insect,
    )
}  # fmt: skip
"""What must not be told as a fault."""
