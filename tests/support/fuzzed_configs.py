"""Configurations by dice: random structures, settings in their places, mutated bytes.

Hypothesis chooses such values too (tests/agent/config/test_schema.py), and makes the one that fails small. That
takes ten times as long as judging them: who wants thousands throws dice.
"""

from __future__ import annotations

from random import Random

WORDS = [
    "device", "broker", "cameras", "name", "source", "kind", "url", "rules", "zones", "zone", "id", "polygon",
    "log", "motion", "threshold", "password", "env", "host", "privacy_masks", "schedule", "start", "labels",
    "treshold",
]  # fmt: skip
VALUES = ["rtsp", "usb", "zone", "line", "motion", "north", "rtsp://u:p@h/x", "22:30", "no", "0x10", "007"]
PARTS = ("name", "source", "privacy_masks", "zones", "rules", "motion", "tracking")
LEAVES = 30
"""At most so many values in a structure."""
_LETTERS = (
    (0x20, 0x7E), (0x00, 0x1F), (0x7F, 0xA0), (0xA1, 0x24F), (0x1EA0, 0x1EF9), (0x2000, 0x206F),
    (0xE000, 0xFFFF), (0x10000, 0x10FFFF),
)  # fmt: skip
_ODD_TEXTS = (
    "", " ", "-", ":", "#", "null", "true", "~", "1e9", "\n", "\ufeff", "${HOME}", "'", '"', "%s", "{0}",
)  # fmt: skip
_ODD_NUMBERS = (
    0, -1, 1, 255, 65_536, 2**31, 2**53, -(2**63), 2**64, 10**18, 10**30, 0.5, -0.0, 1e-9, 1.5e300,
    float("inf"), float("-inf"), float("nan"), 5e-324, 1.0000000000000002,
)  # fmt: skip


def text(chance: Random, most: int) -> str:
    """Of letters from all over Unicode, most of them from where people take them."""
    if chance.random() < 0.15:
        return chance.choice(_ODD_TEXTS)[:most]
    ranges = [chance.choice(_LETTERS[: chance.choice((1, 1, 4, len(_LETTERS)))]) for _ in range(2)]
    return "".join(chr(chance.randint(*chance.choice(ranges))) for _ in range(chance.randrange(most + 1)))


def scalar(chance: Random) -> object:
    """Nothing, a truth value, a number, or a text."""
    match chance.randrange(6):
        case 0:
            return chance.choice((None, True, False))
        case 1:
            return chance.choice(_ODD_NUMBERS)
        case 2:
            return chance.choice((chance.randint(-130, 130), chance.getrandbits(chance.randrange(1, 130))))
        case 3:
            return chance.choice((chance.random(), chance.uniform(-1e6, 1e6), 10 ** chance.uniform(-300, 300)))
        case 4:
            return text(chance, 20)
        case _:
            return chance.choice(VALUES)


def structure(chance: Random, leaves: int | None = None) -> object:
    """A value, or lists and mappings of them, of LEAVES values at most."""
    left = chance.choice((1, 3, 10, LEAVES)) if leaves is None else leaves
    if left <= 1 or chance.random() < 0.1:
        return scalar(chance)
    parts = chance.randrange(6)
    inner = [structure(chance, left // max(1, parts)) for _ in range(parts)]
    if chance.random() < 0.4:
        return inner
    return {chance.choice(WORDS) if chance.random() < 0.6 else text(chance, 8): each for each in inner}


def settings_in_place(chance: Random) -> dict[str, object]:
    """Structures where settings are looked for."""
    found = {name: structure(chance) for name in ("device", "broker", "detector") if chance.random() < 0.5}
    if chance.random() < 0.7:
        found["cameras"] = [
            {name: structure(chance) for name in PARTS if chance.random() < 0.5}
            for _ in range(chance.randrange(4))
        ]
    return found


def yaml_of(value: object) -> str:
    """Flow style, with the quoting left out half the time: both right and wrong YAML comes out."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{yaml_of(key)}: {yaml_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(yaml_of(item) for item in value) + "]"
    return str(value) if not isinstance(value, str) or len(value) % 2 else repr(value)


def mutated(data: bytes, times: int, chance: Random) -> bytes:
    """So many bytes or stretches of it altered, taken out, put in, doubled or swapped."""
    found = bytearray(data)
    for _ in range(times):
        at = chance.randrange(len(found))
        match chance.randrange(5):
            case 0:
                found[at] = chance.randrange(256)
            case 1:
                del found[at : at + chance.randrange(1, 40)]
            case 2:
                found[at:at] = chance.choice(
                    [b"[", b"{", b"&a ", b"*a", b"!x ", b": ", b"- ", b"\t", b"'", b"\n", b"9" * 30]
                )
            case 3:
                found[at:at] = found[at : at + chance.randrange(1, 200)]
            case 4:
                other = chance.randrange(len(found))
                found[at], found[other] = found[other], found[at]
    return bytes(found)
