"""agent.cameras.isolate"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import child_process
from agent.cameras import isolate
from agent.cameras.decode.decoded import Layout, Record
from agent.cameras.decode.ring import WriterRing
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.local import LocalCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraLost, CameraRefused
from agent.printable import printable
from tests.support.brokers import until
from tests.support.descriptors import few_descriptors, open_descriptors, opened_since
from tests.support.threads import begun_since

CORNER = [(0.5, 0.25), (0.75, 0.25), (0.75, 0.75), (0.5, 0.75)]


def isolated(**source: object) -> IsolatedCamera:
    more = {key: source.pop(key) for key in list(source) if key in CameraSettings.model_fields}
    settings = {
        "name": "north",
        "source": source,
        "max_fps": 120,
        "stall_s": 1.0,
        "open_timeout_s": 3.0,
        **more,
    }
    return IsolatedCamera(CameraSettings.model_validate(settings), SystemClock())


def file_camera(clip: Path, pace: str = "fast", **more: object) -> IsolatedCamera:
    return isolated(kind="file", path=clip, pace=pace, **more)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def test_a_fast_file_comes_whole_and_unharmed_however_slow_the_caller(
    numbered_clip: Callable[..., Path], number_in: Callable[..., int]
) -> None:
    camera = file_camera(numbered_clip(40))
    seen = []
    for frame in camera.frames():
        if frame.index % 7 == 0:
            time.sleep(0.02)
        seen.append((frame.index, number_in(frame.luma)))
    assert seen == [(n, n) for n in range(40)]
    assert (camera.frames_in, camera.frames_dropped) == (40, 0)


def test_two_replays_give_the_same_bytes_and_the_same_as_without_a_child(
    numbered_clip: Callable[..., Path],
) -> None:
    clip = numbered_clip(20)

    class StillClock:
        def now(self):  # type: ignore[no-untyped-def]
            return SystemClock().now().__class__(7.0, 1e9)

    settings = file_camera(clip, privacy_masks=[CORNER]).settings
    kinds = IsolatedCamera, IsolatedCamera, LocalCamera
    cameras = [kind(settings, StillClock()) for kind in kinds]
    replays = [
        [(f.index, f.at, f.luma.tobytes(), f.u.tobytes(), f.v.tobytes()) for f in camera.frames()]
        for camera in cameras
    ]
    assert replays[0] == replays[1] == replays[2]


def test_a_slow_caller_gets_the_newest_picture_and_the_missed_ones_are_counted(
    numbered_clip: Callable[..., Path],
) -> None:
    camera = file_camera(numbered_clip(30), "real")
    taken, oldest_s = 0, 0.0
    for frame in camera.frames():
        oldest_s = max(oldest_s, SystemClock().now().since(frame.at))
        taken += 1
        time.sleep(0.15)
    assert camera.frames_dropped > 0
    assert taken + camera.frames_dropped == camera.frames_in == 30
    assert oldest_s < 0.5


def test_a_frame_is_not_touched_until_the_next_one_is_asked_for(
    numbered_clip: Callable[..., Path], number_in: Callable[..., int]
) -> None:
    camera = file_camera(numbered_clip(25), "real")
    for frame in camera.frames():
        before = frame.luma.copy()
        seen = number_in(frame.luma)
        time.sleep(0.1)  # two or three pictures come meanwhile
        assert seen == frame.index
        assert np.array_equal(frame.luma, before)


def test_frames_cannot_be_written_to(numbered_clip: Callable[..., Path]) -> None:
    camera = file_camera(numbered_clip(2))
    frame = next(camera.frames())
    for plane in (frame.luma, frame.u, frame.v):
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            plane.flags.writeable = True
    camera.close()


def test_a_pattern_under_a_mask_cannot_be_found_in_the_shared_memory(
    numbered_clip: Callable[..., Path],
) -> None:
    whole = [(0, 0), (1, 0), (1, 0.07), (0, 0.07)]  # the row of squares that bear the number
    camera = file_camera(numbered_clip(30), privacy_masks=[whole, CORNER])
    tops = {
        frame.luma[:16].tobytes() + frame.u[:8].tobytes() + frame.v[:8].tobytes() for frame in camera.frames()
    }
    assert len(tops) == 1  # thirty different numbers, one black bar
    assert set(next(iter(tops))) == {16, 128}


def test_a_mask_follows_a_change_of_size(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    parts = [
        numbered_clip(8, w, h, codec="mpeg2video", name=f"{w}.mpg")
        for w, h in ((320, 240), (640, 480), (320, 240))
    ]
    joined = tmp_path / "joined.mpg"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    sizes = []
    for frame in file_camera(joined, privacy_masks=[CORNER]).frames():
        height, width = frame.luma.shape
        sizes.append((width, height))
        hidden = frame.luma[height // 4 : height * 3 // 4, width // 2 : width * 3 // 4]
        assert (hidden == 16).all()
        assert frame.luma[height // 4 + 2, width // 2 - 2] != 16
    assert {(320, 240), (640, 480)} <= set(sizes)


@pytest.mark.parametrize(("name", "reason"), [
    (signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV"), (signal.SIGTERM, "SIGTERM"),
])  # fmt: skip
def test_a_decoder_that_dies_is_a_lost_camera(
    numbered_clip: Callable[..., Path], name: signal.Signals, reason: str
) -> None:
    camera = file_camera(numbered_clip(50), "real", loop=True)
    frames = camera.frames()
    next(frames)
    assert camera.pid
    os.kill(camera.pid, name)
    with pytest.raises(CameraLost, match=reason):
        list(frames)
    assert camera.pid is None


def test_a_decoder_that_hangs_is_killed_by_the_deadline(numbered_clip: Callable[..., Path]) -> None:
    camera = file_camera(numbered_clip(50), "real", loop=True, stall_s=0.6)
    frames = camera.frames()
    next(frames)
    pid = camera.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(CameraLost, match=r"north: no picture for 0\.6 s"):
        list(frames)
    assert 0.4 < time.monotonic() - started < 1.6
    assert gone(pid)


def test_a_caller_that_was_busy_for_long_does_not_lose_the_camera(numbered_clip: Callable[..., Path]) -> None:
    camera = file_camera(numbered_clip(100), "real", loop=True, stall_s=0.5)
    frames = camera.frames()
    first = next(frames)
    time.sleep(1.2)
    assert next(frames).at.since(first.at) > 1.0
    camera.close()


def test_each_frame_of_a_looped_clip_says_how_often_it_had_begun_again(
    numbered_clip: Callable[..., Path],
) -> None:
    camera = file_camera(numbered_clip(10), "fast", loop=True)
    frames = camera.frames()
    laps = [next(frames).lap for _ in range(25)]
    camera.close()

    assert laps == [0] * 10 + [1] * 10 + [2] * 5


def test_of_a_camera_nothing_begins_again_whatever_its_decoder_says() -> None:
    camera = isolated(kind="usb", device="/dev/v4l/by-id/north")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ring = WriterRing(Layout(8, 8, (8, 4, 4), full_range=False))
        socket.send_fds(theirs, [json.dumps({"ring": LAYOUT}).encode()], [ring.fd])
        ring.close()
        theirs.send(json.dumps({"frame": [0, 0, time.monotonic(), 2.0, 3, 1, 0, 0]}).encode())
        frame = camera.receive(ours)

    assert frame is not None
    assert frame.lap == 0


def test_a_caller_that_rests_is_given_nothing_before_and_misses_nothing(
    numbered_clip: Callable[..., Path],
) -> None:
    camera = file_camera(numbered_clip(100), "real", loop=True, stall_s=0.5)
    frames = camera.frames()
    at = [next(frames).at]
    camera.rest_s = 0.3
    at.append(next(frames).at)  # one had come before
    dropped = camera.frames_dropped  # while it started
    at += [next(frames).at for _ in range(3)]
    camera.rest_s = 0.0
    quick = next(frames).at
    camera.close()
    gaps = [later.since(earlier) for earlier, later in itertools.pairwise(at[1:])]
    assert all(0.3 <= gap < 0.5 for gap in gaps), gaps
    assert quick.since(at[-1]) < 0.25
    assert camera.frames_dropped - dropped <= 2  # some twenty pictures were let pass unseen since


def test_closing_from_another_thread_ends_the_frames_at_once(numbered_clip: Callable[..., Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        camera = isolated(kind="rtsp", url=url, open_timeout_s=60.0)
        ended = threading.Event()
        thread = threading.Thread(target=lambda: (list(camera.frames()), ended.set()))
        thread.start()
        silent.settimeout(10)
        connection, _ = silent.accept()
        with connection:
            camera.close()
            assert ended.wait(2)
        thread.join()


def test_closing_reaps_the_child_and_may_be_done_twice(numbered_clip: Callable[..., Path]) -> None:
    camera = file_camera(numbered_clip(50), "real", loop=True)
    frames = camera.frames()
    next(frames)
    pid = camera.pid
    assert pid
    started = time.monotonic()
    camera.close()
    camera.close()
    assert time.monotonic() - started < 2
    assert not psutil.pid_exists(pid)
    assert list(frames) == []


def test_a_camera_that_was_closed_gives_no_frames_and_starts_no_child(
    numbered_clip: Callable[..., Path],
) -> None:
    camera = file_camera(numbered_clip(2))
    camera.close()
    assert list(camera.frames()) == []
    assert camera.pid is None


def lying_in_memory() -> set[str]:
    """Shared memory by name, but for what other tests have there now: semaphores, a database, a film."""
    others = re.compile(r"sem\.|PostgreSQL\.|ngatu-\d+-\w+\.mp4$")
    return {path.name for path in Path("/dev/shm").iterdir() if not others.match(path.name)}


def test_many_killed_children_leave_no_descriptor_no_zombie_and_no_memory(
    numbered_clip: Callable[..., Path],
) -> None:
    clip = numbered_clip(50)
    before, threads = open_descriptors(), threading.enumerate()
    shared = lying_in_memory()
    for _ in range(8):
        camera = file_camera(clip, "real", loop=True)
        frames = camera.frames()
        frame = next(frames)
        assert camera.pid
        os.kill(camera.pid, signal.SIGKILL)
        with pytest.raises(CameraLost):
            list(frames)
        del frame, frames, camera
    assert not opened_since(before)
    assert not begun_since(threads)
    assert lying_in_memory() == shared
    assert not [c for c in psutil.Process().children() if c.status() == psutil.STATUS_ZOMBIE]


def test_a_child_that_takes_its_time_to_die_leaves_no_zombie_either(
    numbered_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience of nothing stands for a hung driver, or a busy machine."""
    monkeypatch.setattr(child_process, "REAP_S", 0.0)
    camera = file_camera(numbered_clip(50), "real", loop=True)
    frames = camera.frames()
    next(frames)
    child = psutil.Process(camera.pid)
    camera.close()

    until(lambda: not child.is_running(), 20, "it is reaped")
    assert list(frames) == []


