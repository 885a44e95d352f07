"""One clip watched by everyone at once: the box, the least that its work can cost, and the naive loop.

All three run at the clip's pace on the same machine in the same seconds, so what disturbs one disturbs all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.errors import NgatuError

END_S = 40.0
"""What starting and stopping may add."""
Tracks = dict[int, list[tuple[str, str, float, float, float, float]]]
"""Frame index -> id, label and box in fractions of each track."""

Delays = list[tuple[str, float]]
"""Kind of event and seconds from `time` to its arrival, of each start."""

CONFIG = """\
device: {{commune: benchmark, id: benchmark-box, purpose: benchmark, legal_basis: none needed}}
state_dir: {folder}/state
broker: {{host: 127.0.0.1, port: {port}, confirm: broker}}
{detector}cameras:
"""
CAMERA = """\
  - name: camera-{number}
    source: {{kind: file, path: {clip}, loop: {loop}}}
    attention: {{enabled: {detects}}}
    rules:
      - {{kind: motion, id: movement}}
"""
ROAD_USERS = """\
      - {kind: object, id: road-users}
      - {kind: line, id: across, start: [0.5, 0.0], end: [0.5, 1.0]}
      - {kind: line, id: along, start: [0.0, 0.6], end: [1.0, 0.6]}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame had cost the box by then, in CPU seconds since its start, and what it did with it."""

    index: int
    mono_s: float
    parent_s: float
    child_s: float
    regions: int
    calls: int
    """Pictures given to the detector."""

    @property
    def spent_s(self) -> float:
        """CPU seconds of all processes."""
        return self.parent_s + self.child_s


@dataclass(frozen=True, slots=True)
class Watched:
    """One pass over a clip."""

    looks: list[Look]
    floor: dict[int, tuple[float, float]]
    """Frame index -> CPU seconds of decoding and of the detector's calls."""
    naive: dict[int, float]
    naive_name: str
    tracks: Tracks
    naive_tracks: Tracks


@dataclass
class Subscriber:
    """Stamps the events that arrive."""

    port: int
    delays_s: Delays = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to everything while the block runs."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.on_message = self._came
        client.connect("127.0.0.1", self.port)
        client.subscribe("#", qos=1)
        client.loop_start()
        try:
            yield
        finally:
            client.disconnect()
            client.loop_stop()

    def _came(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        now_s = time.time()
        try:
            payload = json.loads(message.payload)
        except ValueError:
            return  # a picture
        if isinstance(payload, dict) and payload.get("phase") == "start":
            self.delays_s.append((payload["kind"], now_s - datetime.fromisoformat(payload["time"]).timestamp()))


def watch(clip: Path, model: Path, seconds: float) -> Watched:
    """Let everyone watch the clip's first seconds.

    Raises:
        NgatuError: the box or one of the others failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ngatu-cost-")))
        port = stack.enter_context(broker())
        config = configured(folder, port, clip, model, cameras=1, loop=False)
        lines = stack.enter_context((folder / "looks").open("w+b"))
        box = module("box", config, seconds + 2, folder / "tracks.json", stdout=subprocess.PIPE, log=folder)
        tee = subprocess.Popen(["tee", lines.name], stdin=box.stdout, stdout=subprocess.PIPE)
        floor = module("floor", config, clip, stdin=tee.stdout, stdout=subprocess.PIPE, log=folder)
        for pipe in (box.stdout, tee.stdout):  # theirs now: an end must reach whoever reads
            assert pipe is not None
            pipe.close()
        naive = module("naive", config, clip, seconds, stdout=subprocess.PIPE, log=folder)
        for each in (box, naive, floor):
            stack.callback(each.kill)
        printed_by = {
            name: output(p, name, seconds + END_S, folder) for name, p in (("naive", naive), ("floor", floor))
        }
        if box.wait(END_S) or tee.wait(END_S):
            raise _failed("box", folder)
        looks = [_look(line) for line in (folder / "looks").read_text().splitlines()]
        tracks = _tracks(json.loads((folder / "tracks.json").read_text()))
    naively = printed_by["naive"]
    return Watched(
        looks,
        {int(index): (each[0], each[1]) for index, each in printed_by["floor"].items()},
        {int(index): each for index, each in naively["spent"].items()},
        naively["tracker"],
        tracks,
        _tracks(naively["tracks"]),
    )


def delays(clip: Path, model: Path, seconds: float) -> Delays:
    """How late the box's events arrive when nobody else watches: a box on a pole has its processor to itself.

    Raises:
        NgatuError: the box failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ngatu-cost-")))
        subscriber = Subscriber(stack.enter_context(broker()))
        stack.enter_context(subscriber.listening())
        config = configured(folder, subscriber.port, clip, model, cameras=1, loop=False)
        box = module("box", config, seconds + 2, folder / "tracks.json", stdout=subprocess.DEVNULL, log=folder)
        stack.callback(box.kill)
        if box.wait(seconds + END_S):
            raise _failed("box", folder)
    return subscriber.delays_s


@contextmanager
def broker() -> Iterator[int]:
    """A broker in another process; its port."""
    words = [sys.executable, "-m", "benchmarks.cost.broker"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise NgatuError("the embedded broker did not start", "pip install -e '.[demo]'")
        yield int(line)
        process.communicate("")


def configured(folder: Path, port: int, clip: Path, model: Path | None, *, cameras: int, loop: bool) -> Path:
    """A configuration of so many cameras, which all show the clip; without a model they tell motion alone."""
    detector = f"detector: {{model: {model.absolute()}}}\n" if model else ""
    text = CONFIG.format(folder=folder, port=port, detector=detector)
    words = {"clip": clip.absolute(), "loop": str(loop).lower(), "detects": str(model is not None).lower()}
    for number in range(cameras):
        text += CAMERA.format(number=number, **words) + (ROAD_USERS if model else "")
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def module(
    name: str, *words: object, stdout: int, log: Path, stdin: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start one of the programs of this package; what it complains about goes to a file in `log`."""
    with (log / f"{name}.log").open("wb") as complaints:
        command = [sys.executable, "-m", f"benchmarks.cost.{name}", *map(str, words)]
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=complaints)


def output(process: subprocess.Popen[bytes], name: str, timeout_s: float, log: Path) -> dict[str, Any]:
    """The JSON that a program prints at its end.

    Raises:
        NgatuError: it failed or did not end.
    """
    try:
        printed, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise _failed(name, log) from None
    if process.returncode:
        raise _failed(name, log)
    document: dict[str, Any] = json.loads(printed)
    return document


def _failed(name: str, log: Path) -> NgatuError:
    lines = (log / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return NgatuError(
        f"the program {name} failed: {lines[-1] if lines else 'it said nothing'}", "run it by hand"
    )


def _look(line: str) -> Look:
    index, mono_s, parent_s, child_s, regions, *pictures = line.split()
    return Look(int(index), float(mono_s), float(parent_s), float(child_s), int(regions), len(pictures))


def _tracks(frames: dict[str, list[list[Any]]]) -> Tracks:
    return {int(index): [tuple(each) for each in shown] for index, shown in frames.items()}
