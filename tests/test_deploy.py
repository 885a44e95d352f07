"""deploy/: the unit file, as systemd reads it, and the time in which a hang ends"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent import app
from agent.supervise import LATE_S

UNIT = Path(__file__).resolve().parent.parent / "deploy" / "systemd" / "ngatu.service"


def setting(name: str) -> str:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)[-1]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program and a user that are here: whether they exist is not what is asked."""
    if shutil.which("systemd-analyze") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "systemd-analyze is not here: apt install systemd"
        )
    path = tmp_path / "ngatu.service"
    text = UNIT.read_text().replace("/opt/ngatu/bin/ngatu", "/bin/true")
    path.write_text(re.sub(r"^(User|Group)=ngatu$", r"\1=daemon", text, flags=re.MULTILINE))
    return path


def test_systemd_understands_every_line(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    mine = [line for line in done.stderr.splitlines() if str(unit) in line]

    # RestartSteps is younger than Debian 12: there it is left out, and the waits stay short.
    assert [line for line in mine if "RestartSteps" not in line and "RestartMaxDelaySec" not in line] == []
    assert done.returncode == 0, done.stderr


def test_the_sandbox_holds_the_exposure_below_two(unit: Path) -> None:
    """Promise P35."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    exposure = re.search(r"exposure level.*?: ([\d.]+)", done.stdout)

    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= 2.0
    assert done.returncode == 0


def test_a_loop_that_hangs_is_started_again_within_45_seconds() -> None:
    """Promise P24, by the numbers that stand in the code and in the unit."""
    restart_s = float(setting("WatchdogSec")) + float(setting("RestartSec"))

    assert LATE_S + app.TICK_S + restart_s <= 45


def test_systemd_waits_longer_for_the_end_than_the_agent_takes() -> None:
    assert float(setting("TimeoutStopSec")) > app.STOP_S


def test_whatever_the_exit_code_the_agent_is_started_again() -> None:
    """A box on a pole has nobody to do it, and a wrong file may be right a minute later."""
    assert setting("Restart") == "always"
    assert setting("StartLimitIntervalSec") == "0"
    assert "RestartPreventExitStatus" not in UNIT.read_text()