def test_a_child_dies_with_its_parent_even_when_that_is_killed(numbered_clip: Callable[..., Path]) -> None:
    program = (
        "import sys, time; from agent.cameras import open_camera; from agent.clock import SystemClock\n"
        "from agent.cameras.settings import CameraSettings\n"
        "source = {'kind': 'file', 'path': sys.argv[1], 'loop': True}\n"
        "camera = open_camera(CameraSettings(name='north', source=source), SystemClock())\n"
        "frames = camera.frames(); next(frames); print(camera.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, numbered_clip(50)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    assert gone(child)


def test_a_child_carries_no_secret_but_its_cameras_and_no_descriptor_of_ours(
    numbered_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGATU_BROKER_PASSWORD", "station-geheim")
    monkeypatch.setenv("NORTH_PASSWORD", "camera-geheim")
    with socket.create_server(("127.0.0.1", 0)) as silent, (tmp_path / "outbox").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        port = silent.getsockname()[1]
        url = f"rtsp://127.0.0.1:{port}/live"
        camera = isolated(kind="rtsp", url=url, username="tran", password={"env": "NORTH_PASSWORD"})
        thread = threading.Thread(target=lambda: list(camera.frames()))
        thread.start()
        silent.settimeout(10)
        connection, _ = silent.accept()  # so the child is running and has its password
        assert camera.pid
        child = Path(f"/proc/{camera.pid}")
        exposed = (child / "cmdline").read_bytes() + (child / "environ").read_bytes()
        links = [str(fd.readlink()) for fd in (child / "fd").iterdir()]
        group = os.getpgid(camera.pid)
        camera.close()
        thread.join(5)
        connection.close()
    assert b"geheim" not in exposed
    assert str(tmp_path / "outbox") not in links
    assert group != os.getpgid(0)


def test_a_stream_that_nobody_serves_is_told_in_the_childs_words() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"rtsp://127.0.0.1:{unused.getsockname()[1]}/live"
        with pytest.raises(CameraLost, match="nobody listening"):
            list(isolated(kind="rtsp", url=url).frames())


def test_a_file_that_is_no_video_is_refused_by_the_child(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    with pytest.raises(CameraRefused, match="not a readable video"):
        list(file_camera(tmp_path / "clip.mp4").frames())


def test_a_camera_that_accepts_and_says_nothing_is_lost_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        started = time.monotonic()
        with pytest.raises(CameraLost):
            list(isolated(kind="rtsp", url=url, open_timeout_s=1.0).frames())
    assert time.monotonic() - started < 5


def test_a_child_stays_small(numbered_clip: Callable[..., Path]) -> None:
    camera = file_camera(numbered_clip(50), "real", loop=True)
    frames = camera.frames()
    next(frames)
    modules = Path(f"/proc/{camera.pid}/maps").read_text()
    camera.close()
    for heavy in ("numpy", "pydantic", "cv2", "onnxruntime"):
        assert f"/{heavy}" not in modules


LAYOUT = {"width_px": 8, "height_px": 8, "strides": [8, 4, 4], "full_range": False}
FACTS = {"codec": "h264", "decoder": "FFmpeg h264", "pixel_format": "yuv420p",
         "width_px": 320, "height_px": 240, "fps": 25.0, "encoder": None}  # fmt: skip
WRONG_FACTS: list[dict[str, object]] = [
    {"encoder": "x" * 60_000}, {"encoder": 7}, {"encoder": []}, {"encoder": "\x1b[2J"},
    {"codec": "\x1b]52;c;x\x07"}, {"codec": "h" * 101}, {"codec": None}, {"decoder": {}},
    {"pixel_format": "a\nb"}, {"width_px": -1}, {"width_px": 1 << 40}, {"height_px": 2.5},
    {"height_px": True}, {"fps": "25"}, {"fps": float("nan")}, {"fps": -1},
    {"fallback": 7}, {"fallback": "\x1b[2J"}, {"fallback": "a\nb"},
]  # fmt: skip


@pytest.mark.parametrize("words", [
    b"\xff\xfe", b"[" * 60_000, b"7", b"[]", b"{}", b'{"frame": [0, 0, 1.0, 2.0, 0, 0, 0, 0]}',
    b'{"frame": []}',
    b'{"ring": {}}', json.dumps({"ring": LAYOUT}).encode(), b'{"facts": 3}', b'{"facts": {"a": 1}}',
    b'{"lost": [1, 2]}', b'{"refused": "x"}', b'{"end": false}',
    *(json.dumps({"facts": {**FACTS, **wrong}}).encode() for wrong in WRONG_FACTS),
])  # fmt: skip
def test_a_child_that_was_taken_over_cannot_harm_its_parent(words: bytes) -> None:
    camera = isolated(kind="file", path="clip.mp4")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.send(words)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(CameraLost, match="speaks nonsense"):
            camera.receive(ours)


def test_a_stream_may_not_say_its_size_before_its_first_picture() -> None:
    camera = isolated(kind="file", path="clip.mp4")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for message in ({"facts": {**FACTS, "width_px": 0, "height_px": 0}}, {"lost": ["it ended", ""]}):
            theirs.send(json.dumps(message).encode())
        with pytest.raises(CameraLost, match="it ended"):
            camera.receive(ours)
    assert camera.facts is not None
    assert camera.facts.width_px == 0


@pytest.mark.parametrize("what", [
    "x" * 50_000, "gone\x1b[2J\nand a line", "\ud800", ["{a}" * 300, {"a": "y" * 50_000}],
])  # fmt: skip
def test_what_a_child_says_is_one_short_line_which_can_be_shown_and_sent_on(what: object) -> None:
    camera = isolated(kind="file", path="clip.mp4")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.send(json.dumps({"lost": [what, what]}).encode())
        with pytest.raises(CameraLost) as lost:
            camera.receive(ours)
    for text in (lost.value.what, lost.value.hint):
        assert 0 < len(text) <= isolate.LONGEST_WORDS
        assert printable(text) == text
        assert text.encode()


NOW = time.monotonic()


@pytest.mark.parametrize(("kind", "frame"), [
    *(("usb", [0, 0, mono_s, 1.8e9, 0, 1, 0, 0])
      for mono_s in (float("nan"), float("inf"), 1e300, -1e300, NOW + 1e6, NOW - 60)),
    *(("file", [0, 0, mono_s, wall_s, 0, 1, 0, 0]) for mono_s, wall_s in (
        (float("nan"), 1.8e9), (1e300, 1.8e9), (-1e300, 1.8e9), (NOW, float("nan")), (NOW, 1e300),
        (NOW, -1e9))),
    *(("usb", [0, 0, NOW, 1.8e9, 0, *counts]) for counts in (
        (1 << 60, 0, 0), (1, -1, 0), (1, 0, 10**300), (1, 0), ("1", 0, 0))),
    ("usb", [0, 1 << 70, NOW, 1.8e9, 0, 1, 0, 0]), ("file", [0, 0, NOW, 1.8e9, -1, 1, 0, 0]),
    ("file", [0, 0, NOW, 1.8e9, 1 << 70, 1, 0, 0]),
])  # fmt: skip
def test_a_frame_of_another_time_or_of_no_count_is_nonsense(kind: str, frame: list[object]) -> None:
    """Its time is in the state of the camera and in events, its counts in the health of the box."""
    where = {"path": "clip.mp4"} if kind == "file" else {"device": "/dev/v4l/by-id/north"}
    camera = isolated(kind=kind, **where)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ring = WriterRing(Layout(8, 8, (8, 4, 4), full_range=False))
        socket.send_fds(theirs, [json.dumps({"ring": LAYOUT}).encode()], [ring.fd])
        ring.close()
        theirs.send(json.dumps({"frame": frame}).encode())
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(CameraLost, match="speaks nonsense"):
            camera.receive(ours)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda more: st.lists(more, max_size=8),
        max_leaves=10,
    ),
    st.sampled_from(["frame", "ring", "facts", "ready", "what"]),
)
def test_no_message_of_a_child_does_more_than_lose_the_camera(value: object, word: str) -> None:
    camera = isolated(kind="file", path="clip.mp4")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ring = WriterRing(Layout(8, 8, (8, 4, 4), full_range=False))
        socket.send_fds(theirs, [json.dumps({"ring": LAYOUT}).encode()], [ring.fd])
        ring.close()
        theirs.send(json.dumps({word: value}).encode())
        theirs.send(b'{"lost": ["the end", ""]}')
        with contextlib.suppress(CameraLost):
            frame = camera.receive(ours)
            assert frame is not None
            assert frame.luma.shape == (8, 8)


def test_a_folder_that_holds_another_agent_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbered_clip: Callable[..., Path]
) -> None:
    foreign = tmp_path / "agent" / "cameras" / "decode"
    foreign.mkdir(parents=True)
    for folder in (foreign.parent.parent, foreign.parent, foreign):
        (folder / "__init__.py").write_text("open('foreign-code-ran', 'w')")
    clip = numbered_clip(5)
    monkeypatch.chdir(tmp_path)

    assert len([frame.index for frame in file_camera(clip).frames()]) == 5
    assert not list(tmp_path.rglob("foreign-code-ran"))


