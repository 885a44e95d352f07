"""Fills a ring of footage, for p_ring_cuts.py to watch: `… .ring_writer FOLDER RECIPIENT PIECES FAULT`.

Each piece is one of a film; which one, and when it was recorded, follows from its number. Said is, in one write
each, what is so from then on: `kept CAMERA NUMBER`, `held FROM TO`, and before a deletion `gone CAMERA TO`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.evidence.encryption import Recipients
from agent.evidence.retention.deletion import Deletion
from agent.evidence.ring import Ring
from agent.evidence.settings import EvidenceSettings
from tests.support.film import film
from tests.support.footage import NOON_S, HandClock, piece

CAMERAS = "north", "south"
PIECE_S = 1.0
FILM = film(40, PIECE_S)
RUN = len(FILM.pieces)
"""After so many pieces a camera begins a new run."""
BOOT = "boot-1"
AGE_S = 60.0
"""What is older is deleted by the writer that is run for power cuts."""
HELD = 15, 25
"""Numbers of the pieces that are held from the thirtieth on."""

Say = Callable[[str], object]


def at_s(number: int) -> float:
    """Wall time of a piece."""
    return NOON_S + number * PIECE_S


def data_of(number: int) -> bytes:
    """What a piece is."""
    return FILM.pieces[number % RUN]


def buffered() -> None:
    """The planted fault of a writer that keeps in its own memory what it says is kept."""
    inner = os.fdopen

    def fdopen(fd: int, mode: str = "r", buffering: int = -1, **more: Any) -> Any:
        return inner(fd, mode, buffering=1 << 22 if buffering == 0 and "b" in mode else buffering, **more)

    os.fdopen = fdopen  # type: ignore[assignment]


def unsynced() -> None:
    """The planted fault of a writer that never waits for its disk."""
    os.fsync = os.fdatasync = lambda _fd: None  # type: ignore[assignment]


FAULTS: dict[str, Callable[[], None]] = {"none": lambda: None, "buffered": buffered, "unsynced": unsynced}


def opened(folder: Path, recipient: str, clock: HandClock, say: Say = lambda _: None) -> Ring:
    """The ring as the writer opens it."""

    def noted(deletion: Deletion) -> bool:
        for each in deletion.ranges:
            say(f"gone {each.camera} {round((each.to_s - NOON_S) / PIECE_S)}")
        return True

    settings = EvidenceSettings(recipient=recipient, max_bytes=64_000_000, max_days=AGE_S / 86_400)
    return Ring(folder, settings, Recipients(recipient), clock, on_deleted=noted, boot=BOOT)


def clock_at(number: int) -> HandClock:
    """The clock at the moment of a piece."""
    return HandClock(mono_s=1000.0 + number * PIECE_S, wall_s=at_s(number))


def write(ring: Ring, clock: HandClock, first: int, pieces: int, say: Say) -> None:
    """Both cameras, so many pieces each, from a number on."""
    runs: dict[str, str] = {}
    for number in range(first, first + pieces):
        at = clock.now()
        for camera in CAMERAS:
            run = f"run-{first}-{number // RUN}"
            if runs.get(camera) != run:
                runs[camera] = run
                ring.append(piece(camera, run, "init", at, 0, FILM.init))
            ring.append(piece(camera, run, "media", at, PIECE_S, data_of(number)))
            say(f"kept {camera} {number}")
        clock.go_on(PIECE_S)
        if number == HELD[1] + 5:
            ring.index.hold("case-7", CAMERAS[0], at_s(HELD[0]), at_s(HELD[1]), "an accident")
            say("held")
        if number % 10 == 9:
            ring.sweep(clock.now(), clock.trust())


def main(folder: Path, recipient: str, pieces: int, fault: str) -> None:
    """Fill it from its beginning."""

    def say(words: str) -> None:
        os.write(1, words.encode() + b"\n")

    clock = clock_at(0)
    ring = opened(folder, recipient, clock, say)
    ring.recover()
    FAULTS[fault]()
    say("open")
    write(ring, clock, 0, pieces, say)
    os._exit(0)  # a cut needs no goodbye


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
