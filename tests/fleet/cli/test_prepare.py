"""fleet.cli.prepare: somebody at a terminal"""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.programs import OPENSSH, require

HERE = Path(sys.executable).parent
DEADLINE_S = 60


class Typing:
    """A terminal with `ngatu fleet prepare` at it."""

    def __init__(self, home: Path, *words: str) -> None:
        self.shown = ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            environment = {"HOME": str(home), "PATH": f"{HERE}:{os.environ['PATH']}", "LANG": "C.UTF-8",
                           "ANSIBLE_HOME": str(home / "ansible"), "COLUMNS": "300"}  # fmt: skip
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs the tests in the background has it ignored
            os.execve(
                HERE / "ngatu", ["ngatu", "fleet", "prepare", "--checkout", str(ROOT), *words], environment
            )

    def until(self, words: str) -> None:
        """Wait until something is shown that was not before."""
        ends = time.monotonic() + DEADLINE_S
        while words not in self.shown:
            if not select.select([self.terminal], [], [], max(0, ends - time.monotonic()))[0]:
                raise AssertionError(f"{words!r} was never shown: {self.shown}")
            try:
                self.shown += os.read(self.terminal, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                raise AssertionError(f"{words!r} was never shown: {self.shown}") from None
        self.shown = self.shown.partition(words)[2]

    def interrupt(self, words: str) -> None:
        """Ctrl-C, until it is heard: one just before Python waits for a line is held till the next."""
        ends = time.monotonic() + DEADLINE_S
        while words not in self.shown:
            assert time.monotonic() < ends, self.shown
            if select.select([self.terminal], [], [], 2)[0]:
                self.shown += os.read(self.terminal, 4096).decode(errors="replace")
            else:
                os.write(self.terminal, b"\x03")

    def answer(self, question: str, word: str) -> None:
        self.until(question)
        self.until(": ")
        os.write(self.terminal, f"{word}\n".encode())


@contextmanager
def typing(home: Path, *words: str) -> Iterator[Typing]:
    at = Typing(home, *words)
    try:
        yield at
    finally:
        os.kill(at.child, signal.SIGKILL)
        os.waitpid(at.child, 0)
        os.close(at.terminal)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_who_types_something_wrong_is_told_at_once_and_asked_again_and_may_stop_in_the_middle(
    tmp_path: Path,
) -> None:
    require(OPENSSH)
    with typing(tmp_path) as at:
        at.answer("Your province", "Tỉnh Quảng Trị")
        at.answer("The first commune", "Hải Ninh")
        at.until("such as hai-ninh")
        at.answer("The first commune", "hai-ninh")
        at.answer("station's host", "")
        at.answer("The station's address", "127.0.0")
        at.until("four numbers from 0 to 255")
        at.answer("The station's address", "127.0.0.2")
        at.answer("Under which name", "")
        at.until("[pc13]: ")
        at.interrupt("run the same again, and it goes on")
    assert yaml.safe_load((tmp_path / "province" / "answers.yml").read_text()) == {
        "province": "Tỉnh Quảng Trị", "commune": "hai-ninh", "station": "tram-hai-ninh",
        "station_address": "127.0.0.2", "broker": "127.0.0.2",
    }  # fmt: skip

    with typing(tmp_path) as at:
        for question, word in (
            ("What the station runs on", ""), ("first box", ""), ("box's address", "10.20.1.11"),
            ("What the boxes run on", "pi13"), ("Where the box hangs", "Chợ"), ("log in as", ""),
            ("administrators come", ""), ("boxes come to", ""), ("Who gives the time", ""),
            ("cameras are for", ""), ("decision that they rest on", "123/QĐ"), ("What the boxes are", ""),
            ("box's camera", ""), ("Its kind", "csi"),
            ("passphrase for the authority", "short"),
        ):  # fmt: skip
            at.answer(question, word)
        at.answer("Repeat for confirmation", "short")
        at.until("12 characters or more")
        for question, word in (
            ("passphrase for the authority", "a cat upon a pole"),
            ("password for the vault", "a door that opens"),
            ("passphrase for the key that signs", "twelve hens"),
        ):  # fmt: skip
            at.answer(question, word)
            at.answer("Repeat for confirmation", word)
        at.until("site.yml --ask-vault-pass")
        assert "a cat upon a pole" not in at.shown

    with typing(tmp_path) as at:
        at.answer("password for the vault", "another, wrong")
        at.until("the password is wrong")
        at.answer("password for the vault", "a door that opens")
        at.until("site.yml --ask-vault-pass")


@pytest.mark.long
def test_without_a_terminal_and_without_a_file_it_says_so() -> None:
    done = subprocess.run(
        [HERE / "ngatu", "fleet", "prepare"], capture_output=True, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 1
    assert "--answers FILE" in done.stderr


@pytest.mark.long
def test_what_is_no_checkout_is_named(tmp_path: Path) -> None:
    answers = tmp_path / "mine.yml"
    answers.write_text("")
    done = subprocess.run(
        [HERE / "ngatu", "fleet", "prepare", "--answers", answers, "--checkout", tmp_path],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{tmp_path}: here are no playbooks of ngatu" in done.stderr
    assert "ngatu fleet init FOLDER" in done.stderr
    assert not (tmp_path / "province").exists()
