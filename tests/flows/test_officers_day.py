"""An officer's day at the screen: an event of a real box, looked at and taken; its footage asked for, played,
handed over and verified by whoever receives it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from agent.evidence.encryption import new_identity
from station.watch.embedded import Address
from tests.support.boxes import Box, at_work
from tests.support.brokers import until
from tests.support.duty_room import SUPERVISOR, DutyRoom, Officer, at_the_screen, browser, duty_room, soon
from tests.support.real_footage import Recorded, record_into
from tests.support.squares import write_clip

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SECONDS = 6
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CASE, PURPOSE = "12/2026", "va chạm giao thông"


@dataclass
class Day:
    """A box that watches and has recorded, its station with its screen, and a browser."""

    room: DutyRoom
    recorded: Recorded
    chrome: Browser
    folder: Path


@pytest.fixture(scope="module")
def day(embedded: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    identity, recipient = new_identity()
    source = f"{{kind: file, path: {write_clip(folder / 'road.mp4')}, loop: true}}"
    rules = "[{kind: motion, id: movement, severity: alert}]"
    box = Box(
        folder,
        embedded.port,
        f"  - name: road\n    source: {source}\n    rules: {rules}\n    record: {{mode: continuous}}\n",
    )
    with box.config.open("a") as file:
        file.write(f"evidence: {{recipient: {recipient}}}\n")
    recorded = record_into(folder / "state/evidence", recipient, SECONDS, 300)
    store = folder / "duty" / "store"
    store.mkdir(parents=True)
    handle = os.open(store / "footage.key", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w") as key:
        key.write(identity + "\n")
    with (
        duty_room(folder / "duty", embedded.port, commune="test-commune") as room,
        at_work(box),
        browser() as chrome,
    ):
        until(lambda: box.accepted() > 0, 60, "the box watches")
        yield Day(room, recorded, chrome, folder)


def the_first_alert(officer: Officer) -> str:
    """Its address, once it is on the wall."""
    link = officer.page.locator("#alerts .tile a").first
    expect(link).to_be_visible(timeout=60_000)
    return str(link.get_attribute("href"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_alert_is_seen_opened_and_worked_off(day: Day, language: str) -> None:
    with at_the_screen(day.chrome, day.room) as officer:
        officer.speak(language)
        officer.go("/")
        href = the_first_alert(officer)
        officer.go(href)
        expect(officer.page.locator("h1")).to_contain_text("huyển động" if language == "vi" else "moves")
        officer.go("/review")
        officer.page.keyboard.press("2")
        expect(officer.page.locator(".good").first).to_be_visible()
        assert not officer.complaints


def test_footage_is_asked_for_played_handed_over_and_verified(day: Day) -> None:
    since = datetime.fromtimestamp(day.recorded.from_s, ZONE).replace(microsecond=0)
    until_moment = datetime.fromtimestamp(day.recorded.to_s, ZONE).replace(microsecond=0) + timedelta(seconds=1)
    with at_the_screen(day.chrome, day.room) as lan:
        lan.go("/requests/new?box=test-box-01&camera=road")
        lan.page.fill("[name=since]", since.strftime("%Y-%m-%dT%H:%M:%S"))
        lan.page.fill("[name=until]", until_moment.strftime("%Y-%m-%dT%H:%M:%S"))
        lan.page.fill("[name=case]", CASE)
        lan.page.fill("[name=purpose]", PURPOSE)
        lan.page.click("main form button.main")
        verdict = lan.page.locator("section.verdict")
        expect(verdict).to_be_visible(timeout=120_000)
        expect(verdict).to_contain_text("XÁC THỰC")
        request = re.sub(r"\?.*", "", lan.page.url)
        film = lan.page.locator("video")
        film.evaluate("film => { film.muted = true; return film.play(); }")
        soon(lambda: film.evaluate("film => film.currentTime") > 0.5, page=lan.page)
        assert not lan.complaints

    with at_the_screen(day.chrome, day.room, SUPERVISOR) as minh:
        minh.page.goto(request)
        minh.page.fill("#hand-over [name=to]", "Viện kiểm sát huyện")
        minh.page.click("#hand-over form button")
        with minh.page.expect_download() as waited:
            minh.page.click("#hand-over a.button.main")
        handed = day.folder / "handed.zip"
        waited.value.save_as(handed)
        minh.go("/audit")
        for said in (CASE, "Nguyễn Thị Lan"):
            expect(minh.page.locator("main")).to_contain_text(said)

    names = zipfile.ZipFile(handed).namelist()
    assert any(name.endswith(".mp4") for name in names)
    assert any(name.endswith(".pdf") for name in names)
    keys = [name for name in names if name.endswith(".pub")]
    out = day.folder / "handed"
    zipfile.ZipFile(handed).extractall(out)
    package = next(path.parent for path in out.rglob("manifest.json"))
    box_key = next(out / name for name in keys if "box" in name)
    words = [sys.executable, "-m", "verifier", str(package), "--key", str(box_key), "--json"]
    judged = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert json.loads(judged.stdout)["verdict"] == "authentic"
