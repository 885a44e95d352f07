"""agent.clock"""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from agent import clock
from agent.clock import SystemClock, boot_id, rtc_agrees, trust


def test_both_clocks_go_forward_and_one_never_steps() -> None:
    moments = [SystemClock().now() for _ in range(100)]

    assert all(later.mono_s >= earlier.mono_s for earlier, later in pairwise(moments))
    assert moments[0].wall_s > 1_700_000_000


def test_the_clock_that_never_steps_is_the_same_in_every_process() -> None:
    before = SystemClock().now().mono_s
    program = "from agent.clock import SystemClock; print(SystemClock().now().mono_s)"
    other = float(subprocess.check_output([sys.executable, "-c", program]))

    assert before <= other <= SystemClock().now().mono_s


def test_the_kernel_is_asked_whether_the_clock_is_kept() -> None:
    trusted = trust()

    assert trusted.state in ("ntp", "rtc", "unknown")
    assert (trusted.error_ms is not None) == (trusted.state == "ntp")
    assert trusted.error_ms is None or trusted.error_ms >= 0


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [("1770000010\n", True), ("1769999000\n", False), ("3600\n", False), ("", False), ("soon\n", False)],
)
def test_a_battery_clock_is_believed_only_if_it_shows_the_same_time(
    tmp_path: Path, shown: str, agrees: bool
) -> None:
    rtc = tmp_path / "since_epoch"
    rtc.write_text(shown)

    assert rtc_agrees(rtc, 1_770_000_000.0) is agrees


def test_without_a_battery_clock_nothing_agrees(tmp_path: Path) -> None:
    assert not rtc_agrees(tmp_path / "none", 1_770_000_000.0)


def test_the_boot_has_a_name_also_where_the_kernel_tells_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = boot_id()
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "none")
    boot_id.cache_clear()

    assert boot_id() == "unknown"
    boot_id.cache_clear()
    monkeypatch.undo()
    assert boot_id() == real
