"""agent.stop_signals"""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PROGRAM = """
import sys
from agent.stop_signals import StopSignals
from agent.host.supervise import Stop
stop = Stop()
signals = StopSignals(stop.set)
print("listens", flush=True)
stop.wait(20)
if sys.argv[1] == "ignore":
    signals.ignore()
else:
    print(signals.release(), stop.is_set(), flush=True)
print("over", flush=True)
sys.stdin.readline()
print("alive", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_program_in_order_and_is_remembered(number: signal.Signals) -> None:
    with _program("release") as program:
        program.send_signal(number)
        assert _says(program) == "True True"
        assert _says(program) == "over"
        program.send_signal(number)  # from now on it is deadly again: nothing swallows it

        assert program.wait(20) == -number


def test_no_signal_ends_a_program_otherwise_once_it_has_ended() -> None:
    with _program("ignore") as program:
        program.send_signal(signal.SIGTERM)
        assert _says(program) == "over"
        program.send_signal(signal.SIGTERM)
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate("\n", 20)

    assert (out, program.returncode) == ("alive\n", 0)


HANG_UP = """
import os, signal, sys
from agent.stop_signals import StopSignals
from agent.host.supervise import Stop
if sys.argv[1] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
signals = StopSignals(Stop().set)
os.kill(os.getpid(), signal.SIGHUP)
print(signals.release())
"""


@pytest.mark.parametrize(("started", "heard"), [("by hand", "True"), ("nohup", "False")])
def test_a_closed_terminal_ends_a_program_unless_it_was_started_to_outlive_it(started: str, heard: str) -> None:
    words = [sys.executable, "-c", HANG_UP, started]
    program = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)

    assert program.stdout.split() == [heard]


def test_who_had_no_signal_says_so() -> None:
    program = subprocess.run(
        [
            sys.executable,
            "-c",
            "from agent.stop_signals import StopSignals; from agent.host.supervise import Stop;"
            "print(StopSignals(Stop().set).release())",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )

    assert program.stdout == "False\n"


def _program(way: str) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, way], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert _says(program) == "listens"
    return program


def _says(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def test_no_handler_of_a_signal_sets_what_its_own_thread_may_be_waiting_for() -> None:
    """An Event that a handler sets between two steps of its own wait is locked for good, and that is seldom."""
    ours = [path for room in ("agent", "station", "verifier", "models") for path in (ROOT / room).rglob("*.py")]
    assert len(ours) > 400
    waits = [
        path for path in ours
        if re.search(r"signal\.signal\(.*\.(set|stop)\(", path.read_text(encoding="utf-8"))
        and re.search(r"\.wait\(|subscriber\.run\(", path.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert waits == []
