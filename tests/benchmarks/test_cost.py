"""benchmarks.cost"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from benchmarks import cost
from benchmarks.cost import cpu, daemon, memory
from benchmarks.cost.found import compared
from benchmarks.cost.sums import split, sums
from benchmarks.cost.watch import Look, Tracks, Watched, delays, watch
from tests.support.squares import write_clip, write_model

PARENT = """\
import subprocess, sys
child = "x = bytes(50_000_000); print(1, flush=True); input()"
subprocess.run([sys.executable, "-c", child])
"""


def looks(calls: dict[int, int], frames: int = 100, fps: float = 10.0) -> list[Look]:
    """A hundred frames at a hundredth of a second of CPU each, with the detector called at some."""
    return [
        Look(n, 50 + n / fps, 0.006 * n, 0.004 * n, int(n in calls), calls.get(n, 0)) for n in range(frames)
    ]


def watched(calls: dict[int, int]) -> Watched:
    floor = {n: (0.008, 0.02 * calls.get(n, 0)) for n in range(100)}
    return Watched(looks(calls), floor, dict.fromkeys(range(100), 0.05), "ByteTrack", {}, {})


def test_the_clock_of_another_process_tells_what_it_spent() -> None:
    words = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\ninput()"
    with subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while cpu.seconds(process.pid) < 0.3 and time.monotonic() < deadline:
            time.sleep(0.05)
        spent = cpu.seconds(process.pid)
        process.communicate(b"\n")
    assert 0.3 <= spent < 3.0
    assert cpu.seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.05)


def test_memory_is_counted_over_the_whole_family() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        members = cpu.family(process.pid)
        held = cpu.held_mb(members)
        process.communicate(b"\n")
    assert len(members) == 2
    assert 10 < held < 120


def test_idle_is_what_was_judged_by_eye_whatever_the_detector_did() -> None:
    seen = watched({60: 2, 75: 1})
    idle, busy = split(seen, ((50, 69),))

    quiet, rest = sums(idle, seen), sums(busy, seen)
    assert quiet.seconds == pytest.approx(1.9)
    assert quiet.calls == 2
    assert quiet.agent == pytest.approx(0.19)
    assert quiet.decode == pytest.approx(19 * 0.008)
    assert rest.detect == pytest.approx(0.02)
    assert quiet.per_minute(quiet.agent) == pytest.approx(6.0)
    assert quiet.seconds + rest.seconds == pytest.approx(6.9)  # the first three seconds count for nobody


def test_elsewhere_idle_begins_two_seconds_after_the_last_call() -> None:
    seen = watched({50: 1})
    idle, _ = split(seen, ())

    at = [after.index for _, after in idle]
    assert not any(50 <= index < 70 for index in at)
    assert {45, 75} <= set(at)


def test_a_track_that_the_other_never_saw_counts_as_found_by_one_alone() -> None:
    ours: Tracks = {n: [("a", "car", 0.1, 0.1, 0.2, 0.2), ("b", "car", 0.6, 0.6, 0.7, 0.7)] for n in range(20)}
    ours[5].append(("flicker", "car", 0.8, 0.1, 0.9, 0.2))
    theirs: Tracks = {n: [("1", "truck", 0.1, 0.11, 0.2, 0.21)] for n in range(20)}

    assert compared(ours, theirs, 10.0).objects == 2
    assert compared(ours, theirs, 10.0).alone == 1
    assert compared(theirs, ours, 10.0).alone == 0


def test_a_bar_that_is_missed_is_said_to_be() -> None:
    assert cost.Bar(1.3).judged(1.4) == {"bar": "<= 1.3", "kept": False}
    assert cost.Bar(4.0, least=True).judged(5.0) == {"bar": ">= 4", "kept": True}
    assert cost.Bar(1.0).judged(None)["kept"] is None


@pytest.mark.long
def test_everybody_watches_one_clip_and_all_that_they_spend_is_told(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "road.mp4", seconds=9, still_s=3.5)

    seen = watch(clip, write_model(tmp_path), 9.0)

    assert len(seen.looks) > 20
    assert sum(look.calls for look in seen.looks) > 5
    assert all(
        earlier.spent_s <= later.spent_s for earlier, later in zip(seen.looks, seen.looks[1:], strict=False)
    )
    last = seen.looks[-1].index
    called = {look.index for look in seen.looks if look.calls}
    assert all(seen.floor[index][1] > 0.0005 for index in called if index in seen.floor)
    assert len(called & seen.floor.keys()) > 0.8 * len(called)
    assert set(range(last)) <= seen.naive.keys()
    assert compared(seen.tracks, seen.naive_tracks, 10.0).objects == 1


@pytest.mark.long
def test_each_start_is_stamped_when_it_arrives(tmp_path: Path) -> None:
    stamped = delays(write_clip(tmp_path / "road.mp4", seconds=7, still_s=3.0), write_model(tmp_path), 7.0)

    assert {"object", "motion"} <= {kind for kind, _ in stamped}
    assert all(0 < delay < 5 for _, delay in stamped)


@pytest.mark.long
def test_where_debians_motion_is_missing_our_own_figure_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "road.mp4", seconds=9)
    monkeypatch.setenv("PATH", str(tmp_path))

    costs = daemon.beside(clip, 512, 256, 10.0, 8.0)

    assert 0 < costs.box < 60
    assert 0 < costs.stage < 60
    assert costs.daemon is None


@pytest.mark.long
def test_a_box_that_cannot_start_is_an_error_and_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SETTLE_S", 3.0)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with av.open(tmp_path / "none.mp4", "w"):
        pass
    with pytest.raises(cost.NgatuError, match="the box ended early"):
        memory.peak_mb(tmp_path / "none.mp4", broken, 1, 60.0)  # a busy machine takes long to start it