def test_a_machine_without_descriptors_is_a_lost_camera(numbered_clip: Callable[..., Path]) -> None:
    clip = numbered_clip(3)
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())), most))
    try:
        with pytest.raises(CameraLost, match="no process for its decoder: Too many open files"):
            list(file_camera(clip).frames())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
    assert len(list(file_camera(clip).frames())) == 3


@pytest.mark.long
def test_a_recorded_camera_that_gets_no_pipe_is_lost_and_keeps_no_descriptor(
    numbered_clip: Callable[..., Path],
) -> None:
    settings, before = file_camera(numbered_clip(3)).settings, open_descriptors()
    for free in range(14):
        with few_descriptors(free), contextlib.suppress(CameraLost):
            list(IsolatedCamera(settings, SystemClock(), Record()).frames())
        assert not opened_since(before), f"with {free} left"
    circle = tuple((0.5 + 0.4 * math.sin(n), 0.5 + 0.4 * math.cos(n)) for n in range(20_000))
    huge = settings.model_copy(update={"privacy_masks": (circle,)})  # more than a message takes
    for record in (None, Record()):
        with pytest.raises(CameraLost, match="no process for its decoder"):
            list(IsolatedCamera(huge, SystemClock(), record).frames())
    assert not opened_since(before)


@pytest.fixture
def sleepy_clip(tmp_path: Path) -> Path:
    """Twelve seconds of a still view with grain, a key picture every three."""
    chance, made = np.random.default_rng(5), tmp_path / "sleepy.mp4"
    view = chance.integers(60, 180, (120, 160)).astype(np.float32)
    with av.open(str(made), "w") as out:
        track = out.add_stream("libx264", rate=25)
        track.width, track.height, track.pix_fmt = 160, 120, "yuv420p"
        track.codec_context.thread_count = 1
        track.options = {"bf": "0", "g": "75", "keyint_min": "75", "sc_threshold": "0"}
        for n in range(12 * 25):
            luma = np.clip(view + chance.normal(0, 1.5, view.shape), 0, 255).reshape(-1)
            flat = np.concatenate([luma, np.full(160 * 60, 128.0)]).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(flat.reshape(180, 160), "yuv420p")
            frame.pts = n
            out.mux(track.encode(frame))
        out.mux(track.encode())
    return made


