"""Ribbon cameras through the real picamera2: pictures, packets, loss and return."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import paho.mqtt.client as paho
import yaml

from agent.evidence.encryption import new_identity
from station.watch.embedded import Address, embedded_broker
from tests.acceptance.csi.board import PICAMERA2, Board
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.squares import write_model
from tests.support.watching import Watching

BARS = {16, 41, 82, 107, 144, 169, 210, 235}
"""Luma of colour bars at 75 % (ITU-R BT.601), as the virtual camera draws them."""
STALL_S = 3.0
FPS = 30


def settings(**more: Any) -> str:
    """A ribbon camera with two streams."""
    main = {"width_px": 1280, "height_px": 720, "kbit_s": 3000, "key_every_s": 1.0}
    source = {"kind": "csi", "camera": "imx708", "width_px": 640, "height_px": 360, "fps": FPS, "main": main}
    common = {"name": "ribbon", "source": source, "max_fps": 10, "stall_s": STALL_S, "open_timeout_s": 15}
    return json.dumps(common | more)


@contextmanager
def watching(board: Board) -> Iterator[Watching]:
    """The agent's way to look through the camera, going on for ever."""
    errors = (board.folder / "eye.log").open("a")
    process = board.started(
        "-m", "tests.support.eye", "watch", settings(), stdout=subprocess.PIPE, stderr=errors
    )
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait(10)


@promise(
    "C1",
    f"{PICAMERA2} on libcamera's virtual camera, main 1280×720 beside 640×360",
    "the smaller stream is looked at, its colours are the camera's, 10 pictures/s come",
)
def frames(trial: Trial) -> str:
    number = trial.size(100, 1000, quick=30)
    with Board(trial.folder) as board, watching(board) as seen:
        seen.come(1)
        began = time.monotonic()
        seen.come(number, 60)
        took_s = time.monotonic() - began
        facts, came = dict(seen.facts), list(seen.frames)
    if facts["encoder"] != "software" or not facts["decoder"].startswith("libcamera imx708"):
        raise Broken(f"the facts say {facts}")
    for _, _, _, row, size in came:
        if size != [640, 360] or not set(row) <= BARS or len(set(row)) < 6:
            raise Broken(f"a picture of {size} with luma {sorted(set(row))}")
    if not all(before[0] < after[0] for before, after in pairwise(came)):
        raise Broken("a picture came from the past")
    return f"{len(came)} pictures at {number / took_s:.1f} a second, each with the bars; {facts['decoder']}"


@promise(
    "C2",
    "the larger stream is encoded, without and with a mask over its left half",
    "it decodes whole, a key picture in 30 (a second), and nothing of the left half is in it",
)
def packets(trial: Trial) -> str:
    seconds, words = trial.size(6, 30, quick=3), []
    with Board(trial.folder) as board:
        for masks in ([], [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]):
            file = board.folder / f"{len(masks)}.h264"
            asked = ("encode", settings(privacy_masks=masks), str(file), str(seconds))
            said = json.loads(board.run("-m", "tests.support.eye", *asked).splitlines()[-1])
            came = said["packets"]
            pictures = _decoded(file)
            if not (0 < len(came) == len(pictures)):
                raise Broken(f"{len(came)} packets, {len(pictures)} pictures")
            _judge(came, pictures, masked=bool(masks))
            words.append(f"{len(pictures)} pictures, {sum(key for key, *_ in came)} of them key")
    return f"{said['facts']['encoder']} encoder; {words[0]}; under the mask {words[1]}"


def _decoded(file: Path) -> list[np.ndarray]:
    with av.open(str(file), format="h264") as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


