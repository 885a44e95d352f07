"""P41.1: all faults at random, with a wall open in a browser and officers at work."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import httpx
from playwright.sync_api import Page

from agent.core.types import Instant
from agent.wire import codec
from tests.acceptance.duty_room.screen_stage import WAIT_S, Screen, a_browser, screened
from tests.acceptance.duty_room.wall_watch import BEGAN, NOTE_FRESH, OLD_S, SHOWN, WallWatch
from tests.acceptance.faults.chaos import Chaos, chaos
from tests.acceptance.faults.p_hostile import RawBox
from tests.acceptance.faults.p_soak import FAULTS
from tests.acceptance.faults.stage import Victim, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import Mosquitto
from tests.support.duty_room import DESK

RATE = 20
LOOK_S = 0.7
STEPS = {None: ("seen", "confirmed", "false:animal", "passed_on"), "seen": ("confirmed", "passed_on", "new")}
"""What an officer may make of an alert, by what was made of it."""
ALONE_S = 5.0
CALM_S, CALM_RATE = OLD_S + 12.0, 2
"""At RATE an event stands on the wall for three seconds: in these it stands while officers review it, and for
longer than a wall may show what was before."""
AWAY_S = 20.0
"""Longer than a wall takes to notice."""
PATIENCE_S = 240
"""A planted fault shows when an officer reviews while the wall is there: among faults that may take a while."""


@promise(
    "P41.1",
    "P41 with a wall open in a browser, officers who review, events that come late; the screen is killed too, "
    "and the station is away for long",
    "0 lost, 0 phantom, 0 doubled; the wall never shows what is not so, and never looks alive when it is not",
    minutes=13,
)  # fmt: skip
def watched_soak(trial: Trial) -> str:
    """What a wall shows may be as old as its beat, and as what it takes to notice that none comes."""
    said, faults = played(trial, trial.size(600, 1800, quick=40))
    if faults:
        raise Broken(f"{said}: {'; '.join(faults)}")
    return said


@promise(
    "P41.2",
    "planted faults: what is late does not say so; screens hear of no review",
    "the judge sees both",
    minutes=5,
)
def lying_screens(trial: Trial) -> str:
    """A judge that cannot turn red proves nothing."""
    seen = {}
    for plant, wanted in (("unmarked", "late"), ("unreviewed", "another review")):
        _, faults = played(trial, PATIENCE_S, plant, wanted)
        seen[plant] = next((each for each in faults if wanted in each), None)
        if seen[plant] is None:
            raise Broken(f"{plant}: the judge is blind: {faults}")
    return "; ".join(f"{plant}: {found[:120]}" for plant, found in seen.items() if found)


def played(trial: Trial, seconds: int, plant: str = "", wanted: str = "") -> tuple[str, list[str]]:
    """What was measured, and what is wrong; it ends as soon as the fault that is `wanted` was seen."""
    chance, folder = trial.chance("P41.1"), trial.folder / (plant or "played")
    folder.mkdir()
    faults: Counter[str] = Counter()
    with (
        screened(folder, planted=plant) as (_, server, screen),
        chaos(server.port, seed=trial.seed) as link,
        a_browser() as browser,
    ):
        screen.sessions(7)
        context = browser.new_context(viewport=DESK, locale="vi-VN")  # type: ignore[arg-type]
        watch = WallWatch(_wall(context.new_page(), screen), screen.station)
        victim = Victim(folder / "box", link.port)
        late, officer = LateBox(server), Reviews(screen, chance)
        soak = Soak(victim, server, screen, link, watch, chance)
        soak.watched(ALONE_S, late.tell)  # later there is hardly a place for what is old
        victim.start(100_000_000, rate=CALM_RATE, picture_every=4)
        try:
            soak.watched(CALM_S, lambda: (late.tell(), officer.work()))
            watch.is_disturbed()
            _kill_box(soak)
            watch.is_disturbed()
            ends_s = time.monotonic() + seconds
            while time.monotonic() < ends_s and not (wanted and any(wanted in each for each in watch.faults)):
                soak.watched(chance.uniform(1.0, 5.0), lambda: (late.tell(), officer.work()))
                fault = chance.choices(list(SOAK), [weight for weight, _ in SOAK.values()])[0]
                watch.is_disturbed()
                SOAK[fault][1](soak)
                watch.is_disturbed()
                faults[fault] += 1
            link.behave(latency_s=0.0, rate_bytes_s=0.0, silent=False, refused=False)
            screen.until_it_answers()
            victim.end()
            victim.start(20)
            findings = settled(victim, screen.station)
            soak.watched(2 * OLD_S, lambda: None)
            wrong = watch.ends_with(_newest(screen))
        finally:
            victim.kill()
            late.close()
    said = (
        f"{seconds} s, {sum(faults.values())} faults {dict(faults)}, {late.said} late events, "
        f"{officer.done} reviews: {findings}; {watch}"
    )
    if not findings.clean or screen.station.conflicts():
        wrong.append("not what was told is in the store")
    return said, [*wrong, *(f"{what} ({watch.examples[what]})" for what in watch.faults)]


def _wall(page: Page, screen: Screen) -> Page:
    page.context.add_cookies([{"name": "ngatu", "value": screen.cookies["desk-0"], "url": screen.url}])
    page.set_default_timeout(WAIT_S * 1000)
    page.add_init_script(NOTE_FRESH)
    page.goto(screen.url)
    page.wait_for_selector("#pulse.good")
    return page


def _newest(screen: Screen) -> list[str]:
    """What a wall must show: of those that began in the same moment as its last one any may be left out."""
    rows = screen.station.rows(
        f"select box_id || '/' || event_id, {BEGAN} from event order by {BEGAN} desc limit {SHOWN}"
    )
    return [key for key, began_ms in rows if began_ms > rows[-1][1]]


class LateBox:
    """A box that tells of what was an hour ago, some of it as replayed."""

    def __init__(self, server: Mosquitto) -> None:
        self._box, self.said = RawBox(server.port, "late-01"), 0

    def tell(self) -> None:
        """One event."""
        self.said += 1
        ago_s = time.time() - 3600 + self.said
        at = codec.moment(Instant(0.0, ago_s)).isoformat().replace("+00:00", "Z")
        self._box.event(self.said, time=at, start_time=at, replayed=bool(self.said % 2))

    def close(self) -> None:
        """Leave."""
        self._box.close()


class Reviews:
    """Officers who work the queue off, as far as the screen answers."""

    def __init__(self, screen: Screen, chance: Random) -> None:
        self.done = 0
        self._screen, self._chance = screen, chance
        self._client = screen.client("desk-1")

    def work(self) -> None:
        """Take a step with one of the newest alerts."""
        rows = self._screen.station.rows(
            "select device, event_id, coalesce(change_id, 0), review.state from event "
            "join box on box.id = event.box_id left join review using (box_id, event_id) "
            "where severity = 'alert' order by start_ms desc limit 20"
        )
        if not rows:
            return
        device, event_id, change, state = self._chance.choice(rows)
        step = "new" if state not in (None, "seen") else self._chance.choice(STEPS[state])
        try:
            page = self._client.get("/requests/new").text
            csrf = re.search(r'name="csrf" value="([^"]+)"', page)
            said = {"step": step, "note": "đã xem", "change": str(change)}
            said["csrf"] = csrf[1] if csrf else ""
            answer = self._client.post(
                f"/events/{device}/{event_id}/review", data=said, headers={"accept": "application/json"}
            )
            self.done += answer.status_code == 200
        except httpx.HTTPError:  # the screen is away
            return


@dataclass
class Soak:
    """All parts, and who looks at the wall meanwhile."""

    victim: Victim
    server: Mosquitto
    screen: Screen
    link: Chaos
    watch: WallWatch
    chance: Random

    def watched(self, seconds: float, act: Callable[[], object]) -> None:
        """Look at the wall for so long."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self.watch.page.wait_for_timeout(LOOK_S * 1000)
            act()
            self.watch.look()


def _as_in_p41(name: str) -> Callable[[Soak], None]:
    def fault(soak: Soak) -> None:
        FAULTS[name][1](soak.victim, soak.server, soak.screen.station, soak.link, soak.chance)

    return fault


def _kill_box(soak: Soak) -> None:
    soak.victim.kill()
    soak.victim.start(100_000_000, rate=RATE, picture_every=4)


def _kill_screen(soak: Soak) -> None:
    soak.screen.kill()


def _away(soak: Soak) -> None:
    """Nobody starts the station again for a while."""
    soak.screen.station.end(signal.SIGKILL)
    soak.watch.is_down(yes=True)
    soak.watched(AWAY_S, lambda: None)
    soak.watch.is_down(yes=False)
    soak.screen.station.start()


SOAK: dict[str, tuple[int, Callable[[Soak], None]]] = {
    **{name: (weight, _as_in_p41(name)) for name, (weight, _) in FAULTS.items() if name != "box killed"},
    "box killed": (1, _kill_box),
    "screen killed": (3, _kill_screen),
    "station away": (1, _away),
}
