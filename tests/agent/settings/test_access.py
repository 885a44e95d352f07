"""agent.settings.access"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.settings.access import too_open, unreadable, user_name
from tests.support.plain_user import PLAIN

ASK = """
import sys
from pathlib import Path
from agent.settings.access import unreadable
file = Path(sys.argv[1])
try:
    file.read_bytes()
except OSError as error:
    print(*unreadable(file, error), sep="\\n")
"""
USER = user_name()


def asked(file: Path) -> list[str]:
    """What a user without special rights is told: why, and what to do."""
    command = [*PLAIN, sys.executable, "-c", ASK, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()


def test_a_file_of_ours_that_may_not_be_read_is_told_with_the_command_that_opens_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o000)

    assert asked(file) == [f"user {USER} may not read it", f"chmod 600 {file}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_another_user_is_told_with_the_command_that_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o600)
    os.chown(file, 12345, 12345)
    why, hint = asked(file)

    assert why == f"user {USER} may not read it"
    assert f"if the agent runs as {USER}: sudo chown {USER} {file}" in hint


def test_a_closed_folder_is_named_and_the_file_itself_is_not_blamed(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "password").write_text("x")
    folder.chmod(0o000)
    try:
        why, hint = asked(folder / "password")
    finally:
        folder.chmod(0o700)

    assert why == f"user {USER} may not enter {folder}"
    assert "chown" not in hint


def test_a_missing_file_is_told_in_the_words_of_the_system(tmp_path: Path) -> None:
    assert asked(tmp_path / "password") == ["No such file or directory", "put it there, or correct the path"]
    assert unreadable(tmp_path, IsADirectoryError(21, "Is a directory"))[0] == "Is a directory"


@pytest.mark.parametrize(
    ("mode", "closed"), [(0o600, True), (0o640, True), (0o644, False), (0o660, False), (0o602, False)]
)
def test_a_secret_is_closed_by_the_command_that_is_told(tmp_path: Path, mode: int, closed: bool) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(mode)
    told_of = too_open(file)

    assert (told_of is None) is closed
    if told_of is not None:
        what, hint = told_of
        assert "can be read or changed by others" in what
        assert hint == f"chmod 600 {file}"
        subprocess.run(hint.split(), check=True)
        assert too_open(file) is None


def test_who_we_are_is_a_name_that_chown_takes() -> None:
    assert subprocess.run(["id", "-u", USER], capture_output=True, text=True, check=True).stdout == (
        f"{os.geteuid()}\n"
    )
