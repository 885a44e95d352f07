"""P78: the station's disk fills up; every screen says so, and the word goes when there is room."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from playwright.sync_api import Page

from station.access.roles import Role
from tests.acceptance.duty_room.followers import Followers
from tests.acceptance.duty_room.screen_stage import WAIT_S, Screen, a_browser, screened
from tests.acceptance.faults.p_disk import fill, small_disk
from tests.acceptance.faults.progress import least_left
from tests.acceptance.faults.stage import settled, waiting_in
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.duty_room import PASSWORD

TOLD_S = 10.0
BACK_S = 60.0
"""A station that steps back tries again after half a minute."""
QUIET_PAGES = "/boxes", "/review", "/requests"
"""Left open in tabs, which do not follow the feed."""
ENGLISH = re.compile(r"\b(the|disk|full|database|error|space)\b", re.IGNORECASE)


@promise(
    "P78", "the station's disk fills up while boxes tell and consoles follow; later there is room again",
    f"receipts stop, and every screen says so within {TOLD_S:g} s, in the officer's language; who logs in is "
    f"let in or told why not; it goes on within {BACK_S:g} s, the word goes within {TOLD_S:g} s, 0 lost",
    minutes=2,
)  # fmt: skip
def full_disk_on_screen(trial: Trial) -> str:
    """Walls over HTTP, a wall and other pages in a browser, and pages that are opened meanwhile."""
    measured = played(trial)
    if measured.amiss:
        raise Broken(f"{measured}: {'; '.join(measured.amiss)}")
    return str(measured)


@promise(
    "P78.1",
    "planted fault: the screen does not hear how the intake goes",
    "the judge sees that no screen says it",
)
def deaf_screen(trial: Trial) -> str:
    """A screen that only looks into the store sees nothing wrong: nothing comes."""
    measured = played(trial, "deaf")
    if not any("say nothing" in each for each in measured.amiss):
        raise Broken(f"the judge is blind: {measured.amiss}")
    return measured.amiss[0]


@dataclass
class DiskMeasured:
    """What came of it."""

    consoles: int = 0
    told_s: list[float] = field(default_factory=list)
    """From the first batch that was not kept to the word, of each screen that said it."""
    gone_s: list[float] = field(default_factory=list)
    """From the first batch that was kept again to the end of the word."""
    back_s: float = 0.0
    """From room on the disk to the first batch that was kept."""
    logging_in: str = ""
    kept: str = ""
    amiss: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.consoles} screens said so after at most {max(self.told_s, default=0.0):.1f} s; "
            f"{self.logging_in}; it went on after {self.back_s:.0f} s, the word was gone after at most "
            f"{max(self.gone_s, default=0.0):.1f} s; {self.kept}"
        )


def played(trial: Trial, plant: str = "") -> DiskMeasured:
    """Fill the disk, look at the screens, make room, look again."""
    measured = DiskMeasured()
    with (
        small_disk(trial.folder) as disk,
        screened(trial.folder, planted=plant, state=disk / "station") as (victim, _, screen),
        a_browser() as browser,
    ):
        screen.hire(("late", Role.OFFICER))
        with Followers(screen.port, screen.sessions(trial.size(6, 30, quick=2))) as followers:
            tabs = Tabs(browser.new_context(locale="vi-VN").new_page(), screen)
            followers.until_all_follow()
            victim.start(10_000_000, rate=10, picture_every=2, picture_bytes=8000)
            until(lambda: screen.station.count() > 20, WAIT_S, "events are kept")
            fill(disk)
            full_s = _until_logged(screen, "commit_failed")
            _receipts_stop(measured, screen, victim.state / "outbox.db")
            _all_say(measured, followers, tabs, full_s)
            _who_comes_now(measured, screen)
            (disk / "filler").unlink()
            freed_s = time.time()
            kept_s = _until_logged(screen, "commits_again", after_s=freed_s)
            measured.back_s = kept_s - freed_s
            _all_go(measured, followers, tabs, kept_s)
        victim.end()
        victim.start(1)
        found = settled(victim, screen.station)
    measured.kept = str(found)
    if not found.clean:
        measured.amiss.append("not all arrived")
    if measured.back_s > BACK_S:
        measured.amiss.append(f"it went on after {measured.back_s:.0f} s only")
    return measured


class Tabs:
    """An officer's browser: the wall, and other pages that are left open."""

    def __init__(self, first: Page, screen: Screen) -> None:
        first.context.add_cookies([{"name": "ngatu", "value": screen.log_in("late"), "url": screen.url}])
        self.pages: dict[str, Page] = {}
        for path in ("/", *QUIET_PAGES):
            page = first if path == "/" else first.context.new_page()
            page.set_default_timeout(WAIT_S * 1000)
            if (answer := page.goto(screen.url + path)) and answer.status == 200:
                self.pages[path] = page

    def words(self) -> dict[str, str]:
        """What each says at the place of what is wrong; empty: nothing."""
        place = "#trouble, #notice"
        return {path: " ".join(page.locator(place).filter(visible=True).all_inner_texts())
                for path, page in self.pages.items()}  # fmt: skip

    def wait(self, seconds: float) -> None:
        """While the browser goes on; each page is in front once."""
        for page in self.pages.values():
            page.bring_to_front()
            page.wait_for_timeout(seconds * 1000 / len(self.pages))