@pytest.mark.long
def test_a_caller_that_is_content_hears_of_packets_and_may_hurry(sleepy_clip: Path) -> None:
    camera = file_camera(sleepy_clip, "real", wake="auto")
    gaps: list[float] = []
    dozed: list[object] = []

    def turn() -> None:
        if camera.dozed_at is not None:
            dozed.append(camera.dozed_at)
            camera.hurry()

    camera.turn = turn
    last = None
    for frame in camera.frames():
        if last is not None:
            gaps.append(frame.at.since(last))
        last = frame.at
        if dozed:
            break
        camera.rest_s, camera.calm_gap_s = 0.1, 9.0
    assert dozed
    assert camera.calm_gap_s is None
    assert max(gaps[-1:]) < 2.9  # it did not wait for the next key picture


@pytest.mark.parametrize(
    ("last_words", "expected"),
    [
        ({"end": True}, contextlib.nullcontext()),
        (
            {"refused": ["north: wrong password", "set it"]},
            pytest.raises(CameraRefused, match="wrong password"),
        ),
        ({"lost": ["north: no route to it", "is it on?"]}, pytest.raises(CameraLost, match="no route")),
    ],
)
def test_why_a_child_ended_is_heard_though_it_left_our_question_unread(
    tmp_path: Path, last_words: dict[str, object], expected: contextlib.AbstractContextManager[object]
) -> None:
    """Whoever is refused must not be taken for dead: a camera locks out who soon asks again."""
    camera = file_camera(tmp_path / "clip.mp4")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(0.05)

    def hangs_up() -> None:
        if theirs.fileno() >= 0:
            theirs.send(json.dumps(last_words).encode())
            theirs.close()

    camera.turn = hangs_up
    theirs.send(json.dumps({"ready": True}).encode())
    with ours, expected:
        assert camera.receive(ours) is None
