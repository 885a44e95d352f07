"""One view in two encodings, as a camera with two streams gives it: a real server, in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 960, 540
FPS = 10
CAR_PX = 90
SUB, MAIN = "320x180", "960x540"


def drive(laps: int = 1) -> list[NDArray[np.uint8]]:
    """A car with a pattern that only the larger picture shows goes across a road, and is gone for a while."""
    chance = np.random.default_rng(2)
    coarse = chance.integers(70, 130, (34, 60), np.uint8)
    ground = cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(
        chance.integers(60, 200, (6, 6), np.uint8), (CAR_PX, CAR_PX), interpolation=cv2.INTER_CUBIC
    )
    fine = np.kron(chance.integers(0, 2, (CAR_PX // 3, CAR_PX // 3)), np.ones((3, 3))) * 100 - 50
    car = np.clip(large + fine, 0, 255).astype(np.uint8)
    pictures = []
    for number in range(60):
        picture = ground.copy()
        left = (number - 20) * 22
        if 0 <= left < WIDTH_PX - CAR_PX:
            picture[220 : 220 + CAR_PX, left : left + CAR_PX] = car
        pictures.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8))
    return pictures * laps


@contextmanager
def two_streams(
    server: Callable[..., Any], folder: Path, pictures: Sequence[NDArray[np.uint8]], main: str = MAIN
) -> Iterator[tuple[str, str]]:
    """Addresses of the small and the large stream, which show the same at the same time, again and again."""
    folder.mkdir()
    shown = [cv2.imencode(".jpg", each, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for each in pictures]
    stop = threading.Event()
    began_s = time.monotonic()

    def show() -> None:
        number = 0
        while not stop.wait(max(0.0, number / FPS - (time.monotonic() - began_s))):
            number = int((time.monotonic() - began_s) * FPS)
            (folder / "unfinished").write_bytes(shown[number % len(shown)])
            (folder / "unfinished").replace(folder / "0000.jpg")
            number += 1

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    while not (folder / "0000.jpg").exists():
        time.sleep(0.01)
    started = server(
        "--pictures", str(folder), "--fps", str(FPS), "--key-every-s", "2",
        "--stream", f"/sub={SUB}=h264", "--stream", f"/main={main}=h264",
    )  # fmt: skip
    try:
        yield tuple(started.url.replace("/live", path) for path in ("/sub", "/main"))  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