def _until_logged(screen: Screen, event: str, after_s: float = 0.0) -> float:
    """When the station said so, in seconds since 1970."""
    found: list[float] = []

    def said() -> bool:
        for line in (screen.station.folder / "station.log").read_text(errors="replace").splitlines():
            if f'"{event}"' in line:
                at_s = datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
                if at_s > after_s:
                    found.append(at_s)
        return bool(found)

    until(said, WAIT_S, f"the station says {event}: {screen.last_words()}")
    return found[0]


def _receipts_stop(measured: DiskMeasured, screen: Screen, outbox: Path) -> None:
    """Nothing more is kept, and the box keeps what it has."""
    kept, waiting = screen.station.count(), len(waiting_in(outbox))
    time.sleep(3.0)
    if screen.station.count() > kept + 1 or len(waiting_in(outbox)) <= waiting:
        measured.amiss.append("receipts do not stop")


def _all_say(measured: DiskMeasured, followers: Followers, tabs: Tabs, full_s: float) -> None:
    heard, said = {}, {}
    until_s = full_s + 2 * TOLD_S
    measured.consoles = followers.count + len(tabs.pages)
    while time.time() < until_s and len(heard) + len(said) < measured.consoles:
        tabs.wait(0.4)
        for number, each in enumerate(followers.brief()):
            if each["troubles"] and each["troubles"][-1][1]:
                heard.setdefault(number, tuple(each["troubles"][-1]))
        for path, words in tabs.words().items():
            if words:
                said.setdefault(path, (time.time(), words))
    measured.told_s += [at_s - full_s for at_s, _ in (*heard.values(), *said.values())]
    silent = measured.consoles - len(heard) - len(said)
    if silent:
        measured.amiss.append(f"{silent} of {measured.consoles} screens say nothing: {_missing(tabs, said)}")
    if max(measured.told_s, default=0.0) > TOLD_S:
        measured.amiss.append(f"a screen said so after {max(measured.told_s):.1f} s only")
    for words in {words for _, words in (*heard.values(), *said.values())}:
        if ENGLISH.search(words) or "/" in words:
            measured.amiss.append(f"these are no words for an officer: {words!r}")


def _missing(tabs: Tabs, said: dict[str, tuple[float, str]]) -> str:
    return ", ".join(sorted(set(tabs.pages) - set(said))) or "those over HTTP"


def _who_comes_now(measured: DiskMeasured, screen: Screen) -> None:
    """Who logs in is let in, or told in words why not; each page that opens says what is wrong."""
    with httpx.Client(base_url=screen.url, headers={"accept": "text/html"}, timeout=60) as client:
        answer = client.post("/login", data={"login": "desk-0", "password": PASSWORD})
    words = " ".join(re.sub("<[^>]*>", " ", answer.text).split())
    measured.logging_in = (
        "who logs in is let in" if answer.status_code == 303 else f"who logs in is told {words!r}"
    )
    is_told = (
        answer.status_code == 503 and "ổ lưu trữ" in words and not ENGLISH.search(words.replace("English", ""))
    )
    if answer.status_code != 303 and not is_told:
        measured.amiss.append(f"who logs in gets {answer.status_code} {words[:200]!r}")
    with httpx.Client(base_url=screen.url, cookies={"ngatu": screen.cookies["late"]}, timeout=60) as client:
        for path in ("/", *QUIET_PAGES):
            answer = client.get(path, headers={"accept": "text/html"})
            if answer.status_code == 200 and not _alarms(answer.text):
                measured.amiss.append(f"{path} opens without a word of it")


def _alarms(page: str) -> Sequence[str]:
    """Paragraphs of a page that say what is wrong."""
    found = re.findall(r'<p id="(?:trouble|notice)"([^>]*)>([^<]*)</p>', page)
    return [words for attributes, words in found if "hidden" not in attributes and words.strip()]


def _all_go(measured: DiskMeasured, followers: Followers, tabs: Tabs, kept_s: float) -> None:
    gone: dict[str, float] = {}
    while time.time() < kept_s + 2 * TOLD_S and len(gone) < len(tabs.pages):
        tabs.wait(0.4)
        for path, words in tabs.words().items():
            if not words:
                gone.setdefault(path, time.time() - kept_s)
    least_left(
        lambda: sum(bool(each["troubles"][-1][1]) for each in followers.brief() if each["troubles"]), TOLD_S
    )
    ends = [each["troubles"][-1] for each in followers.brief() if each["troubles"]]
    measured.gone_s += [*gone.values(), *(at_s - kept_s for at_s, words in ends if not words)]
    if len(gone) < len(tabs.pages) or any(words for _, words in ends) or max(measured.gone_s) > TOLD_S:
        measured.amiss.append("the word does not go")
