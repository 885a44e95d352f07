"""P55, P56, P59: a camera that sends the box elsewhere, claims huge pictures, or is masked."""

from __future__ import annotations

import itertools
import resource
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from agent.cameras import open_camera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.core.image import bgr
from agent.core.types import WHOLE, Box, Frame, Shot
from agent.errors import CameraError
from agent.publishing.jpeg import encode
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support import large_pictures
from tests.support.pixel_formats import changed, noise
from tests.support.rtsp_camera import RtspCamera

MASK = ((0.25, 0.2), (0.71, 0.3), (0.6, 0.8))
ACROSS = Box(0.1, 0.1, 0.5, 0.6)
"""Lies half under the mask."""
FORMATS = (
    "yuv422p", "yuv444p", "yuv411p", "yuv440p", "yuv410p", "yuyv422", "uyvy422", "gbrp", "rgb24", "yuv422p10le",
    "yuv444p10le", "yuv420p", "nv12", "yuv420p10le", "yuva444p", "gray", "rgb565le", "bgra", "yuvj422p", "pal8",
)  # fmt: skip
SIZES = ((128, 96), (127, 95), (97, 64))


LOGIN = "tran", "geheim-7"
OFFERS = ('Digest realm="cam", nonce="dcd98b7102dd2f0e"', 'Basic realm="cam"')


@promise(
    "P55", "a camera redirects at each step of RTSP, asking for the login or not, to another port and host",
    "0 logins and 0 connections there, told in words; the same camera, honest, gives pictures with its login",
)  # fmt: skip
def sent_elsewhere(trial: Trial) -> str:
    """The thief asks for the login in each way there is, and writes down who came."""
    (trial.folder / "password").write_text(LOGIN[1])
    thieves = [RtspCamera(login=LOGIN, offers=(offer,), address="0.0.0.0") for offer in OFFERS]
    hosts = ("127.0.0.1", "127.0.0.2")
    steps = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY")[: trial.size(4, 4, quick=2)]
    untold, tried = [], 0
    for step, thief, host, asks in itertools.product(steps, thieves, hosts, (True, False)):
        target = f"rtsp://{host}:{thief.port}/live"
        camera = RtspCamera(
            login=LOGIN if asks else None,
            sends_on=lambda asked, step=step, target=target: target if asked.method == step else None,  # type: ignore[misc]
        )
        with camera:
            words = _looked_at(camera.url, trial.folder / "password")
        tried += 1
        if f"sends us on to {host}:{thief.port}" not in words:
            untold.append(f"{step}: {words}")
    logins, came = sum(len(thief.proofs) for thief in thieves), sum(thief.connections for thief in thieves)
    if logins or came or untold:
        raise Broken(
            f"{tried} redirects: {logins} logins and {came} connections elsewhere; not told: {untold[:1]}"
        )
    with RtspCamera(login=LOGIN) as honest:
        if (words := _looked_at(honest.url, trial.folder / "password")) != "5 pictures" or not honest.proofs:
            raise Broken(f"an honest camera: {words}")
    return f"{tried} redirects: 0 logins and 0 connections elsewhere; the honest camera gives pictures"


def _looked_at(url: str, password: Path) -> str:
    """Five pictures of it, or why there are none."""
    source = {"kind": "rtsp", "url": url, "username": LOGIN[0], "password": {"file": str(password)}}
    waits = {"stall_s": 2.0, "open_timeout_s": 4.0, "max_fps": 100}
    camera = open_camera(
        CameraSettings.model_validate({"name": "north", "source": source, **waits}), SystemClock()
    )
    try:
        return f"{len(list(itertools.islice(camera.frames(), 5)))} pictures"
    except CameraError as error:
        return error.what
    finally:
        camera.close()


MOST_MB = 256
"""Of a child that was shown a picture of 256 million pixels; what it needs to begin with is 35."""


