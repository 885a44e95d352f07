"""agent.runtime.footage: a box that records, with real children, a real ring and a real outbox."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from agent.clock import SystemClock, Trust
from agent.config.schema import CameraConfig, parse
from agent.evidence.encryption import decrypt, new_identity
from agent.evidence.links import verify_links
from agent.evidence.listing.index import Index
from agent.evidence.ring import read_stored
from agent.runtime.app import Agent
from agent.runtime.footage import recorded_how
from agent.status import health
from agent.wire.codec import JPEG
from agent.wire.payloads import EventBody, RecordingBody
from agent.workers.footage.runs import MOST
from tests.conftest import RtspServer
from tests.support.brokers import until
from tests.support.taps import played
from tests.support.two_streams import drive, two_streams

Clip = Callable[..., Path]
RTSP = {"kind": "rtsp", "url": "rtsp://cam/x"}


class Box:
    """An agent in a thread, with one key for its footage."""

    def __init__(
        self,
        folder: Path,
        cameras: list[dict[str, Any]],
        thumbnail: dict[str, Any] | None = None,
        **evidence: Any,
    ) -> None:
        self.folder = folder
        self.identity, recipient = new_identity()
        plain = {
            "device": {"commune": "hac-thanh", "id": "box-1"},
            "broker": {"host": "127.0.0.1", "port": 1},
            "state_dir": str(folder),
            "evidence": {"recipient": recipient, **evidence},
            "thumbnail": thumbnail or {},
            "cameras": [{"attention": {"enabled": False}, "rules": [], **camera} for camera in cameras],
        }
        self.agent = Agent(
            parse(yaml.safe_dump(plain).encode(), "box.yaml"), SystemClock(), trusted=lambda: Trust("ntp")
        )
        self.thread = threading.Thread(target=self.agent.run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.agent.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def kept(self, camera: str) -> bytes:
        """All footage of a camera as one file, as the station makes it of one run."""
        index = Index(self.folder / "evidence", readonly=True)
        found = index.between(camera, 0, 1e12)
        run = found[0].run
        mine = [each for each in found if each.run == run]
        inits = index.inits(mine)
        stored = [inits[mine[0].init_sha256], *mine]
        index.close()
        return b"".join(decrypt(read_stored(self.folder / "evidence", each), self.identity) for each in stored)


def file(path: Path) -> dict[str, Any]:
    return {"kind": "file", "path": str(path), "pace": "real", "loop": True}


@pytest.mark.long
def test_a_box_records_what_it_watches_and_its_main_stream(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(300, name="watched.mkv")
    large = numbered_clip(300, width=640, height=480, name="main.mkv")
    box = Box(
        tmp_path / "state",
        [
            {"name": "north", "source": file(clip), "record": {"mode": "continuous"}},
            {"name": "south", "source": file(clip), "record": {"mode": "continuous", "source": file(large)}},
            {
                "name": "west",
                "source": file(clip),
                "record": {"mode": "continuous"},
                "privacy_masks": [[[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]],
            },
        ],
    )
    recorders = box.agent.footage.recorders
    until(lambda: all(recorder.figures.bytes for recorder in recorders.values()), 60)
    until(
        lambda: all(
            recorder.figures.last.since(box.agent.session.started) > 6 for recorder in recorders.values()
        ),
        60,
    )
    said = health.report(box.agent.sources, SystemClock())
    encoders = {name: camera.figures.encoder for name, camera in box.agent.cameras.items()}
    box.stop()

    assert encoders == {"north": None, "south": None, "west": "software"}
    recordings = {name: each.recording for name, each in said.cameras.items()}
    assert {name: each.way for name, each in recordings.items() if each} == {
        "north": "copy", "south": "copy", "west": "encode",
    }  # fmt: skip
    assert all(each.state == "recording" for each in recordings.values() if each)
    assert said.footage is not None
    assert said.footage.own_partition is False
    assert played(box.kept("north"))[0].width == 320
    assert played(box.kept("south"))[0].width == 640
    hidden = [frame.to_ndarray(format="rgb24")[:, 180:].max() for frame in played(box.kept("west"))]
    assert max(hidden) < 40, "what the mask hides is black"
    index = Index(tmp_path / "state" / "evidence", readonly=True)
    for camera in ("north", "south", "west"):
        links = [index.link(camera, row.number) for row in index.segments(camera, 0, 1e12)]
        assert verify_links([link for link in links if link]) == ()
        known = index.told_after(camera, 1)
        assert known == index.head(camera), "the last link was told at the stop"
    index.close()


@pytest.mark.long
def test_a_short_clip_that_begins_again_and_again_is_recorded_each_time(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    camera = {"name": "north", "source": file(numbered_clip(4)), "record": {"mode": "continuous"}}
    box = Box(tmp_path / "state", [camera])
    recorder = box.agent.footage.recorders["north"]

    def runs() -> set[str]:
        with closing(Index(tmp_path / "state" / "evidence", readonly=True)) as index:
            return {each.run for each in index.between("north", 0, 1e12)}

    until(lambda: recorder.figures.bytes, 60)
    until(lambda: recorder.trouble or len(runs()) > MOST + 2, 60)
    trouble = recorder.trouble
    box.stop()

    assert trouble is None


@pytest.mark.long
def test_links_go_to_the_station_through_the_outbox(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    camera = {"name": "north", "source": file(numbered_clip(100)), "record": {"mode": "continuous"}}
    box = Box(tmp_path / "state", [camera])
    until(lambda: box.agent.footage.recorders["north"].figures.bytes, 60)
    messages: list[RecordingBody] = []
    outbox = box.agent.outbox

    def has_come() -> bool:
        messages[:] = [
            RecordingBody.model_validate_json(each.message.body)
            for each in outbox.waiting(50, SystemClock().now())
            if each.message.topic == "camera/north/recording"
        ]
        return bool(messages)

    until(has_come, 60)
    box.stop()
    index = Index(tmp_path / "state" / "evidence", readonly=True)
    assert messages[0].link_sha256 == dict([index.told_after("north", 1) or (0, "")])[messages[0].number]
    index.close()


@pytest.mark.long
def test_a_box_whose_footage_has_no_place_watches_on_and_says_so(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "evidence").write_text("in the way")
    camera = {"name": "north", "source": file(numbered_clip(100)), "record": {"mode": "continuous"}}
    box = Box(state, [camera])
    until(lambda: box.agent.footage.recorders["north"].figures.dropped, 60)
    said = health.report(box.agent.sources, SystemClock())
    assert said.cameras["north"].state == "streaming"
    assert "recording_stopped:north" in said.degraded
    assert said.footage is not None
    until(lambda: "File exists" in str(box.agent.footage.figures().why), 30)  # type: ignore[union-attr]
    (state / "evidence").unlink()
    until(lambda: box.agent.footage.recorders["north"].figures.bytes, 90)
    box.stop()


def test_a_box_that_records_nothing_has_none_of_it(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    box = Box(tmp_path / "state", [{"name": "north", "source": file(numbered_clip(50))}])
    try:
        assert box.agent.footage.runs == {}
        assert json.loads(health.report(box.agent.sources, SystemClock()).model_dump_json())["footage"] is None
    finally:
        box.stop()
    assert not (tmp_path / "state" / "evidence").exists()


def pictures_of(box: Box) -> list[tuple[EventBody, NDArray[np.uint8]]]:
    """Each event that came with a picture, and the picture as it goes to the station."""
    given = [each.message for each in box.agent.outbox.waiting(500, SystemClock().now())]
    jpegs = {hashlib.sha256(each.body).hexdigest(): each.body for each in given if each.content_type == JPEG}
    events = [EventBody.model_validate_json(each.body) for each in given if each.topic == "camera/north/event"]
    return [
        (each, np.asarray(cv2.imdecode(np.frombuffer(jpegs[each.image.sha256], np.uint8), 0), np.uint8))
        for each in events
        if each.image is not None
    ]


def detail(picture: NDArray[np.uint8]) -> float:
    """How much there is of what only many pixels show, in pictures of one size."""
    same = cv2.resize(picture, (160, 160), interpolation=cv2.INTER_CUBIC)
    return float(np.abs(cv2.Laplacian(same, cv2.CV_32F)).mean())


@pytest.mark.long
def test_the_picture_of_an_event_is_cut_from_the_main_stream(
    tmp_path: Path, rtsp_server: Callable[..., RtspServer]
) -> None:
    with two_streams(rtsp_server, tmp_path / "pictures", drive()) as (sub, main):
        boxes = {
            name: Box(
                tmp_path / name,
                [
                    {
                        "name": "north",
                        "source": {"kind": "rtsp", "url": sub},
                        "rules": [{"kind": "motion", "id": "any"}],
                        "record": {"mode": "continuous", "source": {"kind": "rtsp", "url": main}},
                    }
                ],
                thumbnail={"from_main": name == "main"},
            )
            for name in ("main", "sub")
        }
        until(lambda: all(pictures_of(box) for box in boxes.values()), 120)
        until(lambda: any(event.image and event.image.from_main for event, _ in pictures_of(boxes["main"])), 60)
        given = {name: pictures_of(box) for name, box in boxes.items()}
        for box in boxes.values():
            box.stop()
    large = [(event, each) for event, each in given["main"] if event.image and event.image.from_main]
    assert not any(event.image and event.image.from_main for event, _ in given["sub"])
    for event, picture in large:
        assert event.region is not None
        assert event.image is not None
        assert event.image.bytes <= 24_000
        side_px = 1.7 * (event.region.right - event.region.left) * 320
        assert picture.shape[1] > min(319, 2 * side_px), "three pixels of the main stream for one of the other"
    least = min(detail(picture) for _, picture in large)
    assert least > 1.5 * max(detail(picture) for _, picture in given["sub"])


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        ({}, None),
        (
            {"record": {"mode": "events"}},
            "around events; the stream that is watched; MJPEG as it comes; without sound",
        ),
        (
            {
                "record": {
                    "mode": "continuous",
                    "mjpeg": "encode",
                    "source": {"kind": "rtsp", "url": "rtsp://cam/x"},
                }
            },
            "all the time; the main stream (rtsp); MJPEG encoded anew; without sound",
        ),
        (
            {"record": {"mode": "continuous"}, "privacy_masks": [[[0, 0], [1, 0], [1, 1]]]},
            "all the time; encoded anew from masked pictures; without sound",
        ),
    ],
)
def test_the_station_is_told_how_a_camera_is_recorded(camera: dict[str, Any], expected: str | None) -> None:
    plain = {"name": "north", "source": {"kind": "file", "path": "clip.mp4"}, **camera}
    assert recorded_how(CameraConfig.model_validate(plain)) == expected
