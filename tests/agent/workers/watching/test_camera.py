"""agent.workers.watching.camera"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from structlog.testing import capture_logs

from agent.cameras.settings import CameraSettings
from agent.cameras.stills import Stills
from agent.clock import Clock, SystemClock
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.kinds.object import ObjectRule
from agent.core.rules.settings import RuleSettings
from agent.core.types import Event, Frame, Instant
from agent.errors import ModelError
from agent.host.camera_stats import CameraState
from agent.host.supervise import Stop
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.compose import Sender
from agent.wire.message import Message
from agent.workers.watching import camera as module
from agent.workers.watching import main_pictures as module_of_pictures
from agent.workers.watching.camera import CameraWorker, PauseState, is_finite
from agent.workers.watching.main_pictures import MainPictures
from tests.conftest import RtspServer, SteppedClock
from tests.support.breakable_detector import BreakableDetector
from tests.support.brokers import free_port, until
from tests.support.rtsp_camera import Request, RtspCamera
from tests.support.squares import SQUARE_PX, frame_of, write_clip

SETTINGS = PipelineSettings(rules=RuleSettings(rules=(MotionRule(id="movement"), ObjectRule(id="road-users"))))
SENDER = Sender("hai-ninh", "hai-ninh-03", "road", "boot-1", "squares")


@dataclass
class Counted:
    """What an open camera counts."""

    frames_in: int = 1
    frames_dropped: int = 0


@dataclass
class Post:
    """One watcher with a real outbox and a real detector."""

    folder: Path
    clock: Clock = field(default_factory=SystemClock)
    states: list[CameraState] = field(default_factory=list)
    sender: Callable[[], Sender] = lambda: SENDER
    throttled_fps: Callable[[float], float] = lambda wanted_fps: wanted_fps
    on_outcome: Callable[[Frame, Outcome], None] = lambda _frame, _outcome: None

    def __post_init__(self) -> None:
        self.clip = self.folder / "road.mp4"
        self.detector = BreakableDetector(self.folder)
        self.outbox = Outbox(self.folder / "outbox.db", OutboxSettings(ballast_bytes=0), self.clock)
        self.stop = Stop()
        self.waits: list[float] = []

    def watcher(self, **camera: Any) -> CameraWorker:
        given = {"name": "road", "source": {"kind": "file", "path": self.clip, "loop": True}, **camera}
        settings = CameraSettings.model_validate(given)
        self.it = CameraWorker(
            settings, SETTINGS, self.detector, self.outbox,
            lambda: self.sender(),  # noqa: PLW0108 – a test may set it later
            clock=self.clock, ids=Ids(b"a seed of sixteen"), on_state=self.states.append,
            on_outcome=lambda *seen: self.on_outcome(*seen),  # noqa: PLW0108
            throttled_fps=lambda wanted_fps: self.throttled_fps(wanted_fps),  # noqa: PLW0108
        )  # fmt: skip
        return self.it

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Run it in a thread; ends with the block, and within two seconds."""
        thread = threading.Thread(target=self.it.run, args=(self.stop, self.beat))
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            self.it.interrupt()
            thread.join(5)
        assert not thread.is_alive()

    def beat(self, wait_s: float = 0.0) -> None:
        self.waits.append(wait_s)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the outbox took, by kind, in its order."""
        with closing(sqlite3.connect(f"file:{self.folder}/outbox.db?mode=ro", uri=True)) as database:
            rows = database.execute(
                "select body from message where topic like '%/event' order by seq"
            ).fetchall()
        return [event for event in (json.loads(row[0]) for row in rows) if event["kind"] == kind]

    def was(self, state: str, reason: str = "") -> Callable[[], bool]:
        """Whether the newest state is this, for such a reason."""
        return lambda: bool(
            self.states and self.states[-1].state == state and reason in (self.states[-1].reason or "")
        )

    def see(self, seconds: float, *, speed_px_s: float = 0.0, fps: float = 10.0) -> None:
        """So many seconds of an empty road, or of a square that crosses it."""
        assert isinstance(self.clock, SteppedClock)
        for index in range(int(seconds * fps)):
            gone_px = index / fps * speed_px_s - SQUARE_PX
            self.it.watch(frame_of((gone_px,) if speed_px_s else (), index, self.clock.now()))
            self.clock.advance(1 / fps)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path)
    yield made
    made.outbox.close()
    made.detector.close()


@pytest.fixture
def stepped(tmp_path: Path, clock: SteppedClock) -> Iterator[Post]:
    made = Post(tmp_path, clock)
    made.watcher()
    yield made
    made.outbox.close()
    made.detector.close()


@contextmanager
def listening(port: int, answer: bytes) -> Iterator[None]:
    """Something that listens where the camera should be, and says this to whatever it is asked, or nothing."""
    with socket.create_server(("127.0.0.1", port)) as server:
        guests: list[socket.socket] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    guests.append(server.accept()[0])
                    if answer:
                        guests[-1].recv(4096)
                        guests[-1].sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for guest in guests:
            guest.close()


@pytest.mark.long
@pytest.mark.rtsp
def test_a_camera_lost_for_changing_reasons_is_one_event_and_one_line_and_so_is_its_return(
    post: Post, rtsp_server: Callable[..., RtspServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFUSED_S", 0.1)
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 1.0)
    port = free_port()
    post.watcher(source={"kind": "rtsp", "url": f"rtsp://127.0.0.1:{port}/live"}, open_timeout_s=10)

    with capture_logs() as lines, post.at_work():
        until(post.was("lost", "nobody listening"), 20)
        with listening(port, b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"):
            until(post.was("lost", "no such stream"), 20)
        until(post.was("lost", "nobody listening"), 20)
        rtsp_server("--port", str(port))
        until(post.was("streaming"), 30)
        until(lambda: len(post.events("camera_lost")) > 1, 5)
        (start, end) = post.events("camera_lost")

    assert [line["event"] for line in lines if line["event"] in ("lost", "back")] == ["lost", "back"]
    assert (start["phase"], end["phase"], start["id"]) == ("start", "end", end["id"])
    assert (start["revision"], end["revision"], end["end_reason"]) == (1, 2, None)
    assert re.match(r"back after \d+ s; road: .* has nobody listening", end["detail"])
    lost = [state for state in post.states if state.state == "lost"]
    assert len({state.reason for state in lost}) == 2
    assert len({state.since for state in lost}) == 1
    assert post.it.figures.reconnects_1h(post.clock.now()) == 1


@pytest.mark.long
def test_a_camera_of_one_picture_now_and_then_is_not_lost_and_back_without_end(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows a picture whenever it is asked, and then none for a long time."""
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.5)
    with RtspCamera(fps=1 / 60) as camera:
        post.watcher(source={"kind": "rtsp", "url": camera.url}, stall_s=0.5, open_timeout_s=5)
        with capture_logs() as lines, post.at_work():
            until(lambda: camera.connections >= 8, 60)
            seen = post.it.figures.frames_in
            monkeypatch.setattr(module, "CALM_S", 1.0)
            camera.fps = 25  # from its next connection on
            until(lambda: len(post.events("camera_lost")) == 4, 20)
        starts = [event for event in post.events("camera_lost") if event["phase"] == "start"]
    assert seen >= 6  # each of its pictures is looked at all the same
    assert len(starts) == 2
    assert [line["event"] for line in lines if line["event"] in ("lost", "back")] == ["lost", "back"] * 2


