"""P76: the service and its screen are killed while consoles follow; none of them misses an event."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from playwright.sync_api import Page

from tests.acceptance.duty_room.followers import FollowerNotes, Followers
from tests.acceptance.duty_room.screen_stage import Screen, a_browser, screened
from tests.acceptance.faults.progress import least_left
from tests.acceptance.faults.stage import Receiver, settled
from tests.acceptance.faults.suite import Broken, Trial, promise

RATE = 40
"""Events a second; one in three with a picture."""
MOSTLY = 0.7
"""So often a death waits until the screen is there again; else it may meet it while it starts."""
QUIET_S = 30.0
"""Nothing more came to a console for so long: nothing will."""


@promise(
    "P76",
    "the service, or its screen alone, is killed at random moments while boxes tell and consoles follow",
    "0 lost, 0 doubled; each console is back by itself and has every event in the store's order, none twice, "
    "with its picture",
    minutes=4,
)  # fmt: skip
def killed_screens(trial: Trial) -> str:
    """Consoles over real HTTP, and one in a real browser, whose page is not touched."""
    kills, consoles = trial.size(20, 200, quick=4), trial.size(8, 30, quick=3)
    said, findings = played(trial, kills, consoles)
    if findings:
        raise Broken(f"{said}: {'; '.join(findings)}")
    return said


@promise(
    "P76.1", "planted faults: who had a break goes on from now; who had a break gets the last five again",
    "the judge sees both",
)  # fmt: skip
def forgetful_screens(trial: Trial) -> str:
    """A suite that cannot turn red proves nothing."""
    seen = {}
    for plant, wanted in (("forgets", "lack"), ("repeats", "twice")):
        _, findings = played(trial, trial.size(4, 10, quick=3), 2, plant)
        seen[plant] = next((each for each in findings if wanted in each), None)
        if seen[plant] is None:
            raise Broken(f"{plant}: the judge is blind: {findings}")
    return "; ".join(f"{plant}: {found}" for plant, found in seen.items())


def played(trial: Trial, kills: int, consoles: int, plant: str = "") -> tuple[str, list[str]]:
    """What was measured, and what is not as it was promised."""
    chance, folder = trial.chance("P76"), trial.folder / (plant or "played")
    folder.mkdir()
    deaths: Counter[str] = Counter()
    with screened(folder, planted=plant) as (victim, _, screen), a_browser() as browser:
        cookies = screen.sessions(consoles)
        page = BrowserConsole(browser.new_page(), screen, "desk-0")
        with Followers(screen.port, cookies) as followers:
            page.until_it_follows()
            followers.until_all_follow()
            victim.start(10_000_000, rate=RATE, picture_every=3)
            for _ in range(kills):
                if chance.random() < MOSTLY:
                    screen.until_it_answers()
                page.wait(chance.uniform(0.5, 5.0))
                deaths[_kill(screen, chance, page)] += 1
            screen.until_it_answers()
            victim.end()
            victim.start(20)
            kept = settled(victim, screen.station)
            victim.end()  # its camera would go on: what a console lacks is counted, and must not be made up for
            due = Due.of(screen.station)
            least_left(
                lambda: sum(max(0, len(due.keys) - each) for each in followers.numbers()), quiet_s=QUIET_S
            )
            page.until_it_has(due.keys)
            notes = followers.notes()
            known = Due.of(screen.station)  # read last: what came meanwhile is nobody's phantom
        findings = [*judged(due, notes, known), *page.findings(due)]
        doubled = screen.station.conflicts()
    if not kept.clean or doubled:
        findings.append(f"{kept}, {doubled} conflicts")
    silent_s = max(each.silent_s for each in notes)
    said = (
        f"{sum(deaths.values())} kills {dict(deaths)}, {consoles} consoles and a browser: {kept}; "
        f"{len(due.keys)} events with {len(due.pictured)} pictures at each, "
        f"at most {silent_s:.1f} s without a word, "
        f"{min(each.connects for each in notes)} to {max(each.connects for each in notes)} connections"
    )
    return said, findings


def _kill(screen: Screen, chance: Random, page: BrowserConsole) -> str:
    """One death; the service is started again by whoever looks after it, the screen by the service."""
    if chance.random() < 0.5 and screen.kill():
        return "screen"
    screen.station.end(signal.SIGKILL)
    page.wait(chance.uniform(0.0, 2.0))
    screen.station.start()
    return "service"


@dataclass(frozen=True, slots=True)
class Due:
    """What a console must have in the end, by the store."""

    keys: tuple[str, ...]
    """Every event, by box and event, in the order in which the first message of each was kept."""
    pictured: frozenset[str]
    """Those whose picture is here."""

    @classmethod
    def of(cls, station: Receiver) -> Due:
        """As the store says."""
        rows = station.rows(
            "select box_id || '/' || event_id, min(id) from event_feed where revision > 0 group by 1 order by 2"
        )
        shown = station.rows(
            "select event.box_id || '/' || event_id from event join blob on sha256 = thumbnail_sha256"
        )
        return cls(tuple(key for key, _ in rows), frozenset(key for (key,) in shown))


def judged(due: Due, notes: Sequence[FollowerNotes], known: Due) -> list[str]:
    """What is wrong, in words; nothing is right. `due` was read before the notes, `known` after them."""
    every, found = set(due.keys), list[str]()
    for number, each in enumerate(notes):
        lacking, foreign = len(every - set(each.keys)), len(set(each.keys) - set(known.keys))
        amiss = {
            "lack": lacking,
            "are in no store": foreign,
            "came twice": each.twice + len(each.keys) - len(set(each.keys)),
            "came out of order or twice": each.disordered,
            "lack their picture": len(due.pictured - set(each.pictured)) if not lacking else 0,
            "times told to begin anew": each.anew,
        }
        found += [f"console {number}: {count} {what}" for what, count in amiss.items() if count]
        if each.over:
            found.append(f"console {number}: was logged out")
    return found


@dataclass
class BrowserConsole:
    """A console in a real browser: its page is opened once, and then left alone."""

    page: Page
    screen: Screen
    login: str
    came: list[str] = field(default_factory=list)
    """Keys of the tiles that the page was sent or loaded with, in order."""
    loads: int = 0
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        token = self.screen.cookies.get(self.login) or self.screen.log_in(self.login)
        self.page.context.add_cookies([{"name": "ngatu", "value": token, "url": self.screen.url}])
        self.page.set_default_timeout(120_000)
        self.page.on("load", lambda: setattr(self, "loads", self.loads + 1))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.expose_function("noteTile", self._note)
        self.page.add_init_script(NOTE_TILES)
        self.page.goto(self.screen.url)

    def _note(self, key: str) -> None:
        self.came.append(key)

    def until_it_follows(self) -> None:
        """Its wall says that it receives."""
        self.page.wait_for_selector("#pulse.good")

    def wait(self, seconds: float) -> None:
        """While the browser goes on."""
        self.page.wait_for_timeout(seconds * 1000)

    def until_it_has(self, keys: Sequence[str]) -> None:
        """Every one of these, or no more come."""

        def lacking() -> int:
            self.wait(0.3)
            return len(set(keys) - set(self.came))

        least_left(lacking, quiet_s=QUIET_S)

    def findings(self, due: Due) -> list[str]:
        """What is wrong with what it had and with what it shows."""
        self.wait(6.0)  # a beat
        found = []
        if lacking := len(set(due.keys) - set(self.came)):
            found.append(f"the browser: {lacking} lack")
        shown = self.page.evaluate(
            "[...document.querySelectorAll('#tiles .tile')].map((each) => each.dataset.key)"
        )
        if len(shown) != len(set(shown)):
            found.append("the browser: a tile stands twice")
        if not self.page.locator("#pulse.good").is_visible():
            found.append(f"the browser: its wall says {self.page.inner_text('#pulse')!r}")
        bare = self.page.eval_on_selector_all(
            "#tiles .tile:not(:has(img))", "(all) => all.map((each) => each.dataset.key)"
        )
        if without := due.pictured & set(bare):
            found.append(f"the browser: {len(without)} tiles lack their picture")
        if self.loads > 1:
            found.append(f"the browser: its page was loaded {self.loads} times")
        if self.complaints:
            found.append(f"the browser: {self.complaints[0]}")
        return found


NOTE_TILES = """
const Real = EventSource;
window.EventSource = class extends Real {
  constructor(...words) {
    super(...words);
    this.addEventListener("tile", (message) => noteTile(JSON.parse(message.data).key));
  }
};
"""
"""Laid around the browser's own, as the page uses it; the page itself is as it is."""
