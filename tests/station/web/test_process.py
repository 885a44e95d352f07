"""station.web.process, and the process itself (station.web.__main__)"""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from station.config import StationConfig
from station.store.database import engine_of, upgrade, url_of
from station.watch.embedded import Address
from station.web.process import ScreenProcess
from tests.support.brokers import free_port, until
from tests.support.duty_room import duty_room

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


def configured(folder: Path, **web: Any) -> StationConfig:
    made = StationConfig.model_validate(
        {"commune": "hai-ninh", "state_dir": str(folder), "web": {"port": free_port(), **web}}
    )
    engine = engine_of(url_of(made.database, made.state_dir))
    upgrade(engine)
    engine.dispose()
    return made


def answers(config: StationConfig) -> bool:
    assert config.web
    try:
        with urllib.request.urlopen(f"{config.web.address}alive", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def config(tmp_path: Path) -> StationConfig:
    return configured(tmp_path)


@pytest.fixture
def screen(config: StationConfig) -> Iterator[ScreenProcess]:
    with closing(ScreenProcess(config, lambda: {"failing": None})) as screen:
        screen.start()
        until(lambda: answers(config), 60)
        yield screen


def test_one_that_was_killed_is_started_anew(config: StationConfig, screen: ScreenProcess) -> None:
    first = screen.pid
    assert first
    os.kill(first, signal.SIGKILL)
    until(lambda: screen.pid not in (None, first) and answers(config), 60)


def test_closing_ends_it(config: StationConfig, screen: ScreenProcess) -> None:
    assert screen.pid
    process = psutil.Process(screen.pid)
    screen.close()
    assert not process.is_running()
    assert not answers(config)


def test_it_ends_with_a_station_that_was_killed(embedded: Address, tmp_path: Path) -> None:
    """What it reads ends then."""
    with duty_room(tmp_path / "duty", embedded.port) as room:
        process = psutil.Process(room.screen_pid())
        room.stop(signal.SIGKILL)
        until(lambda: not process.is_running(), 30)


def test_no_secret_is_on_its_command_line_and_it_runs_nothing_of_the_current_folder(
    screen: ScreenProcess,
) -> None:
    assert screen.pid
    words = psutil.Process(screen.pid).cmdline()
    assert words[1:] == ["-P", "-m", "station.web"]


def test_a_port_that_is_taken_ends_nothing_else_and_is_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = configured(tmp_path, port=taken.getsockname()[1])
        with closing(ScreenProcess(config, dict)) as screen:
            screen.start()
            lines: list[str] = []

            def said() -> bool:
                lines.append("".join(capfd.readouterr()))
                return "set web.port" in "".join(lines)

            until(said, 60)
            taken.close()
            until(lambda: answers(config), 60)