@pytest.mark.long
def test_a_camera_that_refuses_while_it_starts_is_soon_asked_again_but_not_for_ever(post: Post) -> None:
    refusals = [2]

    def starting(request: Request) -> bytes | None:
        if request.method != "DESCRIBE" or camera.shows.is_set() or not refusals[0]:
            return None
        refusals[0] -= 1
        number = re.search(r"^CSeq: (\d+)", request.head, re.MULTILINE)
        return f"RTSP/1.0 404 Not Found\r\nCSeq: {number[1] if number else 0}\r\n\r\n".encode()

    with RtspCamera(raw=starting) as camera:
        post.watcher(source={"kind": "rtsp", "url": camera.url}, stall_s=1, open_timeout_s=5)
        with post.at_work():
            until(post.was("streaming"), 20)
            camera.shows.clear()
            until(post.was("lost", "no such stream"), 20)
            until(lambda: not refusals[0], 10)
            refusals[0], before = 1, camera.connections
            until(lambda: not refusals[0], 10)  # the third one: from now on it is asked slowly
            camera.shows.set()
            with pytest.raises(pytest.fail.Exception):
                until(lambda: camera.connections > before + 1, 5)


def decoders() -> list[psutil.Process]:
    """The processes that decode this test's cameras."""
    family = psutil.Process().children()
    return [child for child in family if "agent.cameras.decode.worker" in child.cmdline()]


