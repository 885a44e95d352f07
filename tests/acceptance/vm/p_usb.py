"""USB cameras on a real driver of the kernel: formats, loss, return under another number."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.vm import vivid
from tests.acceptance.vm.machine import Machine
from tests.support.brokers import until
from tests.support.watching import Watching

STALL_S = 20.0
"""An emulated machine may take its time."""
CAMERA = {
    "name": "east",
    "source": {"kind": "usb", "device": vivid.DEVICE, "width_px": 320, "height_px": 180, "fps": 5},
    "max_fps": 5,
    "stall_s": STALL_S,
    "open_timeout_s": 60,
}
ASK = """
import json
from agent.cameras.decode.usb.formats import chosen, modes_of
modes = list(modes_of(DEVICE, (320, 180)))
best = chosen(modes, (320, 180), 5, 5)
formats = sorted({mode.fourcc.decode("latin-1") for mode in modes})
print(json.dumps([len(modes), formats, best.fourcc.decode(), best.fps]))
"""


@contextmanager
def watching(machine: Machine) -> Iterator[Watching]:
    """The agent's way to look through the camera, going on for ever."""
    errors = (machine.folder / "eye.log").open("a")
    words = machine.python("-m", "tests.support.eye", "watch", json.dumps(CAMERA))
    process = machine.started(*words, stdout=subprocess.PIPE, stderr=errors)
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait(10)


@promise(
    "V1",
    "the kernel's vivid as a USB camera named by its path; pulled out, and plugged in under another number",
    "the cheapest format of its list is taken; told as pulled out; pictures again after its return",
    minutes=4,
)
def usb(trial: Trial) -> str:
    with Machine(trial.folder) as machine:
        vivid.load(machine)
        code = f"DEVICE = {vivid.DEVICE!r}\n{ASK}"
        asked = machine.run(*machine.python("-c", code)).good().output
        number, formats, best, fps = json.loads(asked.splitlines()[-1])
        if best != "YU12" or not {"YUYV", "YU12", "NV12"} <= set(formats):
            raise Broken(f"of {formats} it took {best}")
        with watching(machine) as seen:
            seen.come(5, 180)
            facts, first = seen.facts, vivid.node(machine)
            size = (facts["width_px"], facts["height_px"], facts["pixel_format"])
            if size != (320, 180, "yuv420p") or len({*seen.frames[-1][3]}) < 4:
                raise Broken(f"{size}, luma of a row {seen.frames[-1][3]}")
            # Whoever has it open keeps the number, as a program that does not let go of a camera does.
            held = machine.started("sh", "-c", f"exec sleep 600 < {first}")
            until(lambda: _open_twice(machine, first), 90, "somebody else has it open, too")
            began = time.monotonic()
            vivid.unplug(machine)
            until(lambda: seen.lost, STALL_S + 30, "it is told lost")
            lost_s, why = time.monotonic() - began, seen.lost[0][1]
            if "was pulled out" not in why and "no camera at" not in why:
                raise Broken(f"told as {why}")
            until(lambda: any("no camera at" in what for _, what in seen.lost), 60, "it is not there")
            vivid.plug(machine)
            began = time.monotonic()
            seen.come(3, 120)
            back_s, second = time.monotonic() - began, vivid.node(machine)
            held.kill()
        if first == second:
            raise Broken(f"it came back as {second}, so nothing was tried")
        return (
            f"{machine.accelerator}, up after {machine.boot_s:.0f} s; {number} modes, {len(formats)} formats, "
            f"{best} at up to {fps:g}/s taken; lost {lost_s:.1f} s after it was pulled out "
            f"({why.splitlines()[0]}); {first} became {second}, pictures {back_s:.1f} s after that"
        )


def _open_twice(machine: Machine, node: str) -> bool:
    listed = machine.run("sh", "-c", f"ls -l /proc/*/fd 2>/dev/null | grep -c {node}$").output.strip()
    return listed.isdigit() and int(listed) >= 2
