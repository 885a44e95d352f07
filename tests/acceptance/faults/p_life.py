"""P15, P16, P24, P27: the process goes on living, whatever happens to its parts."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Receiver, Spy, Victim, playing, settled
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.conftest import ROOT
from tests.support.boxes import Box
from tests.support.brokers import free_port, until

CALLBACKS = ("on_connect", "on_publish", "on_subscribe", "on_message", "on_disconnect")
PLACES = ("capture", "detector", "outbox", "mqtt")
UNIT = ROOT / "deploy" / "systemd" / "ngatu.service"
WATCHDOG_S, RESTART_S = (
    float(next(re.finditer(rf"^{name}=(\d+)", UNIT.read_text(), re.MULTILINE))[1])
    for name in ("WatchdogSec", "RestartSec")
)
"""systemd kills when it has heard nothing for so long, and waits so long before it starts anew."""
PROMISED_S, START_S = 45.0, 10.0
"""Of a hang until the box works again; of this the machine may take so much to start it."""
SLOWER = 1.5
"""Times that the second start may take as long as the first, on a machine that is slower than that."""


@promise("P15", "every callback of the MQTT library raises now and then", "the box goes on within 10 s, 0 lost")
def raising_callbacks(trial: Trial) -> str:
    """One callback after the other, each raising at every third call for a life's time."""
    with playing(trial.folder) as (victim, _, station):
        for callback in CALLBACKS:
            victim.start(trial.size(200, 2000), rate=100, raise_in=callback)
            time.sleep(3)
            if not victim.alive:
                raise Broken(f"{callback}: the box died: {victim.last_words()}")
            before = len(station.seqs())
            until(
                lambda before=before: len(station.seqs()) > before,
                10,
                f"something arrives although {callback} raises",
            )
            victim.end()
        victim.start(20)
        findings = settled(victim, station)
    if not findings.clean:
        raise Broken(str(findings))
    return f"{len(CALLBACKS)} callbacks raised: {findings}"


@promise(
    "P16", "power-on without broker, name service or network time", "first detection <= 30 s after the start"
)
def alone(trial: Trial) -> str:
    """The broker's name cannot even be resolved."""
    box = Box(trial.folder, 1883)
    box.config.write_text(box.config.read_text().replace("host: 127.0.0.1", "host: no-such-host.invalid"))
    began = time.monotonic()
    box.start()
    try:
        until(
            lambda: box.outbox_number("select count(*) from message where event_id is not null"),
            30,
            "a first event",
        )
        took = time.monotonic() - began
        until(
            lambda: box.outbox_number("select count(*) from message where content_type = 'image/jpeg'"),
            30,
            "a picture",
        )
    finally:
        box.kill()
    return f"first event kept {took:.1f} s after the start"


@promise(
    "P24",
    "a loop hangs: camera, detector, outbox, MQTT in turn",
    f"it is restarted and works <= {PROMISED_S:g} s later, on a machine that starts it in {START_S:g} s",
    minutes=1.5,
)
def stuck_loops(trial: Trial) -> str:
    """A watchdog such as systemd's listens on NOTIFY_SOCKET, kills what is silent, and starts it again.

    Each hangs on a stage of its own, all at the same time.
    """
    places = PLACES[: trial.size(4, 4, quick=1)]
    with ThreadPoolExecutor(len(places)) as together:
        measured = list(together.map(lambda place: _hung(trial.folder / place, place), places))
    return f"from hang to work: {', '.join(measured)}; 0 lost"


