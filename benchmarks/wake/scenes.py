"""The clips that waking on packets is tried on: quiet views, now and then somebody passes, encoded by x264."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from agent.errors import NgatuError
from benchmarks import nuisances
from benchmarks.attention import EMPTY
from benchmarks.clips import Plane, frames, still_view
from benchmarks.passers import EVERY_S, STAY_S, Grey, Parade, cut_out

GROUPS_S = (1.0, 2.0, 4.0, 8.0)
"""From one key picture to the next."""
REORDERED = (0, 3)
"""B pictures in a row at most."""
FPS = 20
QUIET_S = 60.0
"""For so long a real clip's longest quiet stretch is played, there and back: it has none of a minute."""
LEARNED_S = 20.0
"""In which the view is learned, and how much packets tremble."""
PAUSED_S = 16.0
"""From one who passes to the next."""
AROUND_S = 1.0
"""Before and after somebody passes, the view does not count as idle."""
Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A view to be encoded."""

    name: str
    clip: Path
    passers: tuple[Path, ...] = ()
    """The clips whose road users pass, in one parade each; none: the clip is taken as it is."""
    gain: bool = False
    """At night, with the grain of full gain: sizes say nothing there."""
    kbit_s: int | None = None
    """Rate control by bit rate; None: by quality."""

    def spans(self, long_s: float) -> Spans:
        """The seconds in which nobody is in view, longer ones only."""
        if not self.passers:
            first, last = _longest(self.clip)
            turns = _turns(self.clip, self.fps)
            return ((LEARNED_S, ((turns * 2 + 1) * (last - first)) / self.fps),)
        starts = range(1, int(long_s / PAUSED_S) + 1)
        return tuple((n * PAUSED_S - PAUSED_S + STAY_S + AROUND_S, n * PAUSED_S) for n in starts)

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return FPS if self.passers else _rate(self.clip)

    def pictures(self) -> Iterator[tuple[Plane, Plane, Plane]]:
        """Its pictures, in 4:2:0."""
        if not self.passers:
            yield from self._lengthened()
            return
        view, chance = still_view(self.clip), np.random.default_rng(7)
        half = np.full((view.shape[0] // 2, view.shape[1] // 2), 128, np.uint8)
        count = 0
        for clip in self.passers:
            parade = self._parade(clip, view)
            for n in range(int(parade.long_s * PAUSED_S / EVERY_S * FPS)):
                now, _ = parade.at(view, _stretched(n / FPS))
                if self.gain:
                    now = np.asarray(nuisances.infrared(now, count / FPS, chance), np.float32)
                yield nuisances.taken(now, chance), half, half
                count += 1

    def _parade(self, clip: Path, view: Grey) -> Parade:
        """The road users of a clip.

        Raises:
            NgatuError: there are none, and a scene in which nobody passes shows nothing.
        """
        passers = cut_out(clip)
        if not passers:
            raise NgatuError(f"{clip}: nobody who passes can be cut out of it", "name another clip")
        return Parade(passers, view, seed=5, enters=True)

    def _lengthened(self) -> Iterator[tuple[Plane, Plane, Plane]]:
        """The clip from its longest quiet stretch on, which is played there and back before."""
        first, last = _longest(self.clip)
        every = [(each.luma, each.u, each.v) for each in frames(self.clip)][first:]
        quiet = every[: last - first]
        for _ in range(_turns(self.clip, self.fps)):
            yield from quiet
            yield from reversed(quiet)
        yield from every


def scenes(data: Path) -> tuple[list[Scene], list[Scene]]:
    """Those on which the thresholds were chosen, and those on which nothing was."""
    clips = data / "clips"
    highway = data / "motion/highway/input/in%06d.jpg"
    walkers, junction, cars = clips / "vtest.avi", clips / "t-junction.mp4", clips / "pi-cars-truck.mp4"
    day, night = clips / "jamcam-day.mp4", clips / "jamcam-night-1.mp4"
    chosen = [
        Scene("car park", clips / "car-detection.mp4"),
        Scene("crossroads by day", day, (walkers, cars)),
        Scene("square", walkers, (junction, day), kbit_s=600),
        Scene("car park, people", clips / "person-bicycle-car-detection.mp4"),
    ]
    judged = [
        Scene("side street", junction, (clips / "pi-cars-cyclist.mp4", clips / "junction.mp4")),
        Scene("road", cars, (junction, clips / "motorbikes-arterial.mp4"), kbit_s=800),
        Scene("motorway", highway, (walkers, day)),
        Scene("street at night", clips / "jamcam-night-2.mp4", (night, walkers), gain=True),
    ]
    return chosen, judged


def encoded(scene: Scene, group_s: float, reordered: int, file: Path) -> Path:
    """The scene as H.264 in an MP4 file."""
    rate = Fraction(scene.fps).limit_denominator(1000)
    group = round(group_s * scene.fps)
    with av.open(str(file), "w") as out:
        track: VideoStream | None = None
        for n, (luma, u, v) in enumerate(scene.pictures()):
            if track is None:
                track = out.add_stream("libx264", rate=rate)
                track.height, track.width = luma.shape
                track.pix_fmt = "yuv420p"
                track.codec_context.thread_count = 1
                track.codec_context.gop_size = group
                track.options = {**_options(scene, group, reordered)}
            picture = av.VideoFrame.from_ndarray(_yuv(luma, u, v), "yuv420p")
            picture.pts, picture.time_base = n, 1 / rate
            out.mux(track.encode(picture))
        if track is None:
            raise NgatuError(f"{scene.clip}: not one picture in it", "name a video file")
        out.mux(track.encode(None))
    return file


def _options(scene: Scene, group: int, reordered: int) -> dict[str, str]:
    """As a camera encodes: key pictures at their pace and at no other time."""
    rate = {"crf": "23"}
    if scene.kbit_s:
        rate = {"b": f"{scene.kbit_s}k", "maxrate": f"{scene.kbit_s}k", "bufsize": f"{scene.kbit_s}k"}
    return {
        "preset": "veryfast",
        "bf": str(reordered),
        "keyint_min": str(group),
        "sc_threshold": "0",
        **rate,
    }


def _yuv(luma: Plane, u: Plane, v: Plane) -> NDArray[np.uint8]:
    flat = np.concatenate([luma.reshape(-1), u.reshape(-1), v.reshape(-1)])
    return flat.reshape(luma.shape[0] * 3 // 2, luma.shape[1])


def _longest(clip: Path) -> tuple[int, int]:
    return max(EMPTY[clip.name], key=lambda span: span[1] - span[0])


def _turns(clip: Path, fps: float) -> int:
    """How often the quiet stretch is played there and back."""
    first, last = _longest(clip)
    return max(1, round(QUIET_S * fps / (2 * (last - first))))


def _stretched(at_s: float) -> float:
    """The parade's time, with longer pauses between those who pass."""
    return at_s // PAUSED_S * EVERY_S + min(at_s % PAUSED_S, 0.999 * EVERY_S)


def _rate(clip: Path) -> float:
    with av.open(str(clip)) as container:
        return float(container.streams.video[0].average_rate or 25)
