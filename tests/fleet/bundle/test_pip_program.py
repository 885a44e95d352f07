"""fleet.bundle.pip_program: what pip says, in words of ours"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.bundle.pip_program import explained, run

DOWNLOAD = ("download", "--only-binary=:all:", "--no-deps", "--dest")


def test_a_registry_that_is_away_is_told_as_that_and_not_as_a_wheel_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://someone:secret@127.0.0.1:{taken.getsockname()[1]}/simple")
        monkeypatch.setenv("PIP_RETRIES", "1")
        with pytest.raises(NgatuError, match="the package registry cannot be reached") as caught:
            run(*DOWNLOAD, str(tmp_path), "segno")
    assert "pip config list" in (caught.value.hint or "")
    assert "secret" not in str(caught.value)


def test_a_wheel_that_the_registry_lacks_is_named_with_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    message = "the package registry has no wheel of segno>=1.6 for a Raspberry Pi"
    with pytest.raises(NgatuError, match=message) as caught:
        run(*DOWNLOAD, str(tmp_path), "segno>=1.6", board="a Raspberry Pi")
    assert "--glibc" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (f"{sys.executable}: No module named pip", "this Python has no pip", "-m ensurepip"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         "No space left on device", "TMPDIR=FOLDER"),
        ("ERROR: something new", "pip wheel failed: ERROR: something new", "is the package registry reachable"),
        ("", "pip wheel failed: ", "is the package registry reachable"),
    ],
)  # fmt: skip
def test_each_thing_that_it_says_is_one_clear_error(said: str, message: str, hint: str) -> None:
    error = explained("wheel", said, "")
    assert message in error.what
    assert hint in (error.hint or "")
