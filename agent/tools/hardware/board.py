"""What the kernel tells of the board itself: heat, power, watchdog, clock, keys, encoders, links.

`root` is where the kernel's folders lie: `/`, or a tree that a test has made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.clock import RTC_AGREES_S, trust
from agent.host.machine import HOT_C, Machine
from agent.tools.hardware.checklist import BoardFinding, Measured, State
from agent.tools.hardware.load import loaded_cores
from agent.translatable import joined, tr

ROOT: Final = Path("/")
WARM_C: Final = 70.0
"""Above this in a room there is little left for a box in the sun."""
LOOK_S: Final = 0.5
H264_ENCODERS: Final = frozenset({
    "bcm2835-codec-encode", "coda-video-encoder", "mtk-vcodec-enc", "qcom-venus-encoder", "s5p-mfc-enc",
    "C&M Wave5 VPU encoder",
})  # fmt: skip
"""As Linux names them (drivers/media/platform; the first one in Raspberry Pi's own). Others with such names
encode JPEG or VP8: bcm2835-codec-encode_image, s5p-jpeg-enc, rockchip,rk3399-vpu-enc, mtk-venc-vp8."""


def about(root: Path = ROOT) -> dict[str, str | int | None]:
    """What board it is."""
    names = ("proc/device-tree/model", "sys/class/dmi/id/product_name")
    model = next((name for name in (_text(root / each) for each in names) if name), "unknown")
    system = os.uname()
    return {
        "board": model,
        "system": f"{system.sysname} {system.release} {system.machine}",
        "host": system.nodename,
        "cores": os.cpu_count(),
    }


def heat(
    machine: Machine, for_s: float, cores: int | None = None, sleep: Callable[[float], None] = time.sleep
) -> BoardFinding:
    """How warm the board becomes when all its cores work."""
    title = tr("Heat")
    rest_c = machine.cpu_temp_c()
    if rest_c is None:
        found = tr("the kernel shows no temperature")
        return BoardFinding("heat", title, State.ABSENT, found, tr("measure it by hand, in the closed box"))
    warmest_c = rest_c
    with loaded_cores(cores or os.cpu_count() or 1):
        for _ in range(max(1, round(for_s / LOOK_S))):
            sleep(LOOK_S)
            warmest_c = max(warmest_c, machine.cpu_temp_c() or rest_c)
    found = tr(
        "{rest_c:.0f} °C, {warmest_c:.0f} °C after {for_s:.0f} s with all cores at work",
        rest_c=rest_c,
        warmest_c=warmest_c,
        for_s=for_s,
    )
    measured = {"rest_c": rest_c, "warmest_c": warmest_c, "for_s": for_s}
    if warmest_c >= HOT_C:
        hint = tr("it slows down from {hot_c:.0f} °C on: a heat sink, a fan, shade", hot_c=HOT_C)
        return BoardFinding("heat", title, State.FAILED, found, hint, measured)
    if warmest_c >= WARM_C:
        hint = tr("that leaves little for a closed box in the sun")
        return BoardFinding("heat", title, State.WARNING, found, hint, measured)
    return BoardFinding("heat", title, State.OK, found, "", measured)


def throttling(machine: Machine) -> BoardFinding:
    """Whether the firmware has ever found too little voltage, or capped the clock; asked after the load."""
    title, said = tr("Power supply"), machine.throttled()
    if said is None:
        found = tr("this board's firmware tells nothing of it")
        return BoardFinding("throttling", title, State.ABSENT, found)
    measured = {name: value for name, value in said.model_dump().items() if isinstance(value, bool)}
    if said.under_voltage_since_boot:
        found, hint = (
            tr("too little voltage since the start"),
            tr("a stronger supply, a shorter or thicker cable"),
        )
        return BoardFinding("throttling", title, State.FAILED, found, hint, measured)
    if said.frequency_capped_since_boot:
        found, hint = tr("slowed down since the start"), tr("see Heat")
        return BoardFinding("throttling", title, State.WARNING, found, hint, measured)
    return BoardFinding("throttling", title, State.OK, tr("voltage and clock as they should be"), "", measured)


def watchdog(root: Path = ROOT) -> BoardFinding:
    """Whether hardware starts a hung kernel anew, and somebody feeds it."""
    title, place = tr("Hardware watchdog"), root / "sys/class/watchdog/watchdog0"
    if not place.exists():
        return BoardFinding(
            "watchdog",
            title,
            State.FAILED,
            tr("this board has none"),
            tr("dtparam=watchdog=on, or the board's driver"),
        )
    identity, state, timeout = (_text(place / name) for name in ("identity", "state", "timeout"))
    measured = {"identity": identity, "state": state, "timeout_s": timeout}
    if state != "active":
        found = tr("{identity}: nobody feeds it", identity=identity or "?")
        hint = tr("RuntimeWatchdogSec=15 in /etc/systemd/system.conf, as the role ngatu_base sets it")
        return BoardFinding("watchdog", title, State.FAILED, found, hint, measured)
    found = tr("{identity}, starts the board anew after {timeout} s", identity=identity, timeout=timeout)
    return BoardFinding("watchdog", title, State.OK, found, "", measured)


def battery_clock(wall_s: float, root: Path = ROOT) -> BoardFinding:
    """Whether there is a clock that goes on without power, and shows the same time."""
    title, place = tr("Battery clock"), root / "sys/class/rtc/rtc0"
    name, shown = _text(place / "name"), _text(place / "since_epoch")
    if not shown.isdigit():
        hint = tr("after a power cut times are not to be trusted until the network tells them")
        return BoardFinding("battery clock", title, State.WARNING, tr("this board has none"), hint)
    off_s = int(shown) - wall_s
    measured: Measured = {"name": name, "off_s": round(off_s, 1), "kept_by": trust().state}
    if abs(off_s) > RTC_AGREES_S:
        found = tr("{name} is {off_s:.0f} s off", name=name, off_s=off_s)
        hint = tr("hwclock --systohc, once the time is right; then see to its battery")
        return BoardFinding("battery clock", title, State.FAILED, found, hint, measured)
    found = tr("{name} agrees; that it goes on without power shows when the power is cut", name=name)
    return BoardFinding("battery clock", title, State.OK, found, "", measured)


def keys(root: Path = ROOT) -> BoardFinding:
    """What a secret can be bound to: a TPM, or the host's key."""
    title = tr("Keys of the board")
    tpm = (root / "sys/class/tpm/tpm0").exists()
    try:
        host = (root / "var/lib/systemd/credential.secret").exists()
    except PermissionError:
        host = True  # what others may not even look for is there
    measured = {"tpm": tpm, "host_key": host}
    if tpm:
        return BoardFinding(
            "keys", title, State.OK, tr("a TPM: a card in another board cannot be read"), "", measured
        )
    if host:
        found = tr("no TPM; secrets are encrypted with the host's key, which lies on the card")
        return BoardFinding("keys", title, State.OK, found, "", measured)
    hint = tr("`sudo systemd-creds setup` makes the host's key")
    return BoardFinding("keys", title, State.WARNING, tr("neither a TPM nor a host's key"), hint, measured)


def encoders(root: Path = ROOT) -> BoardFinding:
    """Whether the board encodes H.264 by hardware."""
    title = tr("Video encoder")
    names = {_text(place) for place in (root / "sys/class/video4linux").glob("*/name")}
    found = sorted(names & H264_ENCODERS)
    if not found:
        none = tr("none in hardware: what is recorded of a ribbon camera is encoded by the processor")
        return BoardFinding("encoder", title, State.ABSENT, none, "", {"encoders": ""})
    return BoardFinding("encoder", title, State.OK, ", ".join(found), "", {"encoders": ", ".join(found)})


def links(root: Path = ROOT) -> BoardFinding:
    """Which networks the board is plugged into."""
    title = tr("Network")
    up: list[str] = []
    measured: dict[str, str] = {}
    for place in sorted((root / "sys/class/net").glob("*")):
        if place.name == "lo" or _text(place / "operstate") not in ("up", "unknown"):
            continue
        speed = _text(place / "speed")
        wireless = (place / "wireless").exists()
        measured[place.name] = "wireless" if wireless else speed
        fast = tr("{name}, {speed} Mbit/s", name=place.name, speed=speed)
        known = speed.isdigit() and not wireless
        up.append(fast if known else place.name)
    if not up:
        hint = tr("check the cable, or the modem")
        return BoardFinding("network", title, State.FAILED, tr("no network is up"), hint)
    return BoardFinding("network", title, State.OK, joined("; ", up), "", measured)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
