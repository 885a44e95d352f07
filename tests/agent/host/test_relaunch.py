"""agent.host.relaunch"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import NgatuError
from agent.host import relaunch


@pytest.mark.parametrize(
    ("environment", "service"),
    [
        ({}, False),
        ({"INVOCATION_ID": "a1"}, False),  # a terminal of a desktop has it from its own unit
        ({"INVOCATION_ID": "a1", "SYSTEMD_EXEC_PID": "6"}, False),
        ({"SYSTEMD_EXEC_PID": "7"}, True),
        ({"NOTIFY_SOCKET": "/run/systemd/notify"}, True),
        ({"STATE_DIRECTORY": "/var/lib/ngatu"}, True),
    ],
)
def test_only_what_systemd_keeps_is_a_service(environment: dict[str, str], service: bool) -> None:
    assert relaunch.is_service(environment, pid=7) is service


@pytest.mark.parametrize(
    ("given", "left_s", "then"),
    [
        (["run", "-c", "box.yaml"], None, ["run", "-c", "box.yaml"]),
        (["run", "--for=60"], 41.26, ["run", "--for=60", "--for", "41.3"]),
        (["run", "--for=60", "--for", "41.3"], 20.0, ["run", "--for=60", "--for", "20.0"]),
    ],
)
def test_a_new_start_has_the_same_words_and_what_is_left_of_its_time(
    given: list[str], left_s: float | None, then: list[str]
) -> None:
    assert relaunch.arguments(given, left_s) == then


PROGRAM = """
import os, sys
from agent.host import relaunch
print(os.getpid(), sys.argv[1:], flush=True)
if len(sys.argv) < 4:
    held = os.open("/dev/null", os.O_RDONLY)
    relaunch.again(9.0)
print(sorted(os.listdir("/proc/self/fd"))[:4], flush=True)
"""


def test_a_program_that_starts_itself_anew_keeps_its_process_and_its_words(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "program.py", "box.yaml"],
        check=False, cwd=tmp_path,
        env={"PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    first, second, descriptors = [line for line in done.stdout.splitlines() if "starts_anew" not in line]
    assert first.split()[0] == second.split()[0]
    assert second.endswith("['box.yaml', '--for', '9.0']")
    assert descriptors.count("'") == 8  # the listing's own is the fourth: what was held is closed


def test_an_interpreter_that_is_gone_is_told_before_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relaunch.check()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))

    with pytest.raises(NgatuError, match="is not there any more"):
        relaunch.check()
    with pytest.raises(NgatuError, match="cannot be started anew: No such file"):
        relaunch.again(None)
