"""What recording costs a box beside watching: processor time of a core, and memory, for each camera.

`python -m benchmarks recording CLIP.mp4` makes a camera of the clip, 1920 x 1080 pixels at 25 a second and
4 Mbit/s, and a sub-stream of it. Then it lets three watch in the same seconds, three times, medians told:
decoding alone, a box that records nothing, and the same box recording all the time, encryption, index and syncs
included:

    copied          the stream that is watched, its packets as they come
    main stream     the sub-stream is watched, the main stream is copied by a process of its own
    masked          under a privacy mask: the pictures that are looked at, encoded anew
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median

import av

from agent.errors import NgatuError
from agent.evidence.encryption import new_identity
from benchmarks.cost import Bar, cpu
from benchmarks.cost.watch import broker

RUNS = 3
SETTLE_S = 8.0
"""Starting is not counted."""
WATCH_S = 30.0
MAIN_PX, SUB_PX = (1920, 1080), (640, 360)
FPS = 25
MAIN_KBPS, SUB_KBPS = 4000, 500
KEY_S = 2
LONGEST_S = 20.0
CORE = Bar(5.0)
"""Percent of a core for each camera."""
MEMORY = Bar(60.0)
"""Megabytes."""

Say = Callable[[str], None]
Row = dict[str, object]

CONFIG = """\
device: {{commune: benchmark, id: benchmark-{name}, purpose: benchmark, legal_basis: none needed}}
state_dir: {folder}/state
broker: {{host: 127.0.0.1, port: {port}, confirm: broker}}
evidence: {{recipient: {recipient}}}
cameras:
  - name: road
    source: {{kind: file, path: {watched}, loop: true}}
    attention: {{enabled: false}}
    {masks}
    record: {record}
    rules: [{{kind: motion, id: movement}}]
