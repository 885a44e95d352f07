"""P77: two hundred boxes tell, thirty consoles follow; the intake does not feel them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from statistics import median

import httpx
import psutil

from tests.acceptance.duty_room.followers import FollowerNotes, Followers
from tests.acceptance.duty_room.screen_stage import Screen, screened
from tests.acceptance.duty_room.swarm import Swarm
from tests.acceptance.faults.p_quota import BROKER
from tests.acceptance.faults.progress import least_left
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise

BOXES, RATE, CONSOLES = 200, 50, 30
RECEIPT_P95_S = 5.0
WALL_S = 1.0
DEARER = 0.10
"""At most this much more processor time of the service for each message, while consoles follow."""
WARM_S = 3.0
"""Before each measurement."""


@promise(
    "P77",
    f"{BOXES} boxes tell {RATE} events a second, each with its picture, while {CONSOLES} consoles follow, and "
    "while none does, in turn",
    f"0 lost, receipts p95 <= {RECEIPT_P95_S:g} s; the wall's first answer within {WALL_S:g} s (p95); "
    f"the consoles cost the service less than {DEARER:.0%}; each has every event",
    minutes=3,
)  # fmt: skip
def watched_load(trial: Trial) -> str:
    """What a console costs the service is its processor time for each message, with and without, in one run."""
    measured = played(trial, trial.size(4, 10, quick=2), trial.size(15, 60, quick=4))
    if measured.amiss:
        raise Broken(f"{measured}: {'; '.join(measured.amiss)}")
    return str(measured)


@promise(
    "P77.1", "planted fault: the screen is a thread of the service, not a process of its own",
    "the judge sees that consoles cost the service more",
)  # fmt: skip
def screen_inside(trial: Trial) -> str:
    """As it would be without the process."""
    measured = played(trial, 2, trial.size(10, 20, quick=5), "inside")
    if measured.dearer < DEARER:
        raise Broken(f"the judge is blind: {measured}")
    return f"the consoles cost {measured.dearer:+.0%}"


@dataclass
class Measured:
    """What came of it."""

    messages: int = 0
    events: int = 0
    lost: int = 0
    again: int = 0
    waits_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    """Of the wall: to its first byte."""
    whole_s: list[float] = field(default_factory=list)
    lags_ms: list[int] = field(default_factory=list)
    """From an event to a console."""
    used: dict[bool, tuple[float, int]] = field(default_factory=lambda: {False: (0.0, 0), True: (0.0, 0)})
    """By whether consoles followed: processor seconds of the service, and messages."""
    screen_s: float = 0.0
    """Processor time of the screen while consoles followed."""
    lacking: list[str] = field(default_factory=list)

    @property
    def dearer(self) -> float:
        """By which share a message costs the service more while consoles follow."""
        alone, watched = (self.used[which][0] / max(1, self.used[which][1]) for which in (False, True))
        return watched / alone - 1 if alone else 0.0

    @property
    def amiss(self) -> list[str]:
        """What misses its mark."""
        found = list(self.lacking)
        marks = (
            (self.lost > 0, f"{self.lost} lost"),
            (_p95(self.waits_s) > RECEIPT_P95_S, "receipts are late"),
            (_p95(self.first_s) > WALL_S, "the wall is late"),
            (self.dearer > DEARER, f"consoles cost {self.dearer:+.0%}"),
        )
        return found + [what for is_amiss, what in marks if is_amiss]

    def __str__(self) -> str:
        alone, watched = (1e3 * self.used[which][0] / max(1, self.used[which][1]) for which in (False, True))
        share = self.screen_s / max(1e-9, self.used[True][0])
        lags_s = [each / 1e3 for each in self.lags_ms]
        return (
            f"{self.events} events in {self.messages} messages, {self.lost} lost, {self.again} sent again; "
            f"receipts {_spread(self.waits_s)}; wall {_spread(self.first_s)}, whole {_spread(self.whole_s)}; "
            f"to a console {_spread(lags_s)}; a message costs the service {alone:.2f} ms, with {CONSOLES} "
            f"consoles {watched:.2f} ms ({self.dearer:+.1%}), and then the screen {share:.1f} times as much"
        )


def _spread(values: Sequence[float]) -> str:
    return f"p50 {median(values or [0.0]):.2f} s, p95 {_p95(values):.2f} s"


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))] if values else 0.0


def played(trial: Trial, phases: int, seconds: int, plant: str = "") -> Measured:
    """Phases of so many seconds, with consoles and without in turn."""
    measured = Measured()
    with screened(trial.folder, *BROKER, planted=plant) as (_, server, screen):
        cookies = screen.sessions(CONSOLES)
        with Swarm(server.port, BOXES, RATE) as swarm:
            swarm.until_it_tells()
            for number in range(phases):
                is_watched = number % 4 in (1, 2)  # alone, watched, watched, alone: what drifts is in both
                _phase(measured, screen, swarm, cookies if is_watched else [], seconds)
            swarm.stop()
            least_left(lambda: (now := swarm.figures()).messages - now.receipted)
            ended = swarm.figures()
        measured.messages, measured.events, measured.again = ended.messages, ended.events, ended.again
        kept = screen.station.rows("select count(*) from message join stream on stream.id = stream_id "
                                   "where stream.name like 's-box-%'")[0][0]  # fmt: skip
        measured.lost = ended.messages - kept
        shown = screen.station.rows("select count(*) from event where event_id like 'e-%'")[0][0]
        if shown != ended.events:
            measured.lacking.append(f"{shown} of {ended.events} events are shown")
    return measured


def _phase(measured: Measured, screen: Screen, swarm: Swarm, cookies: Sequence[str], seconds: int) -> None:
    """Let consoles follow, or none; then measure for so many seconds."""
    if screen.station.process is None or screen.station.process.poll() is not None:
        raise NotTried(f"the station ended: {screen.last_words()}")
    with Followers(screen.port, cookies) if cookies else nullcontext() as followers:
        if followers:
            followers.until_all_follow()
        time.sleep(WARM_S)
        swarm.figures()
        with _used(measured, screen, is_watched=bool(cookies)), screen.client("desk-0") as client:
            until_s = time.monotonic() + seconds
            while time.monotonic() < until_s:
                _look_at_the_wall(measured, client)
                time.sleep(min(1.0, max(0.0, until_s - time.monotonic())))
        measured.waits_s += swarm.figures().waits_s
        if followers:
            _follow_to_the_end(measured, screen, followers)


@contextmanager
def _used(measured: Measured, screen: Screen, *, is_watched: bool) -> Iterator[None]:
    """Count what the service and its screen use in the block."""
    assert screen.station.process is not None
    service, pid = psutil.Process(screen.station.process.pid), screen.pid()
    before_s, screen_s = _processor_s(service), _processor_s(psutil.Process(pid)) if pid else 0.0
    kept = screen.station.count()
    yield
    used_s, messages = measured.used[is_watched]
    now = screen.station.count() - kept
    measured.used[is_watched] = used_s + _processor_s(service) - before_s, messages + now
    if pid and is_watched:
        measured.screen_s += _processor_s(psutil.Process(pid)) - screen_s


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _look_at_the_wall(measured: Measured, client: httpx.Client) -> None:
    """As a browser that opens it: to the first byte, and the whole page."""
    began_s = time.monotonic()
    with client.stream("GET", "/", headers={"accept": "text/html"}) as answer:
        if answer.status_code != 200:
            raise Broken(f"the wall answers {answer.status_code}")
        measured.first_s.append(time.monotonic() - began_s)
        answer.read()
    measured.whole_s.append(time.monotonic() - began_s)


def _follow_to_the_end(measured: Measured, screen: Screen, followers: Followers) -> None:
    """Each console has every event that was kept since its first."""
    head = screen.station.rows("select max(id) from event_feed")[0][0]
    least_left(lambda: sum(each["place"] < head for each in followers.brief()), quiet_s=20)
    for number, each in enumerate(followers.notes()):
        measured.lags_ms += each.lags_ms
        if why := _lacks(each, screen):
            measured.lacking.append(f"console {number} {why}")


def _lacks(notes: FollowerNotes, screen: Screen) -> str:
    if not notes.places:
        return "has nothing"
    first, last = min(notes.places), notes.place
    rows = screen.station.rows(
        f"select distinct box_id || '/' || event_id from event_feed where id between {first} and {last}"
    )
    lacking = len({key for (key,) in rows} - set(notes.keys))
    wrong = f"lacks {lacking}" if lacking else ""
    if notes.twice or notes.disordered or notes.anew:
        wrong += f" had {notes.twice} twice, {notes.disordered} out of order, began anew {notes.anew} times"
    return wrong.strip()