def _hung(folder: Path, place: str) -> str:
    folder.mkdir()
    with playing(folder) as (victim, _, station):
        with systemd(folder) as heard:
            victim.environment = {"NOTIFY_SOCKET": str(heard.path)}
            first_s = _start_s(victim, 10_000, rate=20, hang_at=place)
            until(lambda: victim.hung_s, 60, f"{place} hangs")
            began = victim.hung_s
            while time.monotonic() - heard.last_s() < WATCHDOG_S:
                if time.monotonic() - began > 75:
                    raise Broken(f"{place} hung, and the watchdog was fed for 75 s all the same")
                time.sleep(0.1)
            victim.end(signal.SIGKILL)
            time.sleep(RESTART_S)
            again_s = _start_s(victim, 40)
            seconds = time.monotonic() - began
            allowed_s = PROMISED_S + max(0.0, SLOWER * first_s - START_S)
            figures = f"{place} {seconds:.0f} s (starts {first_s:.1f} and {again_s:.1f} s)"
            if seconds > allowed_s:
                raise Broken(f"{figures}, {allowed_s:.0f} s are allowed")
            victim.end()
        victim.environment = {}
        victim.start(1)
        findings = settled(victim, station)
    if not findings.clean:
        raise Broken(f"{place}: {findings}")
    return figures


def _start_s(victim: Victim, count: int, **more: object) -> float:
    """Begin a life; seconds until its first event is kept."""
    began, mark = time.monotonic(), len(victim.accepted)
    victim.start(count, **more)
    until_none_is_missing(lambda: int(len(victim.accepted) <= mark), "a first event of this life")
    return time.monotonic() - began


class _Heard:
    """What a service tells systemd."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last_s = time.monotonic()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def last_s(self) -> float:
        """When it last fed the watchdog."""
        try:
            while words := self._socket.recv(4096):
                if b"WATCHDOG=1" in words or b"READY=1" in words:
                    self._last_s = time.monotonic()
        except BlockingIOError:
            pass
        return self._last_s

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()
        self.path.unlink()


@contextmanager
def systemd(folder: Path) -> Iterator[_Heard]:
    """Listens where a service reports."""
    heard = _Heard(folder / "notify")
    try:
        yield heard
    finally:
        heard.close()


@promise(
    "P27", "the camera is away for a long time",
    "one event when it goes, one when it is back; <= 10 log lines an hour",
    minutes=1.7,
)  # fmt: skip
def camera_away(trial: Trial) -> str:
    """A real RTSP camera is killed and comes back on its port; lines are scaled to the time away."""
    command = ["/usr/bin/python3", str(ROOT / "tests" / "support" / "rtsp_server.py")]
    if not Path(command[0]).exists() or subprocess.call([*command, "--check"]):
        raise NotTried("GStreamer's RTSP server is not here")
    away_s, port = trial.size(90, 3600, quick=10), free_port()
    source = f"{{kind: rtsp, url: 'rtsp://127.0.0.1:{port}/live'}}"
    cameras = (
        f"  - name: road\n    stall_s: 3\n    source: {source}\n    rules: [{{kind: motion, id: movement}}]\n"
    )
    with playing(trial.folder) as (_, server, station), tempfile.TemporaryDirectory() as folder:
        box = Box(Path(folder), server.port, cameras)
        rtsp = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
        spy = Spy(server.port)
        box.start()
        try:
            until(lambda: spy.state("camera/road/status").get("state") == "streaming", 30, "the camera streams")
            rtsp.kill()
            rtsp.wait(5)
            until(lambda: _told(station, "camera_lost", "start"), 30, "its loss is told")
            mark = len(box.log.read_text().splitlines())
            time.sleep(away_s)
            lines = [line for line in box.log.read_text().splitlines()[mark:] if "road" in line]
            rtsp = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
            until(lambda: _told(station, "camera_lost", "end"), 60, "its return is told")
            starts, ends = (
                len(_told(station, "camera_lost", "start")),
                len(_told(station, "camera_lost", "end")),
            )
        finally:
            rtsp.kill()
            box.kill()
            spy.close()
    if (starts, ends) != (1, 1) or len(lines) > max(1, away_s / 360):
        raise Broken(f"{starts} losses and {ends} returns told; {len(lines)} lines in {away_s} s")
    return f"away {away_s} s: one loss, one return, {len(lines)} log lines"


def _told(station: Receiver, kind: str, phase: str) -> list[dict[str, Any]]:
    return [event for event in station.events() if (event["kind"], event["phase"]) == (kind, phase)]