"""
MASK = "privacy_masks: [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.3], [0.0, 0.3]]]"
DECODE = """\
import sys, time, av
began = time.monotonic()
base = 0.0
while True:
    with av.open(sys.argv[1]) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for picture in container.decode(stream):
            time.sleep(max(0.0, began + base + picture.time - time.monotonic()))
            last = picture.time
    base += last + 1 / float(sys.argv[2])
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What three spent in the same seconds."""

    decode: float
    """Percent of a core."""
    watching: float
    recording: float
    watching_mb: float
    recording_mb: float


def main(paths: list[Path], progress: Say = lambda _text: None, runs: int = RUNS) -> list[Row]:
    """Rows for each way to record.

    Raises:
        NgatuError: no clip is named, or a box failed.
    """
    if len(paths) != 1:
        raise NgatuError("recording needs one clip", "name a video of some seconds in which something moves")
    with tempfile.TemporaryDirectory(prefix="ngatu-recording-") as name:
        folder = Path(name)
        progress("making a camera of the clip")
        main_stream = stream_of(paths[0], folder / "main.mp4", MAIN_PX, MAIN_KBPS)
        sub_stream = stream_of(paths[0], folder / "sub.mp4", SUB_PX, SUB_KBPS)
        rows: list[Row] = []
        for part, watched, masks, record in (
            ("copied", main_stream, "", "{mode: continuous}"),
            (
                "main stream",
                sub_stream,
                "",
                f"{{mode: continuous, source: {{kind: file, path: {main_stream}, loop: true}}}}",
            ),
            ("masked", main_stream, MASK, "{mode: continuous}"),
        ):
            spent = []
            for number in range(runs):
                progress(f"{part}, {number + 1} of {runs}")
                spent.append(beside(folder / f"{part}-{number}", watched, masks, record))
            rows += rows_of(part, spent)
    return rows


def beside(folder: Path, watched: Path, masks: str, record: str) -> Spent:
    """Let decoding, a box that records nothing and one that records watch in the same seconds.

    Raises:
        NgatuError: one of them ended early.
    """
    folder.mkdir()
    with ExitStack() as stack:
        port = stack.enter_context(broker())
        decoding = stack.enter_context(_running([sys.executable, "-c", DECODE, str(watched), str(FPS)], folder))
        boxes = [
            stack.enter_context(_box(folder / name, port, name, watched, masks, how))
            for name, how in (("watching", "{mode: 'off'}"), ("recording", record))
        ]
        time.sleep(SETTLE_S)
        everybody = (decoding, *boxes)
        before, began_s = [_seconds(each) for each in everybody], time.monotonic()
        held = [0.0, 0.0]
        while time.monotonic() < began_s + WATCH_S:
            time.sleep(2.0)
            held = [
                max(most, cpu.held_mb(cpu.family(each.pid))) for most, each in zip(held, boxes, strict=True)
            ]
        for each in everybody:
            if each.poll() is not None:
                raise NgatuError("a program ended early", "run it by hand")
        lasted_s = time.monotonic() - began_s
        shares = [
            100 * _more(_seconds(each), was) / lasted_s for each, was in zip(everybody, before, strict=True)
        ]
        _require_footage(folder / "recording")
    return Spent(*shares, *held)


def rows_of(part: str, spent: list[Spent]) -> list[Row]:
    """What three spent, and the difference of the two boxes."""
    decode = median(each.decode for each in spent)
    more = [each.recording - each.watching for each in spent]
    more_mb = [each.recording_mb - each.watching_mb for each in spent]

    def row(
        who: str, percent: float, mb: float | None, bar: Bar | None = None, mb_bar: Bar | None = None
    ) -> Row:
        judged = bar.judged(percent) if bar else {"bar": None, "kept": None}
        mb_judged = mb_bar.judged(mb) if mb_bar else {"bar": None, "kept": None}
        return {
            "part": part, "who": who, "core_percent": round(percent, 2), "ratio": round(percent / decode, 3),
            **judged, "mb": None if mb is None else round(mb, 1), "mb_bar": mb_judged["bar"],
            "mb_kept": mb_judged["kept"],
        }  # fmt: skip

    bar = None if part == "masked" else CORE  # that is encoding: what it costs is told, and no promise
    return [
        row("decode alone", decode, None),
        row("ngatu, not recording", median(e.watching for e in spent), median(e.watching_mb for e in spent)),
        row("ngatu, recording", median(e.recording for e in spent), median(e.recording_mb for e in spent)),
        row("recording alone", median(more), median(more_mb), bar, MEMORY),
    ]


def stream_of(clip: Path, path: Path, size: tuple[int, int], kbps: int) -> Path:
    """The clip as a camera would send it: its own pictures, 25 a second, scaled."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as out:
        rate = f"{kbps}k"
        options = {"preset": "veryfast", "b": rate, "maxrate": rate, "bufsize": rate, "bf": "0"}
        track = out.add_stream("libx264", rate=FPS, options=options)
        track.width, track.height, track.pix_fmt = *size, "yuv420p"
        track.codec_context.gop_size = FPS * KEY_S
        number = 0
        for picture in source.decode(video=0):
            at_s = float(picture.time or 0)
            if at_s > LONGEST_S:
                break
            if at_s * FPS + 1e-6 < number:
                continue
            frame = picture.reformat(*size, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(track.encode(frame))
            number += 1
        out.mux(track.encode())
    return path


@contextmanager
def _box(
    folder: Path, port: int, name: str, watched: Path, masks: str, record: str
) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    config = folder / "config.yaml"
    words = {"folder": folder, "port": port, "name": name, "recipient": new_identity()[1]}
    config.write_text(CONFIG.format(**words, watched=watched, masks=masks, record=record), encoding="utf-8")
    with _running([sys.executable, "-m", "agent", "run", "-c", str(config)], folder) as process:
        yield process


@contextmanager
def _running(words: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(exist_ok=True)
    with (folder / "said.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.terminate()


def _seconds(process: subprocess.Popen[bytes]) -> dict[int, float]:
    return {member.pid: cpu.seconds(member.pid) for member in cpu.family(process.pid)}


def _more(now: dict[int, float], before: dict[int, float]) -> float:
    return sum(spent - before.get(pid, 0.0) for pid, spent in now.items())


def _require_footage(box: Path) -> None:
    """A box that records nothing would cost nothing."""
    lies = sum(path.stat().st_size for path in (box / "state" / "evidence").rglob("*.seg"))
    if lies < WATCH_S * 1000:
        said = (box / "said.log").read_text(encoding="utf-8", errors="replace")[-500:]
        raise NgatuError(f"the box recorded {lies} bytes", f"it said {said}")
