"""The stage with a screen: a station that serves its console, and people who may log in there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser, sync_playwright

from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.access.roles import Role
from station.config import load
from station.store.database import engine_of, url_of
from tests.acceptance.faults.stage import Receiver, Victim, playing
from tests.acceptance.faults.suite import Broken, NotTried
from tests.support.brokers import Mosquitto, free_port, until
from tests.support.duty_room import PASSWORD, chromium_options

WAIT_S = 600.0
"""For a part to begin, on a machine that does much else; no mark."""
PLANTED = Path(__file__).with_name("planted")
CONSOLES_EACH = 6
"""Of one account, which may have eight sessions."""


@dataclass
class Screen:
    """The screen of a station, and who may look at it."""

    station: Receiver
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    """Of each login the session's token."""

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return httpx.get(f"{self.url}/alive", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def until_it_answers(self, within_s: float = WAIT_S) -> None:
        """Wait for it."""
        until(self.answers, within_s, f"the screen answers; the station says: {self.last_words()}")

    def last_words(self) -> str:
        """The end of the station's log."""
        return (self.station.folder / "station.log").read_text(errors="replace")[-1500:]

    def pid(self) -> int | None:
        """Of its process; None: there is none at this moment."""
        assert self.station.process is not None
        try:
            children = psutil.Process(self.station.process.pid).children()
            return next((each.pid for each in children if "station.web" in " ".join(each.cmdline())), None)
        except psutil.Error:
            return None

    def kill(self) -> bool:
        """kill -9 of the screen alone; False: there was none."""
        pid = self.pid()
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def hire(self, *people: tuple[str, Role]) -> None:
        """Accounts with PASSWORD."""
        config = load(self.station.config)
        engine = engine_of(url_of(config.database, config.state_dir))
        try:
            accounts = Accounts(engine, AuditLog(engine, config.state_dir))
            for login, role in people:
                _, given = accounts.create(login, login.capitalize(), role)
                accounts.change_own(login, given, PASSWORD)
        finally:
            engine.dispose()

    def log_in(self, login: str) -> str:
        """The token of a new session."""
        answer = httpx.post(f"{self.url}/login", data={"login": login, "password": PASSWORD}, timeout=60)
        if answer.status_code != 303:
            raise Broken(f"{login} cannot log in: {answer.status_code} {_text(answer.text)}")
        self.cookies[login] = answer.cookies["ngatu"]
        return self.cookies[login]

    def sessions(self, count: int) -> list[str]:
        """Tokens for so many consoles, of accounts of their own, each logged in by itself."""
        logins = [f"desk-{number}" for number in range(-(-count // CONSOLES_EACH))]
        self.hire(*((login, Role.OFFICER) for login in logins))
        return [self.log_in(logins[number // CONSOLES_EACH]) for number in range(count)]

    def client(self, login: str) -> httpx.Client:
        """Somebody who is logged in; redirects are followed."""
        token = self.cookies.get(login) or self.log_in(login)
        return httpx.Client(base_url=self.url, cookies={"ngatu": token}, follow_redirects=True, timeout=60)


def _text(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())[:300]


@contextmanager
def screened(
    folder: Path, *broker: str, station: str = "", planted: str = "", state: Path | None = None
) -> Iterator[tuple[Victim, Mosquitto, Screen]]:
    """Broker and station at work with its screen, the box not yet; nothing outlives the block.

    `station` are further lines of its configuration, `state` is where its store is, if not below the folder;
    `planted` names a mistake (planted/).
    """
    with planting(planted):
        port = free_port()
        more = f"web: {{port: {port}}}\n{station}"
        with playing(folder, *broker, station=more, state=state) as (victim, server, receiver):
            screen = Screen(receiver, port)
            screen.until_it_answers()
            try:
                yield victim, server, screen
            finally:
                _end_screens(receiver)


def _end_screens(station: Receiver) -> None:
    """Of a station that is killed the screen ends by itself, but not before the trial's folder is gone."""
    if station.process is None or station.process.poll() is not None:
        return
    children = psutil.Process(station.process.pid).children()
    station.end(signal.SIGKILL)
    psutil.wait_procs(children, timeout=10)


@contextmanager
def planting(name: str) -> Iterator[None]:
    """Station and screen that start within the block make this mistake."""
    if not name:
        yield
        return
    assert (PLANTED / "sitecustomize.py").is_file(), "nothing would be planted"
    before = {key: os.environ.get(key) for key in ("PYTHONPATH", "NGATU_PLANTED")}
    paths = [str(PLANTED), *filter(None, [before["PYTHONPATH"]]), *filter(None, sys.path)]
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "NGATU_PLANTED": name}
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value


@contextmanager
def a_browser() -> Iterator[Browser]:
    """A browser without a window, which ends with the block however that ends.

    Raises:
        NotTried: there is none here.
    """
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None:
        raise NotTried("no Chromium here: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=chromium_options(), timeout=WAIT_S * 1000
        )
        try:
            yield opened
        finally:
            opened.close()
