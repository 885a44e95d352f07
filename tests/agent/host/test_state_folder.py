"""agent.host.state_folder"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent.host import state_folder
from agent.settings.access import user_name
from tests.support.plain_user import PLAIN

ASK = """
import sys
from pathlib import Path
from agent.errors import OutboxError
from agent.host import state_folder
try:
    state_folder.require(Path(sys.argv[1]))
except OutboxError as error:
    print(error.what, error.hint, sep="\\n")
"""


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


def asked(folder: Path) -> list[str]:
    """What a user without special rights is told: what, and what to do; nothing if all is well."""
    done = subprocess.run(
        [*PLAIN, sys.executable, "-c", ASK, str(folder)], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.splitlines()


USER = user_name()


def test_a_folder_that_is_there_or_may_be_made_is_well(tmp_path: Path) -> None:
    assert asked(tmp_path) == []
    assert asked(tmp_path / "new" / "deep") == []


def test_a_missing_folder_that_may_not_be_made_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)

    assert asked(tmp_path / "ngatu") == [
        f"state_dir {tmp_path / 'ngatu'} is not there, and user {USER} may not make it",
        f"sudo install -d -o {USER} {tmp_path / 'ngatu'}",
    ]


@pytest.mark.parametrize(("mode", "way"), [(0o555, "written"), (0o000, "entered"), (0o600, "entered")])
def test_a_folder_that_is_closed_to_us_is_told_with_the_command_that_opens_it(
    tmp_path: Path, mode: int, way: str
) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=mode)
    try:
        assert asked(folder) == [f"state_dir {folder} may not be {way} by user {USER}", f"chmod u+rwx {folder}"]
    finally:
        folder.chmod(0o700)


def test_what_is_behind_a_closed_folder_is_told_with_that_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "state").mkdir(parents=True)
    closed.chmod(0o000)
    try:
        what, hint = asked(closed / "state")
    finally:
        closed.chmod(0o700)

    assert what == f"state_dir {closed / 'state'} may not be entered by user {USER}: {closed} is closed to it"
    assert f"sudo chmod o+x {closed}" in hint


def test_nobody_is_advised_to_take_a_folder_that_is_full_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "someone-elses").write_text("")
    tmp_path.chmod(0o555)

    assert "for this alone" in asked(tmp_path)[1]


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for folder in (tmp_path / "file", tmp_path / "file" / "state"):
        assert asked(folder)[0] == f"state_dir {folder}: {tmp_path / 'file'} is not a folder"
