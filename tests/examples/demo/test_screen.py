"""examples.demo.screen, and the programs of the demo"""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from examples.demo.screen import GONE_S, LOGIN, UNSEEN_S, Stay, heard_of, opened, with_screen
from station.config import load
from station.starter import starter_file
from tests.support.brokers import free_port, until
from tests.support.duty_room import DutyRoom


def test_where_nobody_comes_the_demo_ends_soon_and_not_at_once() -> None:
    stay = Stay(began_s=1000.0)

    assert not stay.is_over(1000.0 + UNSEEN_S, None)
    assert stay.is_over(1000.1 + UNSEEN_S, None)


def test_it_stays_while_somebody_is_heard_of_and_a_while_after() -> None:
    stay = Stay(began_s=1000.0)

    assert not stay.is_over(1500.0, 1490.0)
    assert not stay.is_over(1490.0 + GONE_S, None), "he logged out, and was heard of a moment ago"
    assert stay.is_over(1490.1 + GONE_S, None)


def test_who_looked_only_while_the_box_watched_keeps_nobody_waiting_for_long() -> None:
    stay = Stay(began_s=1000.0)

    assert not stay.is_over(1001.0 + UNSEEN_S, 900.0)
    assert stay.is_over(900.1 + GONE_S, 900.0)


def test_the_screen_listens_where_the_file_says_and_a_file_of_another_kind_is_not_touched(
    tmp_path: Path,
) -> None:
    file = starter_file(tmp_path, "demo", "127.0.0.1", 1883)
    with_screen(file, 8481)
    written = file.read_text(encoding="utf-8")

    web = load(file).web
    assert web is not None and web.address == "http://127.0.0.1:8481/" and web.time_zone == "UTC"
    with pytest.raises(ValueError, match="not as it was written"):
        with_screen(file, 8482)
    assert file.read_text(encoding="utf-8") == written


def test_a_station_that_ended_is_not_waited_for(tmp_path: Path) -> None:
    file = starter_file(tmp_path, "demo", "127.0.0.1", 1883)
    with_screen(file, free_port())

    began = time.monotonic()
    assert opened(file, lambda: False) is None
    assert time.monotonic() - began < 20


@pytest.mark.long
def test_what_the_visitor_is_told_opens_the_screen_and_he_is_heard_of(tmp_path: Path) -> None:
    file = starter_file(tmp_path, "demo", "127.0.0.1", free_port())
    with_screen(file, free_port())
    config = load(file)
    assert config.web is not None
    room = DutyRoom(tmp_path, config.broker.port, "demo", web_port=config.web.port)
    try:
        room.start()
        door = opened(file, lambda: True)
        assert door is not None and f"{door.url}  log in as {LOGIN} with the password" in str(door)
        assert heard_of(tmp_path) is None

        with httpx.Client(base_url=door.url, follow_redirects=True, timeout=60) as browser:
            page = browser.post("/login", data={"login": door.login, "password": door.password})
        assert page.status_code == 200 and 'id="wall"' in page.text
        until(lambda: heard_of(tmp_path) is not None, 10)
        heard_s = heard_of(tmp_path)
        assert heard_s is not None and abs(heard_s - time.time()) < 60
    finally:
        room.stop()