def test_a_decoder_that_dies_is_started_again(post: Post) -> None:
    write_clip(post.clip, seconds=1)
    post.watcher()

    with post.at_work():
        until(post.was("streaming"), 20)
        (child,) = decoders()
        child.kill()
        until(post.was("lost", "its decoder died (SIGKILL)"), 10)
        until(post.was("streaming"), 20)
        frames = post.it.figures.frames_in
        until(lambda: post.it.figures.frames_in > frames + 3, 10)  # counted on, not from 0

    assert [event["phase"] for event in post.events("camera_lost")] == ["start", "end"]
    assert not decoders()


def test_a_stop_ends_the_loss_so_that_the_next_life_finds_nothing_open(post: Post) -> None:
    post.clip.write_text("no video")
    post.watcher()

    with post.at_work():
        until(post.was("lost"), 20)

    start, end = post.events("camera_lost")
    assert (start["phase"], end["phase"], end["end_reason"]) == ("start", "end", "stopped")
    assert post.outbox.open_events() == []
    assert post.states[-1].state == "disabled"


def test_a_finite_file_ends_by_itself_with_everything_told(post: Post) -> None:
    write_clip(post.clip, seconds=6, still_s=2.0)
    post.watcher(source={"kind": "file", "path": post.clip, "pace": "fast"})
    post.it.run(post.stop, post.beat)

    assert [state.state for state in post.states] == ["streaming", "disabled"]
    assert post.states[-1].reason == "the file has ended"
    assert {event["phase"] for event in post.events("object")} >= {"start", "end"}
    for event in post.events("motion"):
        assert event["time"] >= event["start_time"]  # the file's own time runs ahead of the clock
    assert post.outbox.open_events() == []
    assert post.it.figures.frames_in == 60
    assert not decoders()


@pytest.mark.long
def test_a_looped_file_goes_on_beyond_its_end_at_its_own_pace(post: Post) -> None:
    write_clip(post.clip, seconds=1)
    post.watcher()

    began = post.clock.now()
    with post.at_work():
        until(lambda: post.it.figures.frames_in >= 25, 20)
        took_s = post.clock.now().since(began)
        now = post.clock.now()
        assert post.it.figures.fps_in(now) == pytest.approx(10, rel=0.3)
        assert post.it.figures.size is not None and post.it.figures.size.width_px == 512

    assert took_s > 2.0
    assert [state.state for state in post.states] == ["streaming", "disabled"]


def test_a_camera_that_is_slow_to_open_may_be_and_still_stops_at_once(post: Post) -> None:
    port = free_port()
    post.watcher(source={"kind": "rtsp", "url": f"rtsp://127.0.0.1:{port}/live"}, open_timeout_s=120)

    with listening(port, b""):
        with post.at_work():
            until(decoders, 5)
            until(lambda: len(post.waits) > 2, 5)
            began = post.clock.now()
        assert post.clock.now().since(began) < 3

    assert len(post.waits) > 2  # it says that it is alive while it waits
    assert set(post.waits) == {0.0}
    assert not decoders()


