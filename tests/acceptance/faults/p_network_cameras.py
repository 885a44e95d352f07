"""P22: a network camera that freezes in one of the ways there are is noticed, and is back when it returns."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.acceptance.faults.netns import in_a_network_of_its_own, unreachable
from tests.acceptance.faults.stage import Spy, playing
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.conftest import ROOT
from tests.support.boxes import Box
from tests.support.brokers import until
from tests.support.grainy_road import encoded, write_jpegs
from tests.support.rtsp_camera import RtspCamera

NOTICED_S, BACK_S = 15.0, 30.0
SEES_S = 60.0
"""Until all cameras stream on a slow machine; no mark."""
GIVE_UP_S = 3.0
"""The judge looks so many times as long as a mark allows, to say how late something was."""
PORT = 8554
FPS = 10
AS_IT_IS = "from agent.cli.main import main; main()"
PATIENT = "import agent.host.supervise as s; s.Backoff.failed = lambda _self: 45.0; " + AS_IT_IS
"""A box that asks a lost camera every 45 s only."""


@dataclass
class Case:
    """A camera, how it freezes, and how it returns."""

    name: str
    url: str
    freeze: Callable[[], object]
    thaw: Callable[[], object]
    transport: str = "tcp"
    more: str = ""
    frozen_s: float = 0.0
    noticed_s: float | None = None
    """After it froze."""
    back_s: float | None = None
    """After it returned."""
    states: list[str] = field(default_factory=list)

    def yaml(self) -> str:
        """Its entry in the configuration."""
        source = f"{{kind: rtsp, url: '{self.url}', transport: {self.transport}}}"
        return (
            f"  - {{name: {self.name}, max_fps: 5, source: {source}, {self.more}"
            "rules: [{kind: motion, id: movement}], attention: {enabled: false}}\n"
        )


@contextmanager
def gstreamer(
    address: str, pictures: Path, port: int = PORT
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Debian's RTSP server as a camera: `current()` is its process; `current(anew=True)` starts another."""
    command = ["/usr/bin/python3", str(ROOT / "tests" / "support" / "rtsp_server.py")]
    if not Path(command[0]).exists() or subprocess.call([*command, "--check"]):
        raise NotTried("GStreamer's RTSP server is not here")
    words = [
        *command,
        f"--port={port}",
        f"--address={address}",
        f"--pictures={pictures}",
        f"--fps={FPS}",
        "--key-every-s=2",
        "--stream=/mjpeg=320x240=mjpeg",
    ]
    running = [subprocess.Popen(words, stdout=subprocess.DEVNULL)]

    def current(anew: bool = False) -> subprocess.Popen[bytes]:
        if anew:
            running.append(subprocess.Popen(words, stdout=subprocess.DEVNULL))
        return running[-1]

    try:
        yield current
    finally:
        for each in running:
            each.kill()
            each.wait(5)


@contextmanager
def cases(folder: Path) -> Iterator[list[Case]]:
    """Every way, each with a camera of its own on an address of its own."""
    pictures = write_jpegs(folder / "pictures")
    with ExitStack() as stack:
        found: list[Case] = []

        def address() -> str:
            return f"127.0.1.{len(found) + 1}"

        for transport in ("tcp", "udp"):
            server = stack.enter_context(gstreamer(address(), pictures))
            send = [partial(server().send_signal, number) for number in (signal.SIGSTOP, signal.SIGCONT)]
            found.append(Case(f"stopped-{transport}", f"rtsp://{address()}:{PORT}/live", *send, transport))
            stack.enter_context(gstreamer(address(), pictures))
            cut, hole = ExitStack(), unreachable(address(), datagrams=transport == "udp")
            ways = partial(cut.enter_context, hole), cut.close
            found.append(Case(f"black-hole-{transport}", f"rtsp://{address()}:{PORT}/live", *ways, transport))
        own = write_jpegs(folder / "own")
        stack.enter_context(gstreamer(address(), own))
        same = Case(
            "same-picture", f"rtsp://{address()}:{PORT}/mjpeg", partial(_freeze, own), partial(write_jpegs, own)
        )
        found.append(same)
        dies = stack.enter_context(gstreamer(address(), pictures))
        found.append(
            Case("dead", f"rtsp://{address()}:{PORT}/live", lambda: dies().kill(), lambda: dies(anew=True))
        )
        for name in ("same-packets", "silent", "closed"):
            camera = RtspCamera(address=address(), port=PORT, fps=FPS, stream=b"".join(encoded("libx264")))
            stack.enter_context(camera)
            found.append(Case(name, camera.url, *_ways(name, camera)))
        yield found


def _freeze(pictures: Path) -> None:
    """Every picture becomes the first, as of a sensor that hangs."""
    first = (pictures / "0000.jpg").read_bytes()
    for path in pictures.glob("*.jpg"):
        path.with_suffix(".new").write_bytes(first)
        path.with_suffix(".new").replace(path)


def _ways(name: str, camera: RtspCamera) -> tuple[Callable[[], object], Callable[[], object]]:
    """How a camera of the trial's own freezes, and how it returns."""
    moving, still = camera.stream, b"".join(encoded("libx264", count=1))
    match name:
        case "same-packets":
            return lambda: setattr(camera, "stream", still), lambda: setattr(camera, "stream", moving)
        case "silent":
            return camera.shows.clear, camera.shows.set
        case _:
            return lambda: setattr(camera, "closed", True), lambda: setattr(camera, "closed", False)


