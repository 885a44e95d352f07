"""P23: decoders die again and again, and the agent that starts them anew leaks nothing."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from tests.acceptance.faults.p_network_cameras import gstreamer
from tests.acceptance.faults.stage import Spy, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.boxes import Box
from tests.support.brokers import free_port, until
from tests.support.grainy_road import write_jpegs

CAMERAS = 10
"""Of one box: each of them is asked ever more slowly, so together they are killed ten times as often."""
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM)
DESCRIPTORS, THREADS, MEGABYTES, MEGABYTES_AN_HOUR = 5, 2, 3.0, 1.0
WARM_S, PLANTED_WARM_S = 60.0, 10.0
"""What a view is made of is learned by then, and a camera that came and went is trusted again; whatever else a
leaking box learns may count against it."""
SEES_S = 180.0
"""Until all cameras stream again on a slow machine; no mark."""
LEAKING = """
import os, subprocess, threading, time
import agent.cameras.isolate as isolate
spawn, kept = isolate.spawn_decoder, []
def leaking(fd, module="agent.cameras.decode.worker"):
    kept.append((os.open("/dev/null", os.O_RDONLY), bytearray(b"." * 400_000), subprocess.Popen(["true"])))
    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
    return spawn(fd, module)
isolate.spawn_decoder = leaking
from agent.cli.main import main
main()
"""
"""A box that keeps a descriptor, 400 kB, a thread and a dead process for each decoder that it starts."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    descriptors: int
    threads: int
    zombies: int
    mapped: int
    """Rings of pictures in its memory."""
    megabytes: float

    @classmethod
    def of(cls, box: psutil.Process) -> Held:
        """At this moment."""
        maps = Path(f"/proc/{box.pid}/maps").read_text()
        dead = [child for child in box.children() if child.status() == psutil.STATUS_ZOMBIE]
        megabytes = box.memory_info().rss / 1e6
        return cls(box.num_fds(), box.num_threads(), len(dead), maps.count("memfd:"), megabytes)


@promise(
    "P23",
    f"the decoders of {CAMERAS} network cameras are killed by four signals at random moments",
    f"descriptors ±{DESCRIPTORS}, threads ±{THREADS}, 0 zombies, all cameras stream again; memory grows by "
    f"<= {MEGABYTES:g} MB, over an hour (--long) by <= {MEGABYTES_AN_HOUR:g} MB an hour",
    minutes=3.5,
)
def decoders_killed(trial: Trial) -> str:
    """What a box needs once is not counted: each decoder is killed twice before, and it watches a minute."""
    kills, for_s = trial.size(100, 1000, quick=20), trial.size(0, 3600, quick=0)
    before, after, samples = _killed(trial.folder, trial.chance("P23"), kills, for_s, WARM_S)
    slope = _megabytes_an_hour(samples) if for_s else None
    found = _leaks(before, after) + ([f"{slope:.1f} MB an hour"] if slope and slope > MEGABYTES_AN_HOUR else [])
    figures = (
        f"{kills} kills in {samples[-1][0] - samples[0][0]:.0f} s: descriptors {before.descriptors} and "
        f"{after.descriptors}, threads {before.threads} and {after.threads}, {after.zombies} zombies, "
        f"{before.megabytes:.1f} and {after.megabytes:.1f} MB"
    ) + (f", {slope:.2f} MB an hour" if slope is not None else "")
    if found:
        raise Broken(f"{', '.join(found)}; {figures}")
    return figures


@promise(
    "P23.1", "planted faults: a box that keeps something of each decoder", "the judge finds all four kinds",
    minutes=1.5,
)  # fmt: skip
def leaking_box(trial: Trial) -> str:
    """A descriptor, a thread, a dead process, and 400 kB."""
    kills = trial.size(20, 100, quick=20)
    before, after, _ = _killed(trial.folder, trial.chance("P23.1"), kills, 0, PLANTED_WARM_S, LEAKING)
    found = _leaks(before, after)
    if len(found) < 4:
        raise Broken(f"the judge is blind, it finds only {found}: {before}, {after}")
    return f"after {kills} kills: {', '.join(found)}"


def _leaks(before: Held, after: Held) -> list[str]:
    """What is more than is allowed."""
    bounds = {"descriptors": DESCRIPTORS, "threads": THREADS, "mapped": THREADS, "megabytes": MEGABYTES}
    grown = {name: getattr(after, name) - getattr(before, name) for name in bounds}
    found = [f"{grown[name]:+.4g} {name}" for name, bound in bounds.items() if grown[name] > bound]
    return found + ([f"{after.zombies} zombies"] if after.zombies else [])


def _killed(
    folder: Path, chance: random.Random, kills: int, for_s: float, warm_s: float, program: str | None = None
) -> tuple[Held, Held, list[tuple[float, float]]]:
    """What the box holds before and after, and moments with its megabytes in between."""
    with ExitStack() as stack:
        stack.enter_context(gstreamer("127.0.0.1", write_jpegs(folder / "pictures"), port := free_port()))
        _, server, _ = stack.enter_context(playing(folder))
        source = f"{{kind: rtsp, url: 'rtsp://127.0.0.1:{port}/live'}}"
        names = [f"camera-{number}" for number in range(CAMERAS)]
        rest = "max_fps: 2, attention: {enabled: false}, rules: [{kind: motion, id: movement}]"
        box = Box(
            folder, server.port, "".join(f"  - {{name: {name}, source: {source}, {rest}}}\n" for name in names)
        )
        spy = Spy(server.port)
        stack.callback(spy.close)
        box.start(program=program)
        stack.callback(box.kill)
        assert box.process is not None
        process = psutil.Process(box.process.pid)

        def all_stream() -> bool:
            states = [spy.state(f"camera/{name}/status").get("state") for name in names]
            return set(states) == {"streaming"} and len(process.children()) >= CAMERAS

        until(all_stream, SEES_S, "all cameras stream")
        for _ in range(2):
            for decoder in _decoders(process):
                decoder.kill()
            until(lambda: not all_stream(), 30, "the loss is seen")
            until(all_stream, SEES_S, "all cameras stream again")
        time.sleep(warm_s)
        before, samples = Held.of(process), [(time.monotonic(), process.memory_info().rss / 1e6)]
        pause_s = for_s / kills
        for _ in range(kills):
            until(lambda: _decoders(process), SEES_S, "a decoder to kill")
            chance.choice(_decoders(process)).send_signal(chance.choice(SIGNALS))
            time.sleep(pause_s or chance.uniform(0.0, 1.0))
            samples.append((time.monotonic(), process.memory_info().rss / 1e6))
        until(lambda: len(_decoders(process)) == CAMERAS, SEES_S, "all decoders run again")
        until(all_stream, SEES_S, "all cameras stream in the end")
        time.sleep(2)
        return before, Held.of(process), samples


def _decoders(box: psutil.Process) -> list[psutil.Process]:
    """The box's living children that decode."""
    found = []
    for child in box.children():
        try:
            if "agent.cameras.decode.worker" in child.cmdline():
                found.append(child)
        except psutil.Error:  # it has died meanwhile
            continue
    return found


def _megabytes_an_hour(samples: Sequence[tuple[float, float]]) -> float:
    """The slope of a line through all of them."""
    at_s, megabytes = np.array(samples).T
    return float(np.polyfit(at_s - at_s[0], megabytes, 1)[0]) * 3600
