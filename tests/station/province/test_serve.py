"""station.province.serve"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from agent.errors import NgatuError
from station.province.serve import accounts_of
from tests.support.backups import own_database
from tests.support.brokers import free_port, until
from tests.support.province_desk import config_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "desk"


@pytest.mark.long
def test_the_console_starts_beside_the_workers_and_ends_when_it_is_told(postgresql: URL, folder: Path) -> None:
    url, port = own_database(postgresql), free_port()
    folder.mkdir()
    file = folder / "province.yaml"
    where = f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"
    said = {"shard": "s01", "database": {"url": where}, "state_dir": str(folder), "web": {"port": port}}
    file.write_text(json.dumps(said), encoding="utf-8")
    command = [sys.executable, "-m", "agent", "province", "console", "-c", str(file)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "LC_ALL": "C.UTF-8"})
    try:
        until(lambda: _answers(port), 60)
        assert httpx.get(f"http://127.0.0.1:{port}/lookup").status_code == 401
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(30)
    words = (folder / "log").read_text(encoding="utf-8")
    assert ended == 0, words
    assert "admin" in words and f"http://127.0.0.1:{port}/" in words and "Traceback" not in words


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/alive").status_code == 200
    except httpx.TransportError:
        return False


def test_what_is_there_stays_when_it_is_prepared_again(postgresql: URL, folder: Path) -> None:
    config = config_of(own_database(postgresql), folder)
    with accounts_of(config) as accounts:
        assert accounts.first_administrator() is not None
    with accounts_of(config) as accounts:
        assert accounts.first_administrator() is None
        assert accounts.reset("admin") and [each.communes for each in accounts.list()] == [""]


def test_a_folder_that_cannot_be_made_is_one_clear_error(postgresql: URL, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    config = config_of(own_database(postgresql), tmp_path / "file" / "desk")
    with pytest.raises(NgatuError, match="file/desk") as raised, accounts_of(config):
        pass
    assert "state_dir" in raised.value.hint
