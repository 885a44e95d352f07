"""P38.1: what lies under a privacy mask is in no artefact of a whole box."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent import log
from agent.clock import SystemClock
from agent.commands.policy import Command
from agent.config.schema import CameraConfig, Config, load
from agent.core.image import bgr
from agent.core.pipeline import Outcome
from agent.core.types import Detection, Frame, Image
from agent.detectors import Detector
from agent.errors import ConfigError
from agent.evidence.encryption import decrypt, new_identity
from agent.evidence.listing.index import Index
from agent.evidence.ring import read_stored
from agent.evidence.samples.sample import name_of, unpacked
from agent.evidence.samples.store import FOLDER
from agent.outbox.outbox import Outbox
from agent.runtime import app
from agent.tools.overlay import Painter
from agent.tools.preview.live import picture_of
from agent.tools.preview.picture import preview
from agent.wire.verbs import LookArgs, Verb
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support import squares
from tests.support.coded_pattern import Searcher, luma_of, painted
from tests.support.film import played

WIDTH, HEIGHT, FPS = 512, 256, 10
MASK = ((0.05, 0.03), (0.95, 0.03), (0.95, 0.47), (0.05, 0.47))
"""It ends where the road user drives: what is cut out around that one reaches under it."""
TOP_PX = 126
STILL_S = 3.0
INVALID = (
    "[[0.1, 0.1], [0.5, 0.5]]",
    "[[0.1, 0.1], [0.5, 0.1], [0.9, 0.1]]",
    "[[0.1, 0.1], [0.5, 0.1], [0.5, 1.2]]",
    "[[0.1, 0.1], [0.5, .nan], [0.5, 0.9]]",
    "[[100, 100], [400, 100], [400, 300]]",
    "[[0.1, 0.1], [0.5, 0.9], [0.5, 0.1], [0.1, 0.9]]",
    "window",
)
"""Two corners, no area, outside of the view, no number, pixels, edges that cross, no polygon."""


@promise(
    "P38.1",
    "a coded pattern under a mask in the view of a whole box, which watches, tells, records and is asked",
    "found in no frame, model input, thumbnail, scene, snapshot, look, preview, overlay, recording, segment, "
    "package, training frame; in each kind with the mask off; with a mask that is none no camera is started",
    minutes=0.6,
)  # fmt: skip
def whole_box(trial: Trial) -> str:
    """Two boxes see the same clip, one with the mask."""
    seconds = trial.size(14, 60, quick=9)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        folders = [trial.folder / name for name in ("masked", "bare")]
        masked, bare = pool.map(box, folders, [(MASK,), ()], [seconds, seconds])
    if masked.leaks:
        raise Broken(f"the pattern is in {masked.leaks}")
    blind = {kind for kind in masked.kinds if not bare.found.get(kind)}
    if blind:
        raise Broken(f"with the mask off it is not found in {sorted(blind)}: the trial is blind")
    for polygon in INVALID:
        _refused(trial.folder, polygon)
    kinds = ", ".join(f"{count} of {kind}" for kind, count in masked.kinds.items())
    return (
        f"{masked.looked} pictures: found in none ({kinds}); with the mask off in "
        f"{sum(bare.found.values())} of {bare.looked}; {len(INVALID)} invalid masks refused"
    )


@dataclass
class _Noted:
    """A detector that keeps what it is given, as a dump of the model's input would."""

    inner: Detector
    searcher: Searcher

    def __post_init__(self) -> None:
        self.name, self.sha256 = self.inner.name, self.inner.sha256
        self.input_size, self.labels = self.inner.input_size, self.inner.labels

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """As the inner detector."""
        for image in images:
            self.searcher.crop("model input", image)
        return self.inner.detect(images)

    def close(self) -> None:
        """As the inner detector."""
        self.inner.close()


