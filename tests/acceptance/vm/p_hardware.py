"""`ngatu check --hardware` from the first item to the power cut, with somebody at its terminal."""

from __future__ import annotations

import json
import time

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.vm import vivid
from tests.acceptance.vm.machine import Machine, Typed

CONFIG = f"""
device: {{commune: hai-ninh, id: hai-ninh-01}}
broker: {{host: 127.0.0.1, connect_timeout_s: 5}}
state_dir: /var/lib/ngatu
cameras:
  - name: east
    source: {{kind: usb, device: {vivid.DEVICE}, width_px: 320, height_px: 180, fps: 5}}
    max_fps: 5
    stall_s: 20
    open_timeout_s: 60
"""
SAVED = "/var/lib/ngatu/hardware/checklist.json"
EXPECTED = {"watchdog": "ok", "frames east": "ok", "wear": "ok", "unplug east": "ok", "cover east": "ok"}


@promise(
    "V2",
    "the checklist, with a camera and a watchdog: unplugged, covered, and the power cut when it asks",
    "what it can measure it measures; each deed is verified by itself; after the cut nothing is left to do",
    minutes=8,
)
def hardware(trial: Trial) -> str:
    with Machine(trial.folder) as machine:
        vivid.load(machine)
        machine.put(CONFIG, "/etc/ngatu.yaml")
        check = machine.python("-m", "agent", "check", "--hardware", "-c", "/etc/ngatu.yaml")
        alone = machine.run(*check, timeout_s=400)
        if "[to do]" not in alone.output.replace("  to do  ", "[to do]") or alone.code not in (1, 3):
            raise Broken(f"without a terminal: {alone.code}, {alone.output[-1500:]}")
        terminal = machine.terminal(*check)
        _at_the_camera(machine, terminal)
        terminal.await_words("count to ten", 60)
        terminal.type("\n")
        terminal.await_words("waiting", 30)
        time.sleep(1.0)  # as a hand takes to reach the plug
        machine.cut()
        terminal.close()
        machine.boot()
        vivid.load(machine)
        after = machine.run(*check, timeout_s=400)
        states = {
            item["item"]: item["state"] for item in json.loads(machine.run("cat", SAVED).good().output)["items"]
        }
    wrong = {item: states.get(item) for item, state in EXPECTED.items() if states.get(item) != state}
    if wrong or states["power"] != "ok" or "open" in states.values():
        raise Broken(f"not as expected: {wrong or states}; {after.output[-2500:]}")
    counts = {state: [*states.values()].count(state) for state in sorted({*states.values()})}
    power = next(line for line in after.output.splitlines() if "Power cut" in line)
    return f"{len(states)} items: {counts} (the broker is none); {' '.join(power.split())}"


def _at_the_camera(machine: Machine, terminal: Typed) -> None:
    terminal.await_words("pull the cable of camera east", 400)
    terminal.type("\n")
    terminal.await_words("do it now", 120)
    vivid.unplug(machine)
    time.sleep(3.0)
    vivid.plug(machine)
    terminal.await_words("Camera east unplugged", 200)
    terminal.await_words("cover the lens of camera east", 60)
    terminal.type("\n")
    terminal.await_words("do it now", 120)
    vivid.brightness(machine, 0)
    time.sleep(5.0)
    vivid.brightness(machine, 128)
    terminal.await_words("Camera east covered", 200)