def test_a_detector_that_fails_blinds_no_camera_and_is_told_once(stepped: Post) -> None:
    stepped.see(4)
    stepped.detector.broken = ModelError("squares: the network failed", "is the graphics memory full?")
    before = stepped.detector.calls
    with capture_logs() as lines:
        stepped.see(5, speed_px_s=130)
        calls = stepped.detector.calls - before
        fails = stepped.it.detector_fails
        stepped.see(30)
        stepped.detector.broken = None
        stepped.clock.advance(61)  # type: ignore[attr-defined]
        stepped.see(4)
        stepped.see(5, speed_px_s=130)

    assert fails
    assert calls <= 10  # not with every frame
    assert [line["event"] for line in lines if line["event"] in ("lost", "back")] == ["lost", "back"]
    motions = [event for event in stepped.events("motion") if event["phase"] == "start"]
    assert len(motions) == 2  # with and without the detector
    assert len([event for event in stepped.events("object") if event["phase"] == "start"]) == 1
    assert not stepped.it.detector_fails


@pytest.mark.long
def test_a_mistake_in_the_program_is_a_lost_camera_with_a_traceback_and_then_it_goes_on(post: Post) -> None:
    write_clip(post.clip, seconds=4, still_s=1.5)
    post.watcher()
    post.detector.broken = ZeroDivisionError("a bug")

    with capture_logs() as lines, post.at_work():
        until(post.was("lost", "ZeroDivisionError"), 20)
        post.detector.broken = None
        until(lambda: any(event["phase"] == "start" for event in post.events("object")), 40)

    assert [line["event"] for line in lines].count("watching_failed") == 1
    assert [event["phase"] for event in post.events("camera_lost")] == ["start", "end"]


