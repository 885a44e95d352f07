"""P68: footage on request, over a link that carries little, whatever is cut or restarted meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from agent.evidence.encryption import new_identity
from tests.acceptance.faults.chaos import Chaos, chaos
from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Receiver, Spy, Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.real_footage import FPS, Recorded, frames_in, record_into

LINK_BYTES_S = 32_000
"""256 kbit/s."""
LATENCY_S = 0.05
MOST_S = 2.0
PATIENCE_S = 240.0
"""Footage rests while a box cannot keep up with its events, as on a machine that others keep busy."""
CUT_S = 3.0
CALM_S = 3.0
"""After a cut or a restart what waited meanwhile goes first; so long nothing is measured."""
PATIENT = "backoff_min_s: 0.2, backoff_max_s: 1"
"""Receipts are waited for as long as on a pole: on a slow link they come late."""
CAMERA = "[{kind: motion, id: movement}]\n    record: {mode: continuous}"


@dataclass
class Scene:
    """A box behind a thin link, a station that asks it, and the moments at which somebody interfered."""

    trial: Trial
    victim: Victim
    station: Receiver
    link: Chaos
    spy: Spy
    recorded: Recorded
    disturbed: list[tuple[float, float]] = field(default_factory=list)

    def ask(self) -> Path:
        """Order all that was recorded; the folder of the request."""
        words = [
            *(sys.executable, "-m", "agent", "station", "clip", "victim-01", "road", "--no-wait"),
            *("--from", _iso(self.recorded.from_s), "--to", _iso(self.recorded.to_s)),
            *("--case", "12/2026", "--purpose", "a trial", "--officer", "the judge"),
            *("-c", str(self.station.config), "--answer", "60"),
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise Broken(f"the clip cannot be asked for: {done.stdout} {done.stderr}")
        (folder,) = (self.station.folder / "footage" / "victim-01").iterdir()
        return folder

    def until_arrived(self, folder: Path, share: float) -> None:
        """Wait until so much of it is at the station."""

        def missing() -> int:
            state = _state(folder)
            if state.get("stage") in ("failed", "refused", "released"):
                raise Broken(f"the clip: {state}")
            size = state.get("size_bytes") or self.recorded.bytes
            return max(0, int(share * size) - int(state.get("arrived_bytes", 0)))

        until_none_is_missing(missing, f"{share:.0%} of the clip", PATIENCE_S)

    @contextmanager
    def disturbing(self) -> Iterator[None]:
        """What is done in here holds events up until the box is back at the broker."""
        began, before = time.time(), self._connects()
        yield
        until(lambda: self._connects() > before, 60, "the box is back at the broker")
        self.disturbed.append((began - MOST_S, time.time() + CALM_S))

    def cut(self) -> None:
        """The link goes, with all that is on its way, and comes again."""
        with self.disturbing():
            self.link.behave(refused=True)
            self.link.reset()
            time.sleep(CUT_S)
            self.link.behave(refused=False)

    def waits(self) -> list[float]:
        """Seconds from each event to the broker, but for those that were put while somebody interfered."""
        fed = {row.name.split("/")[0] for row in list(self.victim.accepted)}
        found = [at for event, at in list(self.spy.events.items()) if event in fed]
        return sorted(
            came - put for put, came in found if not any(first <= put <= last for first, last in self.disturbed)
        )

    def _connects(self) -> int:
        return (self.victim.folder / "victim.log").read_text(errors="replace").count('"broker_connected"')


@contextmanager
def staged(trial: Trial, seconds: int, kbps: int) -> Iterator[Scene]:
    """Everything at work but the box, in whose ring lies a clip."""
    identity, recipient = new_identity()
    with playing(trial.folder) as (_, server, station), chaos(server.port) as link:
        handle = os.open(station.folder / "footage.key", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(identity + "\n")
        more = f"evidence: {{recipient: {recipient}, folder: {trial.folder}/ring}}"
        victim = Victim(trial.folder / "box", link.port, more=more, camera=CAMERA, waits=PATIENT)
        recorded = record_into(trial.folder / "ring", recipient, seconds, kbps)
        spy = Spy(server.port)
        link.behave(rate_bytes_s=LINK_BYTES_S, latency_s=LATENCY_S)
        try:
            yield Scene(trial, victim, station, link, spy, recorded)
        finally:
            victim.kill()
            spy.close()


@promise(
    "P68",
    "a clip of a minute is asked for over a link of 256 kbit/s while events come; the link is cut three times, "
    "box and station are killed and started again",
    f"p95 from an event to the broker <= {MOST_S:g} s; the clip is there whole, authentic, and plays",
    minutes=3,
)
def clip_on_request(trial: Trial) -> str:
    """The footage lies in the ring as it was recorded; it is asked for by the station's own command."""
    seconds, kbps = trial.size(60, 60, quick=10), trial.size(500, 2000, quick=300)
    with staged(trial, seconds, kbps) as scene:
        scene.victim.start(1_000_000, rate=2, picture_every=0)
        until(lambda: scene.spy.state("victim-01/info"), 60, "the box has told what it is")
        began = time.monotonic()
        folder = scene.ask()
        for share, interfere in _interferences(scene):
            scene.until_arrived(folder, share)
            interfere()
        until_none_is_missing(lambda: int(_state(folder).get("verdict") is None), "the package", PATIENCE_S)
        took_s, waits = time.monotonic() - began, scene.waits()
        state = _state(folder)
    return _judged(folder, state, waits, seconds, took_s)