@promise(
    "P56", "files of a few bytes that claim 16,000 x 16,000 pixels: JPEG, MJPEG, PNG, GIF, H.264, H.265",
    f"each refused in words, no process takes more than {MOST_MB} MB, another camera goes on",
)  # fmt: skip
def huge_pictures(trial: Trial) -> str:
    """Each in a process of its own, whose only child is the camera's, so that its memory can be told."""
    files = large_pictures.write_all(trial.folder)
    peaks: dict[str, int] = {}
    with _beside(_clip(trial.folder / "calm.nut", "yuv420p", 128, 96, trial.seed, pictures=100)) as gaps:
        for kind, path in files.items():
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                peaks[kind], words = alone.submit(_opened, path).result()
            if peaks[kind] > MOST_MB or "33 million pixels" not in words:
                raise Broken(f"{kind}: {peaks[kind]} MB, {words}")
    if len(gaps) < 10 or max(gaps) > 2:
        raise Broken(f"another camera gave {len(gaps)} pictures, with a gap of {max(gaps, default=0):.1f} s")
    worst = max(peaks, key=lambda kind: peaks[kind])
    return f"{len(peaks)} kinds refused, at most {peaks[worst]} MB ({worst}); beside them {len(gaps)} pictures"


def _opened(path: Path) -> tuple[int, str]:
    """The most memory that the camera's process held, in MB, and why it ended."""
    try:
        words = f"gave {len(list(_frames(path)))} pictures"
    except CameraError as error:
        words = error.what
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, words


@contextmanager
def _beside(clip: Path) -> Iterator[list[float]]:
    """Another camera meanwhile; yields the seconds between its pictures, as they come."""
    source = {"kind": "file", "path": str(clip), "pace": "real", "loop": True}
    camera = open_camera(CameraSettings.model_validate({"name": "calm", "source": source}), SystemClock())
    gaps: list[float] = []

    def watch() -> None:
        last_s = None
        for _ in camera.frames():
            now_s = time.monotonic()
            if last_s is not None:
                gaps.append(now_s - last_s)
            last_s = now_s

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield gaps
    finally:
        camera.close()
        thread.join(5)


@promise(
    "P59", "pictures that differ only under a privacy mask, in 20 pixel formats and odd sizes",
    "0 bits of planes, crops of colour and JPEGs differ",
    patient=True,
)  # fmt: skip
def masked_colour(trial: Trial) -> str:
    """Each clip shows one picture, with other noise under the mask each time; a camera's process decodes it."""
    levels: dict[str, int] = {}
    jpegs = pictures = 0
    sizes = itertools.cycle(SIZES)
    for name in FORMATS[: trial.size(len(FORMATS), len(FORMATS), quick=4)]:
        clip = _clip(trial.folder / f"{name}.nut", name, *next(sizes), seed=trial.seed)
        seen = [(_planes_and_crops(frame), _jpegs(frame)) for frame in _frames(clip)]
        pictures += len(seen)
        if len(seen) != 4:
            raise Broken(f"{len(seen)} of 4 pictures of {name}")
        (first, small), *others = seen
        levels[name] = max(_levels(first, other) for other, _ in others)
        jpegs += sum(data != small for _, data in others)
    leaks = {name: most for name, most in levels.items() if most}
    if leaks or jpegs:
        raise Broken(f"what lies under the mask changes {jpegs} JPEGs, and colours by so many levels: {leaks}")
    return f"{pictures} pictures of {len(levels)} formats: 0 bits of planes, crops and JPEGs differ"


def _clip(path: Path, name: str, width: int, height: int, seed: int, pictures: int = 4) -> Path:
    chance = np.random.default_rng(seed)
    picture = noise(name, width, height, chance)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, name
        for number in range(pictures):
            frame = changed(picture, MASK, chance)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _frames(clip: Path) -> Iterator[Frame]:
    source = {"kind": "file", "path": str(clip), "pace": "fast"}
    settings = {"name": "north", "source": source, "max_fps": 120, "privacy_masks": [MASK]}
    yield from open_camera(CameraSettings.model_validate(settings), SystemClock()).frames()


def _planes_and_crops(frame: Frame) -> list[NDArray[np.uint8]]:
    """Copies: the frame's own memory is given back when the next one is asked for."""
    return [frame.luma.copy(), frame.u.copy(), frame.v.copy(), bgr(frame), bgr(frame, ACROSS)]


def _jpegs(frame: Frame) -> list[bytes]:
    return [encode(Shot(bgr(frame, box), frame.at, box, 1.0), 320, 24_000).data for box in (WHOLE, ACROSS)]


def _levels(one: list[NDArray[np.uint8]], other: list[NDArray[np.uint8]]) -> int:
    return max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(one, other, strict=True))
