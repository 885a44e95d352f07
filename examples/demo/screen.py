"""The duty room's screen of the demo: an officer for whoever looks, and how long the demo stays for him."""

from __future__ import annotations

import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.language import language
from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.access.passwords import new_password
from station.access.roles import Role
from station.config import load
from station.store.database import engine_of, url_of

LOGIN, NAME = "visitor", "A visitor"
UNSEEN_S = 30.0
"""So long the demo waits after the run for somebody to come."""
GONE_S = 180.0
"""So long after somebody was last heard of: a wall that is open is heard of every minute, a page once."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is typed into a browser."""

    url: str
    login: str
    password: str

    def __str__(self) -> str:
        return f"{self.url}  log in as {self.login} with the password {self.password}"


def with_screen(station: Path, port: int) -> None:
    """Write into the station's file where its screen listens; times are those of the demo's own lines, UTC."""
    text = station.read_text(encoding="utf-8")
    if "\nweb: {}\n" not in text:
        raise ValueError(f"{station}: not as it was written")
    chosen = f"\nweb: {{port: {port}, time_zone: UTC, language: {language()}}}\n"
    station.write_text(text.replace("\nweb: {}\n", chosen), encoding="utf-8")


def opened(station: Path, lives: Callable[[], bool], within_s: float = 60.0) -> Door | None:
    """Wait until the screen answers, and make an officer; None: it does not, and the station's log says why.

    `lives` says whether the station is still at work.
    """
    config = load(station)
    assert config.web is not None
    deadline = time.monotonic() + within_s
    while not _answers(config.web.address):
        if time.monotonic() > deadline or not lives():
            return None
        time.sleep(0.2)
    engine = engine_of(url_of(config.database, config.state_dir))
    try:
        accounts, password = Accounts(engine, AuditLog(engine, config.state_dir)), new_password()
        _, first = accounts.create(LOGIN, NAME, Role.OFFICER)
        accounts.change_own(LOGIN, first, password)  # he need not change it before anything else
    finally:
        engine.dispose()
    return Door(config.web.address, LOGIN, password)


def heard_of(folder: Path) -> float | None:
    """When somebody who is logged in was heard of last, in seconds of Unix time; None: nobody is."""
    with closing(sqlite3.connect(f"file:{folder / 'station.db'}?mode=ro", uri=True)) as store:
        (latest_ms,) = store.execute("select max(seen_ms) from web_session").fetchone()
    return None if latest_ms is None else latest_ms / 1000


@dataclass
class Stay:
    """Until when the demo stays: it is asked now and then, with the moment in seconds of Unix time."""

    began_s: float
    """When the run was over."""
    latest_s: float | None = None
    """When somebody was heard of last, at any time of the demo."""

    def is_over(self, now_s: float, heard_s: float | None) -> bool:
        """Whether nobody watches any more; `heard_s` is what `heard_of` says."""
        known = [each for each in (self.latest_s, heard_s) if each is not None]
        self.latest_s = max(known, default=None)
        until_s = self.began_s + UNSEEN_S
        if self.latest_s is not None:
            until_s = max(until_s, self.latest_s + GONE_S)
        return now_s > until_s


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}alive", timeout=2) as answer:  # noqa: S310 (our own, on loopback)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