def _judge(came: list[list[Any]], pictures: list[np.ndarray], masked: bool) -> None:
    keys = [number for number, (is_key, *_) in enumerate(came) if is_key]
    if keys[0] != 0 or max(after - before for before, after in pairwise([*keys, len(came)])) > FPS:
        raise Broken(f"key pictures at {keys} of {len(came)}")
    if not all(before[1] < after[1] for before, after in pairwise(came)):
        raise Broken("a packet came from the past")
    for picture in pictures:
        luma = picture[:720, :1280].astype(int)
        if luma.shape != (720, 1280):
            raise Broken(f"a picture of {luma.shape}")
        # 16 columns beside the edge: an encoder's blocks smear what may be seen into what may not, never back.
        hidden, open_ = luma[:, :624], luma[:, 656:]
        if masked and abs(hidden - 16).max() > 3:
            raise Broken(f"under the mask luma goes from {hidden.min()} to {hidden.max()}")
        if np.ptp(open_) < 60 or (not masked and np.ptp(hidden) < 60):
            raise Broken("a picture without the bars")


@promise(
    "C3",
    "its driver hangs a while; for good; takes its process along; it is not there: each time it comes back",
    "started again in its process; begun anew, twice; told as not there; pictures within 5 s each time",
)
def loss(trial: Trial) -> str:
    with Board(trial.folder) as board, watching(board) as seen:
        seen.come(10)
        child, words = seen.frames[-1][1], []
        gap_s = _fault(board, seen, "hang", lambda: time.sleep(STALL_S * 0.65))
        if seen.lost or seen.frames[-1][1:3] != [child, 1]:
            now = seen.frames[-1][1:3]
            raise Broken(f"after {gap_s:.1f} s: lost {seen.lost}, child and restarts {now}, not {[child, 1]}")
        words.append(f"hung a while: started again, {gap_s:.1f} s without pictures, the same process")

        _fault(board, seen, "hang", lambda: until(lambda: len(seen.lost) >= 1, STALL_S + 5))
        if "no picture" not in seen.lost[0][1] or seen.frames[-1][1] == child:
            raise Broken(f"after a hang: {seen.lost[0][1]}, child {seen.frames[-1][1]}, before {child}")
        late_s = seen.lost[0][0] - _last_before(seen, seen.lost[0][0])
        words.append(f"hung: lost {late_s:.1f} s after its last picture, a new process")

        before = len(seen.lost)
        _fault(board, seen, "fail", lambda: until(lambda: len(seen.lost) > before, STALL_S + 5))
        if "its decoder died (SIGABRT)" not in seen.lost[before][1]:
            raise Broken(f"after libcamera's own abort: {seen.lost[before][1]}")
        words.append("its process died: told so, a new one")

        before = len(seen.lost)
        board.unplug()
        _fault(board, seen, "fail", lambda: until(lambda: len(seen.lost) > before, STALL_S + 5), come=False)
        until(lambda: any("is not there" in what for _, what in seen.lost[before:]), 20)
        board.plug()
        began = time.monotonic()
        seen.come(5)
        words.append(f"not there: told so, and back {time.monotonic() - began:.1f} s after it was")
        if not set(seen.frames[-1][3]) <= BARS:
            raise Broken(f"after its return luma {sorted(set(seen.frames[-1][3]))}")
    return "; ".join(words)


def _fault(board: Board, seen: Watching, how: str, meanwhile: Callable[[], object], come: bool = True) -> float:
    """Let the camera fail so for a while; the longest time without a picture."""
    first = len(seen.frames)
    board.fault.write_text(how)
    try:
        meanwhile()
    finally:
        board.fault.unlink()
    if not come:
        return 0.0
    began = time.monotonic()
    seen.come(5)
    if time.monotonic() - began > 5:
        raise Broken(f"after {how} pictures came {time.monotonic() - began:.1f} s late")
    moments = [frame[0] for frame in seen.frames[max(0, first - 1) :]]
    return max(after - before for before, after in pairwise(moments))


def _last_before(seen: Watching, moment_s: float) -> float:
    return max(float(frame[0]) for frame in seen.frames if frame[0] < moment_s)


@promise(
    "C4",
    "a whole box with a ribbon camera of two streams, recorded; the camera's driver hangs and goes on",
    "info says who encodes once something is; status streaming, lost, streaming; one event and its end",
)
def whole_box(trial: Trial) -> str:
    with Board(trial.folder) as board, embedded_broker() as broker, _heard(broker) as heard:
        config, log = _config(trial.folder, broker, recorded=True), trial.folder / "box.log"
        with log.open("w") as out:
            box = board.started("-m", "agent", "run", "-c", str(config), stdout=out, stderr=out)
        try:
            return _seen_at_the_broker(board, heard)
        except BaseException:
            print(log.read_text()[-2000:])
            raise
        finally:
            box.kill()
            box.wait(10)


