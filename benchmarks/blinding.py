"""What blinds a camera: hands, paint, lids, lamps, wrong focus, another direction, a stream that stands still.

Cover hides 75 to 100 % of the view; what hides less is a vehicle as well as a hand to anyone who looks.
What lies on the glass, two centimetres before a lens of 4 mm at f/2 to f/4, blurs to 6 to 13 % of the height.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.sights import (
    BLACK,
    Chance,
    Grey,
    Overlay,
    Shape,
    Shown,
    Sight,
    Turn,
    around_middle,
    blotches,
    cloth,
    disc,
    from_side,
    grid,
    noise,
    soft,
    turn,
)


def _over(skin: Grey, mask: Grey, grain: float, chance: Chance) -> Shown:
    """`skin` where `mask` is, with a tremble of the mask and the sensor's grain."""

    def shown(picture: Grey, at_s: float) -> Grey:
        return picture + (skin - picture) * mask + noise(mask.shape, grain, chance)

    return shown


def bag(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A bag or cloth over all of the lens, dark or bright, with folds, that the wind moves."""
    skin = cloth(shape, chance.uniform(35, 215), chance.uniform(3, 14), chance.uniform(0.15, 0.5), chance)
    skin += np.float32(0.35) * cloth(shape, 0, 8, 0.06, chance)
    grain, pull = chance.uniform(0.5, 3), 0.01 * strength * shape[0]

    def shown(picture: Grey, at_s: float) -> Grey:
        dx, dy = pull * np.sin(at_s * 1.9), pull * np.cos(at_s * 1.3)
        moved = cv2.warpAffine(skin, np.array([[1, 0, dx], [0, 1, dy]], np.float32), shape[::-1], borderMode=2)
        return np.asarray(moved, np.float32) + noise(shape, grain, chance)

    faded = chance.random() < 0.5
    return Sight(shown, lambda at_s: faded)


def film(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A thin white bag: light comes through, shapes hardly."""
    through, level = np.float32(0.05 + 0.2 * (1 - strength)), chance.uniform(110, 190)
    folds = cloth(shape, level, chance.uniform(6, 16), chance.uniform(0.1, 0.3), chance)
    sigma = chance.uniform(0.04, 0.08) * shape[0]
    return Sight(
        lambda picture, at_s: folds * (1 - through) + soft(picture, sigma) * through + noise(shape, 1, chance)
    )


def hand(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A hand, out of focus, that trembles; it hides 80 to 100 % of the view."""
    skin = cloth(shape, chance.uniform(35, 200), chance.uniform(6, 16), chance.uniform(0.2, 0.4), chance)
    mask = around_middle(shape, 0.8 + 0.2 * strength, chance.uniform(0.05, 0.15), chance)

    def shown(picture: Grey, at_s: float) -> Grey:
        dx, dy = chance.normal(0, 0.006, 2) * shape[0]
        moved = cv2.warpAffine(mask, np.array([[1, 0, dx], [0, 1, dy]], np.float32), shape[::-1], borderMode=1)
        return picture + (skin - picture) * moved + noise(shape, 1, chance)

    return Sight(shown)


def spray(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Paint that comes within one to three seconds, in blotches with runs, and hides 75 to 100 %."""
    share = 0.75 + 0.25 * strength
    mask = blotches(shape, share, chance.uniform(0.12, 0.35), chance.uniform(0.1, 0.4), chance)
    mask = np.clip(soft(mask, chance.uniform(0.015, 0.035) * shape[0]), 0, 1)
    paint = cloth(shape, chance.uniform(25, 225), chance.uniform(3, 12), chance.uniform(0.1, 0.5), chance)
    takes_s = chance.uniform(1, 3)

    def shown(picture: Grey, at_s: float) -> Grey:
        part = np.float32(min(1.0, (at_s + 0.4) / takes_s))
        return np.asarray(picture + (paint - picture) * mask * part + noise(shape, 1, chance), np.float32)

    return Sight(shown)


def mud(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A splash, at once: 75 to 97 % hidden in clots, most of the rest veiled."""
    mask = blotches(shape, 0.75 + 0.22 * strength, chance.uniform(0.06, 0.2), 0.3, chance)
    skin = cloth(shape, chance.uniform(25, 90), 12, 0.08, chance)
    veil = np.clip(soft(mask, chance.uniform(0.015, 0.035) * shape[0]) + np.float32(0.2), 0, 1)
    return Sight(_over(skin, veil, 1, chance))


def tape(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Tape or a sticker on the glass, from one side: 80 to 100 %; light shines through a little."""
    skin = cloth(shape, chance.uniform(30, 210), 3, 0.7, chance)
    mask = from_side(shape, 0.8 + 0.2 * strength, chance.uniform(0.03, 0.12), chance)
    return Sight(_over(skin, mask * np.float32(chance.uniform(0.93, 1)), 1, chance))


def leaf(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A wet leaf stuck on the glass: 75 to 100 %, with veins, out of focus."""
    skin = cloth(shape, chance.uniform(40, 150), 14, chance.uniform(0.05, 0.15), chance)
    mask = from_side(shape, 0.75 + 0.25 * strength, chance.uniform(0.05, 0.12), chance)
    return Sight(_over(skin, mask, 1, chance))


def board(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A poster or board hung up before the camera, sharp and written on: 85 to 100 % hidden."""
    skin = cloth(shape, chance.uniform(60, 200), 6, 0.3, chance)
    for _ in range(int(chance.integers(5, 30))):
        x, y = int(chance.integers(0, shape[1])), int(chance.integers(0, shape[0]))
        w, h = (int(each * shape[0]) for each in chance.uniform(0.03, 0.25, 2))
        cv2.rectangle(skin, (x, y), (x + w, y + h), float(chance.uniform(20, 230)), int(chance.choice([-1, 3])))
    mask = from_side(shape, 0.85 + 0.15 * strength, 0.01, chance)
    return Sight(_over(soft(skin, 0.8), mask, 1, chance))


def web(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A web before the infrared lamp as it goes on: strands out of focus that glare, and a veil over all."""
    strands = np.zeros(shape, np.float32)
    hub = chance.uniform(0.2, 0.8, 2) * (shape[1], shape[0])
    for angle in np.linspace(0, 2 * np.pi, int(chance.integers(12, 24)), endpoint=False):
        end = hub + 2 * shape[1] * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(strands, hub.astype(int).tolist(), end.astype(int).tolist(), 255.0, max(2, shape[0] // 50))
    for ring in np.arange(0.1, 1.6, chance.uniform(0.09, 0.16)):
        cv2.circle(strands, hub.astype(int).tolist(), int(ring * shape[0]), 255.0, max(2, shape[0] // 60))
    glare = soft(strands, chance.uniform(0.012, 0.03) * shape[0]) * np.float32(0.8 + 0.6 * strength)
    veil, left = np.float32(50 + 60 * strength), np.float32(0.45 - 0.3 * strength)

    def shown(picture: Grey, at_s: float) -> Grey:
        dx = 0.01 * shape[0] * np.sin(at_s)
        moved = cv2.warpAffine(glare, np.array([[1, 0, dx], [0, 1, 0]], np.float32), shape[::-1])
        return picture * left + veil + np.asarray(moved, np.float32) + noise(shape, 3, chance)

    return Sight(shown, lambda at_s: True)


def cap(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A lens cap: black, with the grain of full gain or with none; half of the time still in colour."""
    sigma, faded = 4 * (1 - strength), chance.random() < 0.5
    return Sight(
        lambda picture, at_s: np.full(shape, BLACK, np.float32) + noise(shape, sigma, chance),
        lambda at_s: faded,
    )


def lamp_off(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The only lamp goes out: 2 to 12 % of the light is left, under the grain of a high gain."""
    gain, sigma = np.float32(0.12 - 0.1 * strength), chance.uniform(1.5, 5)
    return Sight(lambda picture, at_s: BLACK + (picture - BLACK) * gain + noise(shape, sigma, chance))


def torch(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A torch into the lens, held by someone: a white core, rays and a veil over all the rest."""
    y, x = grid(shape)
    cx, cy = chance.uniform(0.3, 0.7, 2)
    wide = 0.55 + 0.2 * strength
    far = np.hypot(x - cx * shape[1], y - cy * shape[0]) / shape[0]
    glare = (350 + 650 * strength) * np.exp(-((far / wide) ** 2)) + 40 + 80 * strength
    glare = glare.astype(np.float32)

    def shown(picture: Grey, at_s: float) -> Grey:
        dx, dy = chance.normal(0, 0.02, 2) * shape[0]
        moved = cv2.warpAffine(glare, np.array([[1, 0, dx], [0, 1, dy]], np.float32), shape[::-1], borderMode=1)
        return picture * 0.7 + np.asarray(moved, np.float32) + noise(shape, 1, chance)

    return Sight(shown)


def sun(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The sun out of a cloud, low and into the lens: a core of a third or more, a veil, ghosts."""
    y, x = grid(shape)
    cx, cy = chance.uniform(0.2, 0.8), chance.uniform(0, 0.4)
    far = np.hypot(x - cx * shape[1], y - cy * shape[0]) / shape[0]
    glare = 600 * np.exp(-((far / (0.5 + 0.3 * strength)) ** 2)) + 130 + 60 * strength
    for step in chance.uniform(0.3, 1.6, 4):
        place = cx + (0.5 - cx) * step, cy + (0.5 - cy) * step
        ghost = np.hypot(x - place[0] * shape[1], y - place[1] * shape[0]) < 0.05 * shape[0]
        glare += 25 * ghost
    glare = glare.astype(np.float32)
    return Sight(lambda picture, at_s: picture * 0.6 + glare * np.float32(min(1.0, (at_s + 0.5) / 2)))


def overexposed(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The exposure runs away until 65 to 97 % of the view is white."""
    share, gains = 0.35 - 0.32 * strength, list[float]()

    def shown(picture: Grey, at_s: float) -> Grey:
        if not gains:
            gains.append(240 / max(4.0, float(np.quantile(picture, share)) - BLACK))
        return BLACK + (picture - BLACK) * np.float32(gains[0])

    return Sight(shown)


def defocus(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The ring is turned: a disc of 2 to 8 % of the height, within a second; the sensor's grain stays."""
    across, grain = shape[0] * (0.02 + 0.06 * strength), chance.uniform(0.5, 2)
    return Sight(
        lambda picture, at_s: disc(picture, across * min(1.0, at_s + 0.5)) + noise(shape, grain, chance)
    )


def gauss(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A Gaussian of 0.6 to 4 % of the height."""
    sigma = shape[0] * (0.006 + 0.034 * strength)
    return Sight(lambda picture, at_s: soft(picture, sigma))


def grease(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A smear: blurred, veiled, up to a seventh still clear."""
    clear = around_middle(shape, chance.uniform(0, 0.15), 0.06, chance)
    veil, sigma = np.float32(0.1 + 0.3 * strength), shape[0] * (0.01 + 0.02 * strength)
    level = np.float32(chance.uniform(90, 170))

    def shown(picture: Grey, at_s: float) -> Grey:
        smeared = soft(picture, sigma) * (1 - veil) + level * veil
        return np.asarray(smeared + (picture - smeared) * clear, np.float32)

    return Sight(shown)


def breath(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Breath or a warm wet gust on cold glass: a veil and a blur over 75 to 100 % within 1 to 4 s."""
    spread = np.clip(around_middle(shape, 0.75 + 0.25 * strength, 0.12, chance) + np.float32(0.25), 0, 1)
    veil, sigma = np.float32(0.35 + 0.4 * strength), shape[0] * (0.012 + 0.03 * strength)
    takes_s, level = chance.uniform(1, 4), np.float32(chance.uniform(110, 180))

    def shown(picture: Grey, at_s: float) -> Grey:
        part = np.float32(min(1.0, (at_s + 0.5) / takes_s)) * spread
        misty = soft(picture, sigma) * (1 - veil) + level * veil
        return np.asarray(picture + (misty - picture) * part, np.float32)

    return Sight(shown)


def _mirrored(picture: Grey) -> Grey:
    """Another street of the same kind: mirrored and nearer."""
    height, width = picture.shape
    inner = np.ascontiguousarray(picture[height // 10 : -height // 10, width // 6 : -width // 12][:, ::-1])
    return np.asarray(cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _elsewhere(turned: Turn) -> Sight:
    return Sight(lambda picture, at_s: turned(picture, _mirrored(picture)))


def turned(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Turned by 5 to 60 degrees, a little up or down, with a lens of 45 to 100 degrees."""
    yaw = (5 + 55 * strength**2) * chance.choice([-1, 1])
    return _elsewhere(turn(shape, yaw, chance.uniform(-4, 4), chance.uniform(-3, 3), chance.uniform(45, 100)))


def tilted(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Rolled by 8 to 45 degrees about the lens's axis, as a bracket that slips."""
    roll = (8 + 37 * strength) * chance.choice([-1, 1])
    return _elsewhere(turn(shape, chance.uniform(-3, 3), chance.uniform(-3, 3), roll, chance.uniform(45, 100)))


def bumped(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Knocked: 4 to 15 degrees aside, 3 to 12 up or down, rolled by 2 to 15."""
    yaw, pitch, roll = (
        (low + (high - low) * strength) * chance.choice([-1, 1]) for low, high in ((4, 15), (3, 12), (2, 15))
    )
    return _elsewhere(turn(shape, yaw, pitch, roll, chance.uniform(45, 100)))


def skyward(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Pushed up by 15 to 50 degrees: sky, clear or cloudy, and below what is left of the street."""
    turned = turn(shape, 0, 15 + 35 * strength, chance.uniform(-8, 8), chance.uniform(50, 90))
    level = chance.uniform(25, 225)
    sky = cloth(shape, level, chance.uniform(1, 12), chance.uniform(0.1, 0.5), chance)
    sky += np.linspace(15, -15, shape[0], dtype=np.float32)[:, None]
    return Sight(lambda picture, at_s: turned(picture, sky) + noise(shape, 1, chance))


def frozen(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The same picture again and again."""
    held: list[Grey] = []

    def shown(picture: Grey, at_s: float) -> Grey:
        held[:] = held or [picture.copy()]
        return held[0]

    return Sight(shown)


def frozen_under_clock(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The picture stands, but the clock that is written over it goes on."""
    held: list[Grey] = []
    scale = shape[0] / 360 * (0.4 + 0.6 * strength)
    place = (
        int(chance.choice([0.02, 0.35, 0.6]) * shape[1]),
        int(chance.choice([0.07, 0.97]) * shape[0]),
    )

    def shown(picture: Grey, at_s: float) -> Grey:
        held[:] = held or [picture.copy()]
        written = np.clip(held[0], 0, 255).astype(np.uint8)
        text = f"2026-11-25 06:{int(at_s) // 60:02}:{int(at_s) % 60:02}"
        cv2.putText(written, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 240, max(1, round(2 * scale)))
        return written.astype(np.float32)

    return Sight(shown)


FAULTS: dict[str, tuple[Overlay, ...]] = {
    "covered": (bag, film, hand, spray, mud, tape, leaf, board, web),
    "dark": (cap, lamp_off),
    "bright": (torch, sun, overexposed),
    "blurred": (defocus, gauss, grease, breath),
    "moved": (turned, tilted, bumped, skyward),
    "frozen": (frozen, frozen_under_clock),
}
"""What blinds, by the word that the agent has for it."""
