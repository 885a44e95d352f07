"""What only looks like a blind camera: weather, light, traffic, insects, and streams that stumble."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.sights import BLACK, Chance, Grey, Overlay, Shape, Sight, cloth, disc, grid, noise


def nothing(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The footage as it is."""
    return Sight(lambda picture, at_s: picture)


def _dimmed(picture: Grey, left: float) -> Grey:
    return np.asarray(BLACK + (picture - BLACK) * np.float32(left), np.float32)


def night(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A long empty night: one picture at 10 to 40 % of the light, under grain; at times headlights pass."""
    left, sigma, held = chance.uniform(0.1, 0.4), chance.uniform(1, 5), list[Grey]()
    y, x = grid(shape)
    every_s = chance.uniform(50, 120)

    def shown(picture: Grey, at_s: float) -> Grey:
        held[:] = held or [picture]
        still = _dimmed(held[0], 1 - (1 - left) * min(1.0, at_s / 90))
        part = at_s % every_s / 4
        if at_s < every_s or part >= 1:
            return still + noise(shape, sigma, chance)
        cx = (part * 1.6 - 0.3) * shape[1]
        beam = np.exp(-(((x - cx) / (0.2 * shape[1])) ** 2 + ((y - 0.6 * shape[0]) / (0.25 * shape[0])) ** 2))
        return np.asarray(still * 0.8 + 280 * beam + noise(shape, sigma, chance), np.float32)

    return Sight(shown, lasts=4)


def dusk(shape: Shape, strength: float, chance: Chance) -> Sight:
    """From full light to 10 to 25 % of it within a minute or two, and the grain grows."""
    left, takes_s = 0.25 - 0.15 * strength, chance.uniform(60, 100)

    def shown(picture: Grey, at_s: float) -> Grey:
        part = min(1.0, at_s / takes_s)
        return _dimmed(picture, 1 - (1 - left) * part) + noise(shape, 1 + 2 * part, chance)

    return Sight(shown)


def dawn(shape: Shape, strength: float, chance: Chance) -> Sight:
    """From 10 to 30 % of the light to all of it; on the way the street lamp goes out."""
    left, takes_s, off_s = 0.1 + 0.2 * strength, chance.uniform(60, 100), chance.uniform(20, 60)
    pool = _pool(shape, chance) * 50

    def shown(picture: Grey, at_s: float) -> Grey:
        part = min(1.0, at_s / takes_s)
        lit = _dimmed(picture, left + (1 - left) * part) + noise(shape, 3 - 2 * part, chance)
        return lit + pool if at_s < off_s else lit

    return Sight(shown)


def _pool(shape: Shape, chance: Chance) -> Grey:
    y, x = grid(shape)
    cx, cy = chance.uniform(0.2, 0.8, 2)
    far = ((x / shape[1] - cx) / 0.3) ** 2 + ((y / shape[0] - cy) / 0.35) ** 2
    return np.asarray(np.exp(-far), np.float32)


def lamp(shape: Shape, strength: float, chance: Chance) -> Sight:
    """At night a street lamp goes out and on: 30 to 60 % of the light is left without it."""
    pool, dim, every_s = _pool(shape, chance), 0.6 - 0.3 * strength, chance.uniform(15, 40)

    def shown(picture: Grey, at_s: float) -> Grey:
        lit = _dimmed(picture, 0.5)
        if int(at_s / every_s) % 2 == 0:
            return lit * (0.9 + 0.6 * pool) + noise(shape, 2, chance)
        return _dimmed(lit, dim) + noise(shape, 3, chance)

    return Sight(shown)


def fog(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A bank that comes within 40 to 90 seconds; far away nothing is left, near by 10 to 40 %."""
    depth = np.linspace(chance.uniform(1.5, 4), 0.8, shape[0], dtype=np.float32)[:, None]
    thick, takes_s = np.float32(-np.log(0.4 - 0.3 * strength) / 0.8), chance.uniform(40, 90)
    level = np.float32(chance.uniform(120, 200))

    def shown(picture: Grey, at_s: float) -> Grey:
        clear = np.exp(-thick * depth * np.float32(min(1.0, at_s / takes_s)))
        return np.asarray(picture * clear + level * (1 - clear) + noise(shape, 1, chance), np.float32)

    return Sight(shown)


def lorry(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A bus or lorry drives up and stands 20 seconds before the camera, hides 35 to 60 %, and drives on."""
    length, high = round(shape[1] * (0.4 + 0.25 * strength)), round(shape[0] * chance.uniform(0.85, 1))
    plain = np.full((high, length), int(chance.integers(40, 220)), np.uint8)
    if chance.random() < 0.5:  # a bus has windows, a lorry a plain side with writing
        for left in range(0, length, max(8, length // 6)):
            cv2.rectangle(plain, (left + 4, high // 5), (left + length // 7, high // 2), 35, cv2.FILLED)
    else:
        cv2.putText(plain, "MUDANZAS", (length // 20, high // 2), 0, length / 220, 30, max(2, length // 60))
    for wheel in (0.15, 0.8):
        cv2.circle(plain, (round(wheel * length), round(0.95 * high)), high // 8, 20, cv2.FILLED)
    side = plain + cloth((high, length), 0, 5, 0.1, chance)
    place, top = round(chance.uniform(0, shape[1] - length)), shape[0] - high
    stands_s, way = 20.0, chance.choice([-1, 1])

    def shown(picture: Grey, at_s: float) -> Grey:
        late_s = at_s % 45 - 8
        if not 0 <= late_s < stands_s + 3:
            return picture
        # Drives in, stands, drives out.
        off = max(0.0, 1 - late_s / 1.5) - max(0.0, (late_s - stands_s - 1.5) / 1.5)
        left = place + round(way * off * (shape[1] + length))
        first, last = max(0, left), min(shape[1], left + length)
        picture = picture.copy()
        if last > first:
            picture[top:, first:last] = side[:, first - left : last - left]
        return picture

    return Sight(shown)


def infrared(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The filter clicks: a moment too bright and soft, then grey with grain, a hot middle and dim corners.

    The lamps' ring glares on the glass. Back after 50 seconds.
    """
    y, x = grid(shape)
    far = np.hypot(x / shape[1] - 0.5, y / shape[0] - 0.55)
    lit = np.clip(1.3 - (1 + 0.9 * strength) * far, 0.12, 1).astype(np.float32)
    ring = (chance.uniform(0, 70) * np.exp(-(((far - chance.uniform(0.2, 0.5)) / 0.06) ** 2))).astype(
        np.float32
    )
    gamma, sigma, faded = chance.uniform(0.6, 1), chance.uniform(2, 5), strength < 0.8

    def shown(picture: Grey, at_s: float) -> Grey:
        late_s = at_s % 100
        if late_s < 1 or 50 <= late_s < 51:
            return disc(picture, 0.02 * shape[0]) * 1.6 + 60
        if late_s >= 50:
            return picture
        grey = 255 * (np.clip(picture, 0, 255) / 255) ** np.float32(gamma)
        return np.asarray(grey * lit + ring + noise(shape, sigma, chance), np.float32)

    return Sight(shown, lambda at_s: faded and at_s % 100 < 50)


def steps(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Every ten seconds the exposure steps, by 0.35 to 2.2, but blows out no more than a third."""
    gains = [1.0, *np.exp(chance.uniform(np.log(0.35), np.log(2.2), 12)).tolist()]

    def shown(picture: Grey, at_s: float) -> Grey:
        number, late_s = int(at_s // 10), at_s % 10
        old, new = gains[max(0, number - 1) % 13], gains[number % 13]
        return _exposed(picture, old + (new - old) * min(1.0, late_s / 0.5), 0.33)

    return Sight(shown)


def _exposed(picture: Grey, gain: float, white: float) -> Grey:
    """No automatic exposure lets more than `white` of the view blow out for seconds."""
    most = 195 / max(1.0, float(np.quantile(picture, 1 - white)) - BLACK)
    return _dimmed(picture, min(gain, max(1.0, most)))


def pumping(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The exposure hunts: between half and twice the light, up and down within 3 to 15 seconds."""
    swing, every_s = 0.4 + 0.3 * strength, chance.uniform(3, 15)
    return Sight(
        lambda picture, at_s: _exposed(picture, float(np.exp(swing * np.sin(2 * np.pi * at_s / every_s))), 0.5)
    )


def rain(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A cloudburst: hundreds of streaks, a veil, drops on the glass, and 70 % of the light."""
    drops = (
        np.clip(cloth(shape, -1.2, 1, 0.04, chance), 0, 1) if strength > 0.5 else np.zeros(shape, np.float32)
    )

    def shown(picture: Grey, at_s: float) -> Grey:
        streaks = np.zeros(shape, np.uint8)
        for _ in range(round(150 + 400 * strength)):
            x, y = int(chance.integers(0, shape[1])), int(chance.integers(-30, shape[0]))
            long = int(chance.integers(shape[0] // 40, shape[0] // 10))
            level, thick = int(chance.integers(15, 60)), 1 + int(long > shape[0] // 12)
            cv2.line(streaks, (x, y), (x + long // 6, y + long), level, thick)
        part = np.float32(min(1.0, at_s / 5))
        veiled = picture * (1 - 0.3 * part) * (1 - 0.3 * strength * part) + 40 * strength * part
        veiled = veiled + part * drops * (150 - veiled)
        return np.asarray(veiled + part * cv2.GaussianBlur(streaks, (3, 3), 0), np.float32)

    return Sight(shown)


def snow(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Flakes, near ones large; the ground turns white within two minutes."""

    def shown(picture: Grey, at_s: float) -> Grey:
        flakes = np.zeros(shape, np.uint8)
        for _ in range(round(80 + 250 * strength)):
            place = int(chance.integers(0, shape[1])), int(chance.integers(0, shape[0]))
            across = 1 + int(chance.exponential(shape[0] / 200))
            cv2.circle(flakes, place, across, int(chance.integers(30, 110)), cv2.FILLED)
        white = np.float32(0.5 * min(1.0, at_s / 120))
        return np.asarray(picture * (1 - white) + 200 * white + cv2.GaussianBlur(flakes, (3, 3), 0), np.float32)

    return Sight(shown)


def dazzle(shape: Shape, strength: float, chance: Chance) -> Sight:
    """At night a car waits with its lights into the lens for 3 to 10 seconds: bloom, a veil."""
    y, x = grid(shape)
    cx, cy = chance.uniform(0.2, 0.8), chance.uniform(0.4, 0.8)
    stays_s = chance.uniform(3, 10)
    wide = 0.1 + 0.15 * strength
    far = np.minimum(
        *(np.hypot(x / shape[0] - (cx + by) * shape[1] / shape[0], y / shape[0] - cy) for by in (0, 0.1))
    )
    glare = (900 * np.exp(-((far / wide) ** 2)) + (20 + 40 * strength) * np.exp(-far)).astype(np.float32)

    def shown(picture: Grey, at_s: float) -> Grey:
        dark = _dimmed(picture, 0.4) + noise(shape, 2, chance)
        if at_s % 25 >= stays_s:
            return dark
        return _dimmed(dark, 1 - 0.4 * strength) + glare

    return Sight(shown)


def clouds(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Shadows of clouds pass over the view, hard or soft."""
    x = (np.arange(shape[1], dtype=np.float32) / shape[1])[None]
    every_s, deep = chance.uniform(8, 30), chance.uniform(0.3, 0.6)

    def shown(picture: Grey, at_s: float) -> Grey:
        wave = np.clip((0.5 + (0.5 + strength) * np.sin(2 * np.pi * (x * 0.6 - at_s / every_s))), 0, 1)
        return picture * (1 - deep + deep * wave).astype(np.float32)

    return Sight(shown)


def sway(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Wind shakes the pole: by 0.5 to 1.5 % of the height, and rolls it by up to half a degree."""
    by, tone = (0.005 + 0.01 * strength) * shape[0], chance.uniform(0.6, 2)

    def shown(picture: Grey, at_s: float) -> Grey:
        dx = by * np.sin(2 * np.pi * tone * at_s) + chance.normal(0, 0.1 * by)
        dy = 0.5 * by * np.sin(2 * np.pi * 1.31 * tone * at_s)
        middle = shape[1] / 2, shape[0] / 2
        move = cv2.getRotationMatrix2D(middle, 0.5 * strength * np.sin(tone * at_s), 1)
        move[:, 2] += dx, dy
        return np.asarray(
            cv2.warpAffine(picture, move, shape[::-1], borderMode=cv2.BORDER_REFLECT_101), np.float32
        )

    return Sight(shown)


def wander(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The mast bends in the sun: by 0.3 to 0.6 degrees within two minutes."""
    across = chance.choice([-1, 1]) * (0.3 + 0.3 * strength) / 70 * shape[1]

    def shown(picture: Grey, at_s: float) -> Grey:
        by = across * min(1.0, at_s / 120)
        move = np.array([[1, 0, by], [0, 1, by / 3]], np.float32)
        return np.asarray(
            cv2.warpAffine(picture, move, shape[::-1], borderMode=cv2.BORDER_REFLECT_101), np.float32
        )

    return Sight(shown)


def lightning(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Flashes of half a second to a second and a half, in a row."""
    return Sight(lambda picture, at_s: picture * 2 + 120 if at_s % 5 < 0.5 + strength else picture)


def insect(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Something crawls over the glass: a blot out of focus, bright or dark, over 15 to 35 % of the view."""
    y, x = grid(shape)
    level, pace = chance.uniform(20, 220), chance.uniform(0.5, 1.5)

    def shown(picture: Grey, at_s: float) -> Grey:
        cx, cy = 0.5 + 0.35 * np.sin(pace * at_s / 4), 0.5 + 0.3 * np.cos(pace * at_s / 5)
        far = np.hypot((x / shape[1] - cx) * 1.4, y / shape[0] - cy)
        blot = np.clip((0.22 + 0.13 * strength - far) / 0.1 + 0.5, 0, 1)
        return np.asarray(picture + (level - picture) * blot, np.float32)

    return Sight(shown)


def moths(shape: Shape, strength: float, chance: Chance) -> Sight:
    """Insects in infrared light before the lens: bright streaks everywhere, other ones in each picture."""

    def shown(picture: Grey, at_s: float) -> Grey:
        dark, trails = _dimmed(picture, 0.5), np.zeros(shape, np.uint8)
        for _ in range(int(chance.poisson(3 + 8 * strength))):
            x, y = int(chance.integers(0, shape[1])), int(chance.integers(0, shape[0]))
            end = x + int(chance.normal(0, shape[0] / 5)), y + int(chance.normal(0, shape[0] / 5))
            cv2.line(
                trails, (x, y), end, int(chance.integers(100, 250)), int(chance.integers(2, 2 + shape[0] // 30))
            )
        return np.asarray(
            dark + cv2.GaussianBlur(trails, (0, 0), shape[0] / 150) + noise(shape, 3, chance), np.float32
        )

    return Sight(shown, lambda at_s: True)


def pulses(shape: Shape, strength: float, chance: Chance) -> Sight:
    """A starved encoder: pictures get better from key frame to key frame, every 2 to 6 s."""
    every_s, worst = chance.uniform(2, 6), 25 - 20 * strength

    def shown(picture: Grey, at_s: float) -> Grey:
        quality = int(worst + 40 * (at_s % every_s / every_s))
        plain = np.clip(picture, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)

    return Sight(shown)


def stalls(shape: Shape, strength: float, chance: Chance) -> Sight:
    """The network stumbles: every 10 to 20 seconds the same picture for 1 to 5."""
    every_s, stands_s, held = chance.uniform(10, 20), 1 + 4 * strength, list[Grey]()

    def shown(picture: Grey, at_s: float) -> Grey:
        if at_s < every_s or at_s % every_s >= stands_s or not held:
            held[:] = [picture]
        return held[0]

    return Sight(shown)


def power_cut(shape: Shape, strength: float, chance: Chance) -> Sight:
    """No pictures for 5 seconds to 4 minutes; then two too bright or dark, soft ones, and another exposure."""
    gains = np.exp(chance.uniform(np.log(0.45), np.log(1.8), 16))

    def shown(picture: Grey, at_s: float) -> Grey:
        number, late_s = divmod(at_s, 30)
        gain = float(gains[int(number) % 16])
        if number and late_s < 1.5:
            return disc(_dimmed(picture, 3 * gain if number % 2 else gain / 4), 0.015 * shape[0])
        return _dimmed(picture, gain if number else 1)

    return Sight(shown, away_s=float(chance.uniform(5, 240)))


HARMLESS: tuple[Overlay, ...] = (
    nothing, night, dusk, dawn, lamp, fog, lorry, infrared, steps, pumping, rain, snow, dazzle, clouds, sway,
    wander, lightning, insect, moths, pulses, stalls, power_cut,
)  # fmt: skip
"""What must not be told as a fault."""
