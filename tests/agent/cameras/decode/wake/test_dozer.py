"""agent.cameras.decode.wake.dozer"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

import av
import numpy as np
import pytest

from agent.cameras.decode.wake.dozer import Dozer
from agent.cameras.decode.wake.quantiser import QuantiserReader
from agent.cameras.decode.wake.sleeper import PacketStep

FPS = 25


@pytest.fixture(params=[0, 3])
def quiet(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Twelve seconds of a still view with grain, key pictures every second; a square comes at ten."""
    chance = np.random.default_rng(5)
    view = chance.integers(60, 180, (120, 160)).astype(np.float32)
    made = tmp_path / "quiet.mp4"
    with av.open(str(made), "w") as out:
        track = out.add_stream("libx264", rate=FPS)
        track.width, track.height, track.pix_fmt = 160, 120, "yuv420p"
        track.codec_context.thread_count = 1
        track.options = {
            "bf": str(request.param),
            "g": "25",
            "keyint_min": "25",
            "sc_threshold": "0",
            "crf": "28",
        }
        for n in range(12 * FPS):
            luma = view + chance.normal(0, 1.5, view.shape)
            if n >= 10 * FPS + 12:
                left = (n - 10 * FPS) * 2 % 120
                luma[40:80, left : left + 30] = chance.integers(0, 255, (40, 30))
            flat = np.concatenate([np.clip(luma, 0, 255).reshape(-1), np.full(160 * 60, 128)])
            frame = av.VideoFrame.from_ndarray(flat.astype(np.uint8).reshape(180, 160), "yuv420p")
            frame.pts = n
            out.mux(track.encode(frame))
        out.mux(track.encode())
    return made


def steps(
    clip: Path, calm: Callable[[float], float | None]
) -> tuple[Dozer, list[tuple[float, PacketStep, int]]]:
    """The clip's second, what became of each packet, and how many pictures it gave."""
    found = []
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        quantisers = QuantiserReader(video.codec_context.extradata)
        dozer = Dozer(1 / FPS, live=False, timed=False, quantisers=quantisers)
        video.codec_context.thread_count = 1
        for packet in container.demux(video):
            at_s = dozer.due_s(packet) or 0.0
            step = dozer.step(packet, 0.0, calm(at_s))
            found.append((at_s, step, len(dozer.frames(step, packet, video.codec_context, wanted=True))))
    return dozer, found


def test_a_quiet_stream_gives_key_pictures_until_something_comes(quiet: Path) -> None:
    dozer, found = steps(quiet, lambda _: inf)
    quiet_s = [step for at_s, step, _ in found if 5 <= at_s < 10.3]
    assert quiet_s.count(PacketStep.LEAVE) > 0.6 * len(quiet_s)
    assert all(count == 1 for at_s, step, count in found if step is PacketStep.KEY)
    assert any(step in (PacketStep.RISE, PacketStep.DECODE) for at_s, step, _ in found if 10.44 <= at_s < 10.9)
    assert dozer.left > 80


def test_who_wants_all_gets_all(quiet: Path) -> None:
    dozer, found = steps(quiet, lambda _: None)
    assert {step for _, step, _ in found} == {PacketStep.DECODE}
    assert sum(count for _, _, count in found) == 12 * FPS
    assert dozer.left == 0


def test_once_a_second_it_says_that_pictures_are_left(quiet: Path) -> None:
    said: list[int] = []
    dozer = Dozer(1 / FPS, live=False, timed=False)
    dozer.doze = lambda: said.append(dozer.left)
    with av.open(str(quiet)) as container:
        video = container.streams.video[0]
        for packet in container.demux(video):
            dozer.frames(dozer.step(packet, 0.0, inf), packet, video.codec_context, wanted=True)
    assert 3 <= len(said) <= 12
