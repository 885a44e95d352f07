"""agent.host.state_folder"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from agent.host import state_folder


def test_what_would_hold_up_its_reader_goes_and_everything_else_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.json")
    (tmp_path / "outbox.db-wal").symlink_to("/dev/zero")
    (tmp_path / "pipe").symlink_to(tmp_path / "run.json")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    (tmp_path / "outbox.db").symlink_to(tmp_path / "file")
    (tmp_path / "not-mounted-yet").symlink_to("/nonexistent/file")
    state_folder.clear(tmp_path)
    left = {path.name for path in tmp_path.iterdir()} - {"pipe"}  # it led to what has gone, before or after
    assert left == {"file", "folder", "outbox.db", "not-mounted-yet"}


@pytest.mark.parametrize("name", ["missing", "a-file"])
def test_a_folder_that_cannot_be_looked_into_is_left_to_whoever_opens_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").write_text("")
    state_folder.clear(tmp_path / name)
    assert (tmp_path / "a-file").read_text() == ""