def _config(folder: Path, broker: Address, recorded: bool = False) -> Path:
    """A whole box's."""
    camera = json.loads(settings())
    parts: dict[str, Any] = {
        "device": {"commune": "test-commune", "id": "test-box-01"},
        "state_dir": str(folder / "state"),
        "broker": {"host": broker.host, "port": broker.port},
        "detector": {"model": str(write_model(folder))},
        "cameras": [camera],
    }
    if recorded:
        camera["record"] = {"mode": "continuous"}
        parts["evidence"] = {"recipient": new_identity()[1]}
    config = folder / "box.yaml"
    config.write_text(yaml.safe_dump(parts))
    return config


@promise(
    "C5",
    "ngatu check --hardware without a terminal, with that camera",
    "real pictures at the wanted rate and who encodes; what a person must do is listed as left, saved as JSON",
)
def checklist(trial: Trial) -> str:
    with Board(trial.folder) as board, embedded_broker() as broker:
        config = _config(trial.folder, broker)
        process = board.started(
            "-m", "agent", "check", "--hardware", "-c", str(config), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = process.communicate(timeout=200)[0]
    saved = json.loads((trial.folder / "state/hardware/checklist.json").read_text())
    items = {item["item"]: item for item in saved["items"]}
    ribbon = items["frames ribbon"]
    if (
        process.returncode not in (1, 3)
        or ribbon["state"] != "ok"
        or ribbon["measured"]["encoder"] != "software"
    ):
        raise Broken(f"exit code {process.returncode}: {ribbon}; {said[-1500:]}")
    left = sorted(item for item, each in items.items() if each["state"] == "open")
    if left != ["cover ribbon", "power"]:
        raise Broken(f"left to do: {left}")
    return f"{len(items)} items; {ribbon['found']}; left: {', '.join(left)}"


def _seen_at_the_broker(board: Board, heard: list[tuple[str, dict[str, Any]]]) -> str:
    def states() -> list[str]:
        said = [body["state"] for topic, body in heard if topic.endswith("camera/ribbon/status")]
        return [state for state, _ in groupby(said)]

    def cameras() -> list[dict[str, Any]]:
        return [body["cameras"][0] for topic, body in heard if topic.endswith("/info")]

    until(lambda: "streaming" in states(), 60, "the camera streams")
    until(lambda: any(camera.get("frame") for camera in cameras()), 20, "info tells the picture's size")
    until(lambda: cameras()[-1].get("encoder"), 30, "info tells who encodes")
    if cameras()[0].get("encoder"):
        raise Broken(f"info named an encoder before anything was encoded: {cameras()[0]}")
    board.fault.write_text("hang")
    until(lambda: states()[-1] == "lost", 30, "the camera is told lost")
    board.fault.unlink()
    until(lambda: states()[-1] == "streaming", 30, "the camera is told back")

    def phases() -> list[str]:
        return [
            body["phase"] for topic, body in heard if "event" in topic and body.get("kind") == "camera_lost"
        ]

    until(lambda: phases()[-1:] == ["end"], 20, "the event has ended")
    last = cameras()[-1]
    if last["encoder"] != "software" or last["frame"] != {"width_px": 640, "height_px": 360}:
        raise Broken(f"info says {last['encoder']}, {last['frame']}")
    if phases() != ["start", "end"]:
        raise Broken(f"the events of the loss: {phases()}")
    return f"info: {last['encoder']} encoder, {last['frame']}; status {', '.join(states())}; event {phases()}"


@contextmanager
def _heard(broker: Address) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What is published from now on: topic and JSON."""
    heard: list[tuple[str, dict[str, Any]]] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "listener", protocol=paho.MQTTProtocolVersion.MQTTv5)

    def hear(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.payload[:1] == b"{":
            heard.append((message.topic, json.loads(message.payload)))

    client.on_message = hear
    client.on_connect = lambda *_: client.subscribe("ngatu/#", qos=1)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()
