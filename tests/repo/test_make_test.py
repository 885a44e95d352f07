"""Makefile, .ci/run: what `make test` leaves out runs in `make test-long`; both run before a change lands"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

MARKS = ("long", "browser")


def asked(target: str) -> list[str]:
    """The words after pytest's name that a target gives it."""
    if shutil.which("make") is None:
        pytest.skip("make is not here: apt install make")
    done = subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True, text=True)
    (line,) = (line for line in done.stdout.splitlines() if " -m pytest " in line)
    return shlex.split(line.partition(" -m pytest ")[2])


def test_each_test_runs_in_one_of_the_two() -> None:
    quick, long = asked("test"), asked("test-long")
    left_out, taken = (words[words.index("-m") + 1] for words in (quick, long))

    assert left_out == f"not ({taken})"
    assert taken == " or ".join(MARKS)
    assert quick[quick.index("-m") + 2 :] == []  # every folder of setup.cfg's testpaths


def test_the_long_ones_are_looked_for_in_every_file_that_has_some() -> None:
    words = asked("test-long")
    marked = re.compile(rf"\bmark\.({'|'.join(MARKS)})\b")
    holding = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if path.name not in ("conftest.py", "test_make_test.py") and marked.search(path.read_text("utf-8"))
    }

    assert set(words[words.index("-m") + 2 :]) == holding
    assert all(name.rpartition("/")[2].startswith("test_") for name in holding)
    assert len(holding) > 30


def test_both_run_before_a_change_lands_and_what_fails_in_either_is_tried_once_more() -> None:
    steps = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()

    assert {"make test || again .venv", "make test-long || again .venv"} <= set(steps)