@promise(
    "P22",
    "network cameras freeze: stopped (TCP, UDP), a black hole (TCP, UDP), one picture for ever (MJPEG, H.264), "
    "silent, hung up in order, dead",
    f"each noticed <= {NOTICED_S:g} s, watched <= {BACK_S:g} s after it returns; one loss and one return told",
    minutes=1.6,
)
def frozen_cameras(trial: Trial) -> str:
    """All at the same time, one camera each; they stay away until the box asks as rarely as it ever does."""
    return in_a_network_of_its_own(lambda: _frozen(trial))


def _frozen(trial: Trial) -> str:
    with cases(trial.folder) as found:
        heard = _played(trial.folder, found, trial.size(60, 600, quick=20))
        late = _late(found)
        if late or heard != {each.name: (1, 1) for each in found}:
            raise Broken(f"late: {late}; told: {heard}; {_figures(found)}")
        return _figures(found)


@promise(
    "P22.1",
    "planted faults: a box that waits 60 s for a picture and looks at none; one that asks again after 45 s",
    "the judge finds both late",
    minutes=2.2,
)
def late_boxes(trial: Trial) -> str:
    """The first must be late to notice, the second late to return."""
    return in_a_network_of_its_own(lambda: _planted(trial))


def _planted(trial: Trial) -> str:
    words = []
    blind = "stall_s: 60, open_timeout_s: 60, tamper: {enabled: false}, "
    for name, more, program in (("unnoticed", blind, AS_IT_IS), ("not-back", "", PATIENT)):
        folder = trial.folder / name
        folder.mkdir()
        with cases(folder) as every:
            chosen = [
                each for each in every if each.name in ("stopped-tcp", "same-picture")[: 1 + (more != "")]
            ]
            for each in chosen:
                each.more = more
            _played(folder, chosen, 5, program)
            if {each.name for each in chosen} != set(_late(chosen)):
                raise Broken(f"{name}: the judge is blind; {_figures(chosen)}")
            words.append(_figures(chosen))
    return f"late: {'; '.join(words)}"


def _late(found: list[Case]) -> list[str]:
    return [
        each.name
        for each in found
        if each.noticed_s is None or each.noticed_s > NOTICED_S or each.back_s is None or each.back_s > BACK_S
    ]


def _figures(found: list[Case]) -> str:
    """When each was noticed and back, in seconds."""
    words = [
        f"{each.name} {'never' if each.noticed_s is None else f'{each.noticed_s:.1f}'} and "
        f"{'never' if each.back_s is None else f'{each.back_s:.1f}'}"
        for each in found
    ]
    return f"noticed and back after s: {', '.join(words)}"


def _played(
    folder: Path, found: list[Case], away_s: float, program: str = AS_IT_IS
) -> dict[str, tuple[int, int]]:
    """Freeze all of them, and let them return; how many losses and returns of each the station was told."""
    with playing(folder) as (_, server, station), ExitStack() as stack:
        box = Box(folder, server.port, "".join(each.yaml() for each in found))
        spy = Spy(server.port)
        stack.callback(spy.close)
        box.start(program=program)
        stack.callback(box.kill)

        def state(each: Case) -> str:
            return str(spy.state(f"camera/{each.name}/status").get("state"))

        def watched(each: Case) -> bool:
            return state(each) == "streaming"

        until(lambda: all(map(watched, found)), SEES_S, "all cameras stream")
        time.sleep(5)  # a view is known before it can be missed
        began = _now(lambda each: each.freeze(), found)
        _until_each(
            found, lambda each: state(each) in ("lost", "blind"), began, GIVE_UP_S * NOTICED_S, "noticed_s"
        )
        time.sleep(max(0.0, away_s - (time.monotonic() - min(began.values()))))
        began = _now(lambda each: each.thaw(), found)
        _until_each(found, watched, began, GIVE_UP_S * BACK_S, "back_s")
        time.sleep(2)  # what is told twice would be told now
        events = station.events()
    return {each.name: (_count(events, each, "start"), _count(events, each, "end")) for each in found}


def _count(events: list[dict[str, Any]], camera: Case, phase: str) -> int:
    kinds = ("camera_lost", "camera_blind")
    return sum((e["camera"], e["phase"]) == (camera.name, phase) and e["kind"] in kinds for e in events)


def _now(act: Callable[[Case], object], found: list[Case]) -> dict[str, float]:
    """Do it with each; when it was done."""
    done = {}
    for each in found:
        act(each)
        done[each.name] = time.monotonic()
    return done


def _until_each(
    found: list[Case], reached: Callable[[Case], bool], began: dict[str, float], limit_s: float, figure: str
) -> None:
    """Note for each how long it took, as far as it comes to that."""
    left = list(found)
    while left and time.monotonic() < max(began.values()) + limit_s:
        for each in [each for each in left if reached(each)]:
            setattr(each, figure, time.monotonic() - began[each.name])
            left.remove(each)
        time.sleep(0.05)
