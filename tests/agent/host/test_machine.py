"""agent.host.machine"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.clock import SystemClock
from agent.host.machine import PLACES_S, Machine, disk, rss_bytes
from tests.conftest import SteppedClock


def board(folder: Path, *, throttled: str | None = None, zones: tuple[tuple[str, str], ...] = ()) -> Path:
    """A /sys as a board shows it."""
    if throttled is not None:
        place = folder / "devices/platform/soc/soc:firmware"
        place.mkdir(parents=True, exist_ok=True)
        (place / "get_throttled").write_text(throttled + "\n")
    for number, (kind, temp) in enumerate(zones):
        zone = folder / f"class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text(kind + "\n")
        (zone / "temp").write_text(temp + "\n")
    return folder


def test_the_load_is_of_all_cores_together() -> None:
    machine = Machine(SystemClock())
    assert machine.cpu_pct() is None

    burner = "import time\nend = time.monotonic() + 1.3\nwhile time.monotonic() < end: pass"
    before = psutil.cpu_times()
    with subprocess.Popen([sys.executable, "-c", burner]):
        pass
    load_pct, after = machine.cpu_pct(), psutil.cpu_times()

    idle = (after.idle + after.iowait) - (before.idle + before.iowait)
    assert load_pct is not None
    assert 0 < load_pct <= 100
    total = sum(after[:8]) - sum(before[:8])  # without guest times, which are counted in user
    assert load_pct == pytest.approx(100 * (1 - idle / total), abs=15)
    assert machine.cpu_pct() == load_pct  # asked again at once: the same


def test_power_and_heat_of_a_pi_are_told_and_remembered(tmp_path: Path, clock: SteppedClock) -> None:
    machine = Machine(clock, board(tmp_path, throttled="50005"))
    first = machine.throttled()
    board(tmp_path, throttled="0")
    later = machine.throttled()

    assert first is not None
    assert later is not None
    assert (first.under_voltage, first.frequency_capped) == (True, False)
    assert (first.under_voltage_since_boot, first.frequency_capped_since_boot) == (True, False)
    assert not later.under_voltage
    assert later.under_voltage_since_boot


@pytest.mark.parametrize("shown", [None, "", "n/a"])
def test_another_board_has_no_throttle_bits(tmp_path: Path, clock: SteppedClock, shown: str | None) -> None:
    assert Machine(clock, board(tmp_path, throttled=shown)).throttled() is None


@pytest.mark.parametrize(
    ("zones", "temp_c"),
    [
        ((("cpu-thermal", "51234"),), 51.234),
        ((("GPU-therm", "40000"), ("CPU-therm", "62500")), 62.5),
        ((("acpitz", "30000"), ("other", "1")), 30.0),
        ((("cpu-thermal", "broken"), ("other", "44000")), 44.0),
        ((), None),
    ],
)
def test_the_temperature_is_the_processors(
    tmp_path: Path, clock: SteppedClock, zones: tuple[tuple[str, str], ...], temp_c: float | None
) -> None:
    assert Machine(clock, board(tmp_path, zones=zones)).cpu_temp_c() == temp_c


def test_memory_is_of_the_children_too() -> None:
    alone = rss_bytes()
    program = "data = bytearray(64 << 20); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdout.readline()
        both = rss_bytes()
        child.communicate("\n", timeout=10)

    assert both - alone > 64 << 20


def test_the_disk_is_the_folders_and_what_was_written_grows(tmp_path: Path) -> None:
    before = disk(tmp_path)
    with (tmp_path / "data").open("wb") as file:
        file.write(bytes(1 << 20))
    after = disk(tmp_path)

    assert before.free_bytes is not None
    assert before.free_bytes > 0
    assert (after.written_bytes or 0) >= (before.written_bytes or 0)


def test_a_folder_that_is_gone_leaves_the_space_unknown(tmp_path: Path) -> None:
    assert disk(tmp_path / "gone").free_bytes is None


def test_where_the_kernel_shows_a_temperature_is_looked_for_once_a_minute(
    tmp_path: Path, clock: SteppedClock
) -> None:
    machine = Machine(clock, board(tmp_path))
    assert machine.cpu_temp_c() is None
    board(tmp_path, zones=(("cpu-thermal", "51000"),))  # its driver comes late
    clock.advance(PLACES_S / 2)
    early = machine.cpu_temp_c()
    clock.advance(PLACES_S / 2)

    assert early is None
    assert machine.cpu_temp_c() == 51
    (tmp_path / "class/thermal/thermal_zone0/temp").write_text("52000\n")
    assert machine.cpu_temp_c() == 52  # the place is known, the figure is read each time