def box(folder: Path, masks: tuple[tuple[tuple[float, float], ...], ...], seconds: float) -> Searcher:
    """Let a whole box watch the clip, and look into everything that came of it."""
    folder.mkdir()
    log.configure("error", "json")
    identity, recipient = new_identity()
    config = _configured(folder, masks, seconds, recipient)
    searcher, chosen = Searcher(), load(config)
    _watch(chosen, searcher)
    _outbox(chosen, searcher)
    _samples(chosen, identity, searcher)
    _segments(chosen, identity, searcher)
    _package(folder, config, chosen, identity, searcher)
    _tools(folder, config, chosen.cameras[0], searcher)
    return searcher


def _configured(
    folder: Path, masks: tuple[tuple[tuple[float, float], ...], ...], seconds: float, recipient: str
) -> Path:
    text = (
        "device: {{commune: test-commune, id: box-01}}\nstate_dir: {folder}/state\n"
        "broker: {{host: 127.0.0.1, port: 1}}\ndetector: {{model: {model}}}\n"
        "evidence: {{recipient: {recipient}}}\n"
        # Unblurred, or squares would hide the pattern from the judge.
        "samples: {{enabled: true, purpose: a trial, legal_basis: a trial, blur: none}}\n"
        "cameras:\n  - name: road\n    source: {{kind: file, path: {clip}}}\n    privacy_masks: {masks}\n"
        "    record: {{mode: continuous}}\n    rules:\n"
        "      - {{kind: object, id: road-users, severity: alert}}\n      - {{kind: motion, id: movement}}\n"
    )
    config = folder / "config.yaml"
    words = {
        "folder": folder, "recipient": recipient,
        "masks": [[list(corner) for corner in mask] for mask in masks],
        "clip": _clip(folder / "road.mp4", seconds), "model": squares.write_model(folder),
    }  # fmt: skip
    config.write_text(text.format(**words), encoding="utf-8")
    return config


