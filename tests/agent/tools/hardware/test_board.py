"""agent.tools.hardware.board, on trees of files as the kernel shows them"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.host.machine import Machine
from agent.tools.hardware import board
from agent.tools.hardware.checklist import State


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content + "\n")
    return root


ZONE = "class/thermal/thermal_zone0"


@pytest.mark.parametrize(("warmest", "state"), [(55, State.OK), (72, State.WARNING), (81, State.FAILED)])
def test_heat_is_judged_by_the_warmest_moment_under_load(tmp_path: Path, warmest: int, state: State) -> None:
    sys = tree(tmp_path, {f"{ZONE}/type": "cpu-thermal", f"{ZONE}/temp": "45000"})
    seconds = iter([50, warmest, 48, 47])
    found = board.heat(
        Machine(SystemClock(), sys), 2.0, 1,
        lambda _s: tree(tmp_path, {f"{ZONE}/temp": str(next(seconds) * 1000)}) and None,
    )  # fmt: skip
    assert (found.state, found.measured["rest_c"], found.measured["warmest_c"]) == (state, 45, warmest)
    assert found.hint or state is State.OK


def test_a_board_without_a_thermometer_says_so_without_a_load(tmp_path: Path) -> None:
    began = time.process_time()
    found = board.heat(Machine(SystemClock(), tmp_path), 60.0)
    assert found.state is State.ABSENT and time.process_time() - began < 1


@pytest.mark.parametrize(
    ("bits", "state"),
    [
        ("0x0", State.OK),
        ("0x50000", State.FAILED),
        ("0x1", State.FAILED),
        ("0x20000", State.WARNING),
        (None, State.ABSENT),
    ],
)
def test_too_little_voltage_since_the_start_is_a_failure(
    tmp_path: Path, bits: str | None, state: State
) -> None:
    if bits is not None:
        tree(tmp_path, {"devices/platform/soc/soc:firmware/get_throttled": bits.removeprefix("0x")})
    assert board.throttling(Machine(SystemClock(), tmp_path)).state is state


DOG = "sys/class/watchdog/watchdog0"


@pytest.mark.parametrize(
    ("files", "state", "words"),
    [
        ({}, State.FAILED, "this board has none"),
        ({f"{DOG}/identity": "Broadcom BCM2835", f"{DOG}/state": "inactive"}, State.FAILED, "nobody feeds it"),
        ({f"{DOG}/identity": "B", f"{DOG}/state": "active", f"{DOG}/timeout": "15"}, State.OK, "after 15 s"),
    ],
)
def test_a_watchdog_that_nobody_feeds_is_none(
    tmp_path: Path, files: dict[str, str], state: State, words: str
) -> None:
    found = board.watchdog(tree(tmp_path, files))
    assert found.state is state and words in found.found and (found.hint or state is State.OK)


RTC = "sys/class/rtc/rtc0"


@pytest.mark.parametrize(
    ("shown", "state"),
    [(None, State.WARNING), ("1795000000", State.OK), ("1795000050", State.OK), ("7", State.FAILED)],
)
def test_a_battery_clock_must_show_the_time(tmp_path: Path, shown: str | None, state: State) -> None:
    if shown is not None:
        tree(tmp_path, {f"{RTC}/name": "rpi-rtc", f"{RTC}/since_epoch": shown})
    assert board.battery_clock(1_795_000_000.0, tmp_path).state is state


@pytest.mark.parametrize(
    ("files", "state", "tpm"),
    [
        ({"sys/class/tpm/tpm0/x": ""}, State.OK, True),
        ({"var/lib/systemd/credential.secret": "k"}, State.OK, False),
        ({}, State.WARNING, False),
    ],
)
def test_a_secret_wants_a_tpm_or_the_hosts_key(
    tmp_path: Path, files: dict[str, str], state: State, tpm: bool
) -> None:
    found = board.keys(tree(tmp_path, files))
    assert (found.state, found.measured["tpm"]) == (state, tpm)


def test_an_encoder_is_told_from_other_video_devices(tmp_path: Path) -> None:
    video = "sys/class/video4linux"
    tree(tmp_path, {f"{video}/video0/name": "unicam-image", f"{video}/video10/name": "bcm2835-codec-decode"})
    assert board.encoders(tmp_path).state is State.ABSENT
    tree(tmp_path, {f"{video}/video11/name": "bcm2835-codec-encode"})
    assert board.encoders(tmp_path).found == "bcm2835-codec-encode"


@pytest.mark.parametrize("name", [
    "bcm2835-codec-encode_image", "rockchip,rk3399-vpu-enc", "s5p-jpeg-enc", "mtk-jpeg-enc", "mtk-venc-vp8",
    "coda-jpeg-encoder", "USB encoder stick",
])  # fmt: skip
def test_what_encodes_something_else_is_no_encoder_of_h264(tmp_path: Path, name: str) -> None:
    tree(tmp_path, {"sys/class/video4linux/video11/name": f"{name}\n"})
    assert board.encoders(tmp_path).state is State.ABSENT


def test_a_network_counts_while_it_is_up(tmp_path: Path) -> None:
    net = "sys/class/net"
    tree(
        tmp_path, {f"{net}/lo/operstate": "unknown", f"{net}/eth0/operstate": "down", f"{net}/eth0/speed": "-1"}
    )
    assert board.links(tmp_path).state is State.FAILED
    tree(tmp_path, {f"{net}/eth0/operstate": "up", f"{net}/eth0/speed": "1000", f"{net}/wlan0/operstate": "up",
                    f"{net}/wlan0/wireless/x": ""})  # fmt: skip
    assert board.links(tmp_path).found == "eth0, 1000 Mbit/s; wlan0"


def test_a_board_is_named_by_its_device_tree_or_by_its_firmware(tmp_path: Path) -> None:
    assert board.about(tmp_path)["board"] == "unknown"
    tree(tmp_path, {"sys/class/dmi/id/product_name": "Mini PC"})
    assert board.about(tmp_path)["board"] == "Mini PC"
    tree(tmp_path, {"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"})
    assert board.about(tmp_path)["board"] == "Raspberry Pi 5 Model B Rev 1.0"
