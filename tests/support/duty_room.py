"""A duty room at work: a real station with its screen, people with passwords, an officer's browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.access.roles import Role
from station.config import StationConfig, load
from station.store.database import engine_of, url_of
from tests.support.boxes import NGATU
from tests.support.brokers import free_port, until

PASSWORD = "ba con mèo ngồi hiên"
OFFICER, SUPERVISOR, ADMINISTRATOR = "lan", "minh", "quan"
expect.set_options(timeout=30_000)
DESK, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


@dataclass
class DutyRoom:
    """One station and its screen."""

    folder: Path
    broker_port: int
    commune: str = "hai-ninh"
    more: dict[str, Any] = field(default_factory=dict)
    """Further settings of the station's file."""
    web_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)
    """What the station wrote."""

    @property
    def file(self) -> Path:
        """The station's configuration."""
        return self.folder / "station.yaml"

    @property
    def config(self) -> StationConfig:
        """The same, read."""
        return load(self.file)

    @property
    def url(self) -> str:
        """Of the screen, without a slash at its end."""
        return f"http://127.0.0.1:{self.web_port}"

    def start(self) -> None:
        """Start the station; returns when its screen answers."""
        if not self.file.exists():
            settings: dict[str, Any] = {
                "commune": self.commune,
                "state_dir": str(self.folder / "store"),
                "broker": {"host": "127.0.0.1", "port": self.broker_port},
                "web": {"port": self.web_port},
            }
            self.file.write_text(yaml.safe_dump({**settings, **self.more}), encoding="utf-8")
        self.process = subprocess.Popen(
            [*NGATU, "station", "-c", str(self.file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        until(self.answers, 180, "\n".join(self.lines))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            self.lines.extend(process.stdout)

    def answers(self) -> bool:
        """Whether the screen is there."""
        assert self.process
        if self.process.poll() is not None:
            pytest.fail("the station ended:\n" + "".join(self.lines))
        try:
            with urllib.request.urlopen(f"{self.url}/alive", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def first_password(self) -> str:
        """What the station said once."""
        found = next(filter(None, (re.search(r"password (\S+)", line) for line in self.lines)))
        return found[1]

    def staff(self) -> None:
        """An officer, a supervisor and an administrator, each with PASSWORD."""
        engine = engine_of(url_of(self.config.database, self.config.state_dir))
        try:
            accounts = Accounts(engine, AuditLog(engine, self.config.state_dir))
            for login, name, role in (
                (OFFICER, "Nguyễn Thị Lan", Role.OFFICER),
                (SUPERVISOR, "Trần Văn Minh", Role.SUPERVISOR),
                (ADMINISTRATOR, "Lê Quân", Role.ADMINISTRATOR),
            ):
                _, given = accounts.create(login, name, role)
                accounts.change_own(login, given, PASSWORD)
        finally:
            engine.dispose()

    def screen_pid(self) -> int:
        """Of the screen's process."""
        assert self.process
        found: list[int] = []

        def there() -> bool:
            assert self.process
            children = psutil.Process(self.process.pid).children()
            found[:] = [each.pid for each in children if "station.web" in " ".join(each.cmdline())]
            return bool(found)

        until(there, 60)
        return found[0]

    def kill_screen(self) -> None:
        """kill -9 of the screen alone."""
        os.kill(self.screen_pid(), signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the station, by a signal."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


@contextmanager
def duty_room(folder: Path, broker_port: int, **more: Any) -> Iterator[DutyRoom]:
    """A station at work with its screen and its people; all of it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    room = DutyRoom(folder, broker_port, more=more)
    try:
        room.start()
        room.staff()
        yield room
    finally:
        if room.process is not None and room.process.poll() is None:
            room.stop()


def chromium() -> str:
    """Debian's Chromium; skips the test where there is none, and fails it in CI."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        why = "no Chromium here: apt install chromium-headless-shell"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return found


def chromium_options() -> list[str]:
    """With which it is started: root has no sandbox to give away."""
    return [*(["--no-sandbox"] if os.geteuid() == 0 else []), "--disable-dev-shm-usage"]


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=chromium_options())
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Officer:
    """Somebody at the screen."""

    room: DutyRoom
    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the page wrote to its console, errors it did not catch, and what its policy kept out."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(40_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def log_in(self, login: str = OFFICER, password: str = PASSWORD) -> None:
        """Through the page."""
        self.page.goto(f"{self.room.url}/login")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", password)
        self.page.click("button.main")
        self.page.wait_for_selector("nav.menu")

    def go(self, path: str) -> None:
        """Open a page of the console."""
        self.page.goto(self.room.url + path)

    def speak(self, language: str) -> None:
        """Choose the language of this browser."""
        self.page.goto(f"{self.room.url}/language/{language}")


@contextmanager
def at_the_screen(
    opened: Browser, room: DutyRoom, login: str | None = OFFICER, size: dict[str, int] | None = None
) -> Iterator[Officer]:
    """An officer who is logged in, with a browser of his own."""
    context = opened.new_context(viewport=size or DESK, locale="vi-VN")  # type: ignore[arg-type]
    try:
        officer = Officer(room, context.new_page())
        if login is not None:
            officer.log_in(login)
        yield officer
    finally:
        context.close()


def soon(condition: Any, within_s: float = 20.0, page: Page | None = None) -> None:
    """Wait for a condition while the browser goes on."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        if page is not None:
            page.wait_for_timeout(50)
        else:
            time.sleep(0.05)
