"""deploy/systemd/: the time in which a hang ends; what systemd thinks of units is in tests/acceptance/fleet"""

from __future__ import annotations

import re
from pathlib import Path

from agent.host.supervise import LATE_S
from agent.runtime import app

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "ngatu.service"


def setting(name: str) -> str:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)[-1]


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