@contextmanager
def nobody_answers(worker: CameraWorker, clock: Clock) -> Iterator[MainPictures]:
    """The worker's pictures are asked for, and whoever is asked says nothing."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stills = Stills()
    stills.offer(ours)
    worker.telling.pictures = MainPictures("road", stills, clock, 1920)
    with theirs, closing(stills):
        yield worker.telling.pictures


def test_an_event_waits_for_a_larger_picture_and_not_longer_than_it_may(stepped: Post) -> None:
    late: list[float] = []
    put = stepped.outbox.put_or_drop

    def noted(messages: Sequence[Message]) -> None:
        late.extend(stepped.clock.now().since(each.at) for each in messages if each.topic.endswith("event"))
        put(messages)

    with nobody_answers(stepped.it, stepped.clock), pytest.MonkeyPatch.context() as patch:
        patch.setattr(stepped.outbox, "put_or_drop", noted)
        stepped.see(4)
        stepped.see(5, speed_px_s=130)
        stepped.see(10)
    phases = [
        (event["kind"], event["phase"]) for event in (*stepped.events("object"), *stepped.events("motion"))
    ]
    assert phases == [("object", "start"), ("object", "end"), ("motion", "start"), ("motion", "end")]
    assert 0.5 < max(late) <= module_of_pictures.WAIT_S + 0.11


@pytest.mark.long
def test_what_waits_for_a_picture_goes_out_before_it_is_told_that_the_camera_was_lost(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of_pictures, "WAIT_S", 3600.0)
    write_clip(post.clip, seconds=6, still_s=1.5)
    worker = post.watcher(source={"kind": "file", "path": post.clip, "loop": False})
    with nobody_answers(worker, post.clock) as pictures:
        said: list[Sequence[Event]] = []
        worker.telling.on_events = said.append
        with post.at_work():
            until(lambda: any(each.kind == "object" for events in said for each in events), 40)
            assert not post.events("object")
            worker.distrust()
            until(post.was("lost", "died"), 20)
            (start, end) = post.events("object")[:2]
            (lost,) = post.events("camera_lost")
    assert (start["phase"], end["phase"], end["end_reason"]) == ("start", "end", "camera_lost")
    assert pictures.taken == 0
    assert lost["clock"]["mono_ms"] >= end["clock"]["mono_ms"]


@pytest.mark.long
def test_what_waits_for_a_picture_goes_out_when_the_agent_stops(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of_pictures, "WAIT_S", 3600.0)
    write_clip(post.clip, seconds=6, still_s=1.5)
    worker = post.watcher()
    with nobody_answers(worker, post.clock):
        said: list[Sequence[Event]] = []
        worker.telling.on_events = said.append
        with post.at_work():
            until(lambda: any(each.kind == "object" for events in said for each in events), 40)
    assert [event["phase"] for event in post.events("object")][:1] == ["start"]
    assert post.events("object")[-1]["phase"] == "end"


def test_an_event_that_cannot_be_put_into_words_is_counted_and_the_rest_is_kept(stepped: Post) -> None:
    stepped.see(4)
    failures = iter([True])

    def sender() -> Sender:
        if next(failures, False):
            raise LookupError("no clock")
        return SENDER

    stepped.sender = sender
    with capture_logs() as lines:
        stepped.see(5, speed_px_s=130)

    assert [line["event"] for line in lines].count("event_not_encoded") == 1
    assert stepped.outbox.stats().dropped["event"] == 1
    assert stepped.outbox.stats().pending > 0


def test_a_camera_whose_pictures_are_late_is_stalled_and_streams_anew_with_the_next(stepped: Post) -> None:
    clock = stepped.clock
    assert isinstance(clock, SteppedClock)
    camera = Counted()
    stepped.it.take(camera, frame_of((), 0, clock.now()))
    clock.advance(4)
    soon = stepped.it.seen()
    clock.advance(2)
    late = stepped.it.seen()
    stepped.it.take(camera, frame_of((), 1, clock.now()))
    again = stepped.it.seen()

    assert (soon.state, late.state, again.state) == ("streaming", "stalled", "streaming")
    assert late.since.since(soon.since) == pytest.approx(5)  # half of stall_s
    assert again.since == clock.now()
    assert stepped.states[-1] == again


def test_a_camera_that_cannot_see_is_blind_and_streams_again_when_it_can(stepped: Post) -> None:
    stepped.it.take(Counted(), frame_of((), 0, stepped.clock.now()))
    stepped.see(12)  # a drawn road has no grain: its pictures are frozen ones
    blind = stepped.states[-1]
    stepped.see(4, speed_px_s=130)

    assert (blind.state, blind.reason) == ("blind", "frozen")
    assert stepped.states[-1].state == "streaming"
    events = stepped.events("camera_blind")
    assert [(each["phase"], each["detail"]) for each in events] == [("start", "frozen"), ("end", "frozen")]


def test_a_camera_that_was_turned_asks_for_its_zones_until_it_looks_where_it_did(stepped: Post) -> None:
    clock = stepped.clock
    assert isinstance(clock, SteppedClock)

    def look(seconds: int, place: int) -> None:
        for index in range(2 * seconds):
            stepped.it.take(Counted(), _street(place, index, clock.now()))
            clock.advance(0.5)

    look(15, 1)
    assert stepped.states[-1].state == "streaming"
    look(12, 2)
    turned = stepped.states[-1]
    look(60, 2)
    still = stepped.states[-1]
    look(8, 1)

    assert (turned.state, turned.reason) == ("blind", "moved: check the zones of this camera")
    assert still == turned
    assert stepped.states[-1].state == "streaming"
    events = stepped.events("camera_blind")
    assert [(each["phase"], each["detail"]) for each in events] == [("start", "moved"), ("end", "moved")]


def _street(place: int, index: int, at: Instant) -> Frame:
    """A street with grain, another one for each place."""
    rough = np.random.default_rng(place).normal(100, 45, (36, 64)).clip(30, 220).astype(np.uint8)
    view = cv2.resize(rough, (320, 180), interpolation=cv2.INTER_NEAREST)
    luma = (view + np.random.default_rng(index).normal(0, 1.5, view.shape)).astype(np.uint8)
    grey = np.full((90, 160), 128, np.uint8)
    return Frame(index, at, luma, grey, grey)


@pytest.mark.long
def test_a_paused_camera_is_let_go_of_and_its_events_end_as_paused_until_it_is_wanted_again(post: Post) -> None:
    write_clip(post.clip, seconds=4, still_s=1.5)
    post.watcher()

    with post.at_work():
        until(lambda: post.events("object"), 20, "a car is told")
        post.it.halt(PauseState("paused by an officer"))
        until(post.was("disabled", "paused by an officer"), 10)
        until(lambda: not decoders(), 5, "no decoder is left")
        paused = [event for event in post.events("object") if event["end_reason"] == "paused"]
        seen = post.it.figures.frames_in
        post.it.halt(PauseState())
        until(post.was("streaming"), 20)
        until(lambda: post.it.figures.frames_in > seen, 10)

    assert paused
    assert not post.events("camera_lost")


@pytest.mark.long
def test_a_paused_rule_is_silent_its_events_end_and_the_others_go_on(stepped: Post) -> None:
    stepped.see(4)
    stepped.see(2, speed_px_s=130)
    stepped.it.halt(PauseState(rules=frozenset({"road-users"})))
    stepped.see(3, speed_px_s=130)
    silent = len(stepped.events("object"))
    stepped.see(8)
    stepped.it.halt(PauseState())
    stepped.see(4, speed_px_s=130)

    assert silent and stepped.events("object")[silent - 1]["phase"] == "end"
    assert len({event["id"] for event in stepped.events("object")}) == 2
    assert stepped.events("motion")[0]["phase"] == "start"
    assert "paused" not in {event["end_reason"] for event in stepped.events("motion")}


def test_only_a_file_that_is_not_looped_ends() -> None:
    def camera(**source: object) -> CameraSettings:
        return CameraSettings.model_validate({"name": "road", "source": source})

    assert is_finite(camera(kind="file", path="x.mp4"))
    assert not is_finite(camera(kind="file", path="x.mp4", loop=True))
    assert not is_finite(camera(kind="rtsp", url="rtsp://192.0.2.1/x"))


@pytest.mark.long
def test_a_quiet_road_is_looked_at_less_often_until_a_car_comes_and_while_it_goes_its_way(post: Post) -> None:
    write_clip(post.clip, seconds=8, still_s=5.5)
    it = post.watcher(source={"kind": "file", "path": post.clip}, idle_fps=2)
    looks: list[tuple[int, bool]] = []
    post.on_outcome = lambda frame, outcome: looks.append((frame.index, outcome.quiet))

    it.run(post.stop, post.beat)

    at = [index for index, _ in looks]
    assert sum(35 <= index < 55 for index in at) <= 6  # two seconds of nothing, ten pictures a second
    first = next(index for index in at if index >= 55)
    assert at[at.index(first) :][:4] == [first, first + 1, first + 2, first + 3]
    assert 2 <= sum(70 <= index < 80 for index in at) <= 7  # of ten; a busy machine is late with some
    assert len(post.events("object")) >= 1
    assert it.figures.frames_dropped <= 3


@pytest.mark.long
def test_a_box_that_spares_itself_looks_at_fewer_pictures_and_counts_none_as_missed(post: Post) -> None:
    write_clip(post.clip, seconds=6, still_s=0.0, speed_px_s=80)
    it = post.watcher(source={"kind": "file", "path": post.clip})
    looks: list[int] = []
    post.throttled_fps = lambda wanted_fps: wanted_fps / 4
    post.on_outcome = lambda frame, _outcome: looks.append(frame.index)

    it.run(post.stop, post.beat)

    assert it.fps_wanted == 2.5
    assert 10 <= it.figures.frames_in <= 60
    assert 8 <= len(looks) <= 22  # six seconds
    assert it.figures.frames_dropped <= 3
    assert it.figures.work_s > 0


@pytest.mark.long
@pytest.mark.rtsp
def test_a_board_that_cannot_decode_is_told_once_and_costs_no_picture(
    post: Post, rtsp_server: Callable[..., RtspServer]
) -> None:
    """The real way to a decoder that this machine does not have."""
    server = rtsp_server()
    post.watcher(source={"kind": "rtsp", "url": server.url}, decoder="v4l2m2m")
    with capture_logs() as lines, post.at_work():
        until(lambda: post.it.figures.frames_in > 20, 30)
    seen = post.it.figures.seen
    assert seen.decoder == "FFmpeg h264"
    assert seen.fallback is not None and seen.fallback.startswith("h264_v4l2m2m does not open")
    assert [line["why"] for line in lines if line["event"] == "decoder_fallback"] == [seen.fallback]