def _clip(path: Path, seconds: float) -> Path:
    """An empty road, then one square after the other that crosses it, close to the mask."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(round(seconds * FPS)):
            gone_s = number / FPS - STILL_S
            lefts = ((gone_s * 130) % (WIDTH + 200) - squares.SQUARE_PX,) if gone_s >= 0 else ()
            picture = painted(squares.picture(lefts, WIDTH, HEIGHT, TOP_PX))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def _watch(config: Config, searcher: Searcher) -> None:
    """The whole agent, until its file has ended; somebody asks for snapshots meanwhile."""

    def onlooker(camera: CameraConfig) -> app.OnOutcome:
        painter = Painter(camera.pipeline(agent_config.device).rules)

        def look(frame: Frame, outcome: Outcome) -> None:
            searcher.whole("frame", np.array(frame.luma))
            searcher.crop("frame in colour", bgr(frame))
            searcher.whole("overlay", _grey(painter.draw(frame, outcome)))
            searcher.whole("preview's page", _grey(picture_of(frame)))

        return look

    agent_config = config
    agent = app.Agent(config, SystemClock(), onlooker=onlooker)
    agent.detector.inner = _Noted(agent.detector.inner, searcher)
    over = threading.Event()

    def ask() -> None:
        looking = LookArgs(camera="road", seconds=60, officer="an officer", purpose="a trial")
        agent.looks.begin(Command("look-1", Verb.LOOK, looking, "station", 0.0, 1e12, "0" * 64), looking)
        while not over.is_set():
            jpeg = agent.snapshots.take("road", 2.0, lambda: not over.is_set())
            if jpeg is not None:
                _picture("snapshot", jpeg.data, searcher, whole=True)
            while (live := agent.live.next(agent.clock.now())) is not None:  # as the forwarder takes it
                _picture("live look", live.data, searcher, whole=True)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    agent.run(120)
    over.set()
    asking.join(5)


def _outbox(config: Config, searcher: Searcher) -> None:
    """What waits for the station."""
    clock = SystemClock()
    with closing(Outbox(config.outbox_path, config.outbox, clock)) as outbox:
        for stored in outbox.waiting(100_000, clock.now()):
            kind = stored.message.topic.rpartition("/")[2]
            if stored.message.content_type == "image/jpeg":
                _picture(kind, stored.message.body, searcher, whole=kind == "scene")


def _samples(config: Config, identity: str, searcher: Searcher) -> None:
    """The frames that are kept for training, decrypted as by the station."""
    for path in (config.state_dir / FOLDER).iterdir():
        if name_of(path.name) is not None:
            _, jpeg = unpacked(decrypt(path.read_bytes(), identity))
            _picture("training frame", jpeg, searcher, whole=True)


def _segments(config: Config, identity: str, searcher: Searcher) -> None:
    """What lies in the ring, decrypted as by the station."""
    folder = config.evidence_path
    with closing(Index(folder, readonly=True)) as index:
        found = index.between("road", 0, 1e11)
        inits = index.inits(found)
        for name, init in inits.items():
            pieces = [
                decrypt(read_stored(folder, each), identity) for each in found if each.init_sha256 == name
            ]
            for frame in played(decrypt(read_stored(folder, init), identity), pieces):
                searcher.whole("segment", luma_of(frame))


def _package(folder: Path, config: Path, chosen: Config, identity: str, searcher: Searcher) -> None:
    """What is cut out of the ring for a case, decrypted as by the station."""
    with closing(Index(chosen.evidence_path, readonly=True)) as index:
        found = index.between("road", 0, 1e11)
    ends = [datetime.fromtimestamp(at, UTC).isoformat() for at in (found[0].wall_s - 1, found[-1].end_s + 1)]
    made = folder / "package"
    _run("clip", "-c", str(config), "-o", str(made), "--camera", "road", "--from", ends[0], "--to", ends[1],
         "--case", "12/2026", "--purpose", "a trial", "--officer", "the judge")  # fmt: skip
    runs: dict[str, list[bytes]] = {}
    for part in sorted(made.glob("footage-*.age")):
        run = part.name.split("-")[1]
        runs.setdefault(run, []).append(decrypt(part.read_bytes(), identity))
    for init, *pieces in runs.values():
        for frame in played(init, pieces):
            searcher.whole("package", luma_of(frame))


def _tools(folder: Path, config: Path, camera: CameraConfig, searcher: Searcher) -> None:
    """What a technician makes on the box."""
    image, _ = preview(camera, SystemClock())
    searcher.whole("preview", _grey(image))
    clip = str(folder / "road.mp4")
    for kind, words in (
        ("recording", ["record", "-c", str(config), "--for", "2", str(folder / "made.mp4")]),
        ("replay", ["replay", clip, "-c", str(config), "--overlay", str(folder / "made.mp4")]),
    ):
        _run(*words)
        with av.open(str(folder / "made.mp4")) as made:
            for frame in made.decode(video=0):
                searcher.whole(kind, luma_of(frame))
        (folder / "made.mp4").unlink()


def _run(*words: str) -> None:
    """A command of the box.

    Raises:
        Broken: it failed.
    """
    done = subprocess.run([sys.executable, "-m", "agent", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"{words[0]}: {done.stdout[-300:]} {done.stderr[-300:]}")


def _picture(kind: str, data: bytes, searcher: Searcher, whole: bool) -> None:
    image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    if whole:
        searcher.whole(kind, _grey(image))
    else:
        searcher.crop(kind, image)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _refused(folder: Path, polygon: str) -> None:
    """A configuration with this mask is refused whole: no camera of it is ever opened."""
    text = (folder / "masked" / "config.yaml").read_text(encoding="utf-8")
    place = next(line for line in text.splitlines() if "privacy_masks" in line)
    broken = folder / "broken.yaml"
    broken.write_text(text.replace(place, f"    privacy_masks: [{polygon}]"), encoding="utf-8")
    try:
        load(broken)
    except ConfigError as error:
        if "privacy_masks" in str(error):
            return
        raise Broken(f"the mask {polygon} is refused for something else: {error}") from error
    raise Broken(f"the mask {polygon} is taken")