def _interferences(scene: Scene) -> list[tuple[float, Callable[[], None]]]:
    def restart_box() -> None:
        with scene.disturbing():
            scene.victim.kill()
            scene.victim.start(1_000_000, rate=2, picture_every=0)

    def restart_station() -> None:
        scene.station.end(signal.SIGKILL)
        time.sleep(1)
        scene.station.start()

    return [
        (0.3, scene.cut),
        (0.45, restart_box),
        (0.6, scene.cut),
        (0.75, restart_station),
        (0.85, scene.cut),
    ]


def _judged(folder: Path, state: dict[str, Any], waits: list[float], seconds: int, took_s: float) -> str:
    frames = sum(frames_in(path) for path in sorted((folder / "package").glob("*.mp4")))
    p95 = waits[int(0.95 * len(waits))] if waits else float("inf")
    summary = (
        f"{state['size_bytes'] / 1e6:.1f} MB in {took_s:.0f} s: {state['verdict']}, {frames} of "
        f"{seconds * FPS} pictures; {len(waits)} events beside it: p50 {median(waits or [0]):.2f} s, "
        f"p95 {p95:.2f} s"
    )
    whole = state["verdict"] == "authentic" and frames == seconds * FPS
    if not whole or len(waits) < 10 or p95 > MOST_S:
        raise Broken(summary)
    return summary


@promise(
    "P68.1",
    "planted fault: footage goes out among the events",
    "events wait, and the judge sees it",
    minutes=1.3,
)
def footage_first(trial: Trial) -> str:
    """A suite that cannot turn red proves nothing."""
    with staged(trial, trial.size(40, 60, quick=20), 500) as scene:
        scene.victim.start(1_000_000, rate=2, picture_every=0, plant="footage-first")
        until(lambda: scene.spy.state("victim-01/info"), 60, "the box has told what it is")
        folder = scene.ask()
        scene.until_arrived(folder, 0.1)
        begins = time.time()
        scene.disturbed.append((0.0, begins))
        until_none_is_missing(lambda: max(0, 20 - len(scene.waits())), "events")
        waits = scene.waits()
    p95 = waits[int(0.95 * len(waits))]
    if p95 <= MOST_S:
        raise Broken(f"p95 {p95:.1f} s: the judge is blind")
    return f"events: p95 {p95:.1f} s where footage goes among them"


def _state(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _iso(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds")
