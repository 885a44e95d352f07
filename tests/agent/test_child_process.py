"""agent.child_process"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.child_process import kill, received, spawn
from tests.support.brokers import until

MODULE = """
import json, os, sys
held = sorted(int(each) for each in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{each}"))
said = {
    "arguments": sys.argv[1:], "environment": dict(os.environ), "held": held,
    "group": os.getpgid(0) == os.getpid(), "path": sys.path,
}
print(json.dumps(said), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "what_a_child_is.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "place"), *sys.path])
    return "what_a_child_is"


@pytest.fixture
def fd() -> Iterator[int]:
    made = os.memfd_create("given")
    yield made
    os.close(made)


def ended(child: subprocess.Popen[bytes]) -> None:
    kill(child)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def test_a_child_gets_one_descriptor_and_none_of_our_secrets(
    module: str, fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATION_PASSWORD", "secret")
    monkeypatch.setenv("LIBCAMERA_LOG_LEVELS", "ERROR")
    other = os.memfd_create("not given")
    child = spawn(module, fd, lambda name: name.startswith("LIBCAMERA_"), talks=True)
    assert child.stdout is not None
    said = json.loads(child.stdout.readline())
    ended(child)
    os.close(other)

    assert said["arguments"] == [str(fd), str(os.getpid())]
    assert said["environment"]["LIBCAMERA_LOG_LEVELS"] == "ERROR"
    assert "STATION_PASSWORD" not in said["environment"]
    assert said["held"] == sorted({0, 1, 2, fd})
    assert said["group"] is True


def test_what_lies_in_the_current_folder_is_not_run(
    module: str, fd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "what_a_child_is.py").write_text("print('{}')")
    monkeypatch.chdir(tmp_path)
    child = spawn(module, fd, talks=True)
    assert child.stdout is not None
    said = json.loads(child.stdout.readline())
    ended(child)

    assert str(tmp_path) not in said["path"]
    assert "" not in said["path"]


def test_a_child_that_does_not_talk_has_nothing_to_talk_to(module: str, fd: int) -> None:
    child = spawn(module, fd)

    assert (child.stdin, child.stdout) == (None, None)
    assert child.wait(20) == 0


def test_a_killed_child_is_reaped(module: str, fd: int) -> None:
    child = spawn(module, fd, talks=True)
    ended(child)

    assert child.returncode == -9
    until(lambda: not Path(f"/proc/{child.pid}").exists(), 10)


def test_the_last_words_of_one_that_left_ours_unread_are_heard_before_that_it_hung_up() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        ours.send(b"next")
        theirs.send(b"a picture")
        theirs.send(b"the end")
        theirs.close()

        assert [received(ours.recv, 64) for _ in range(3)] == [b"a picture", b"the end", b""]
