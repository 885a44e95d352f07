"""A real cut of the power, for whatever writes to the disk.

Whoever has another writer adds a trial here: a program that prints a line for each thing that it promises to be
on the disk (`writes`), and one that prints what is there (`reads`); `survived` cuts the power in the middle.
"""

from __future__ import annotations

import subprocess
import threading

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.vm.machine import Machine
from tests.support.brokers import until

PLACE = "/var/lib/plain"
"""Where the files lie."""
PLAIN = """
import os, sys
for number in range(100_000):
    with open(f"/var/lib/plain/{number}", "w") as file:
        file.write("x" * 4096)
        if sys.argv[1] == "synced":
            file.flush(); os.fsync(file.fileno()); os.fsync(folder)
    print(number, flush=True)
"""
FOLDER = (
    'import os\nos.makedirs("/var/lib/plain", exist_ok=True)\nfolder = os.open("/var/lib/plain", os.O_RDONLY)\n'
)
LOOK = """
import os
whole = (name for name in os.listdir("/var/lib/plain") if os.path.getsize(f"/var/lib/plain/{name}") == 4096)
print(*whole)
"""
OUTBOX = """
import os
from pathlib import Path
from agent.clock import SystemClock
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.message import Message, Priority
os.makedirs("/var/lib/box", exist_ok=True)
clock = SystemClock()
box = Outbox(Path("/var/lib/box/outbox.db"), OutboxSettings(), clock)
"""
PUTS = """
for number in range(100_000):
    box.put([Message("camera/a/event", b"%d" % number, "text/plain", Priority.EVENT, clock.now())])
    print(number, flush=True)
"""
WAITING = """
print(*(each.message.body.decode() for each in box.waiting(1 << 28, clock.now())))
os._exit(0)
"""


def survived(
    machine: Machine, writes: tuple[str, ...], reads: tuple[str, ...], least: int
) -> tuple[set[str], set[str]]:
    """What a program promised before the power went, and what is there afterwards: words, one a promise.

    The power goes as soon as so many promises have been heard; the machine is up again at the end.
    """
    heard: list[str] = []
    process = machine.started(*writes, stdout=subprocess.PIPE)

    def listen() -> None:
        assert process.stdout is not None
        heard.extend(line.strip() for line in process.stdout)

    threading.Thread(target=listen, daemon=True).start()
    # Lines are gathered as they come, so that what is heard is what was promised before the cut.
    until(lambda: len(heard) >= least, 300, f"{least} promises")
    machine.cut()
    promised = {*heard}
    process.kill()
    process.wait(10)
    machine.boot()
    return promised, {*machine.run(*reads).good().output.split()}


@promise(
    "V3",
    "messages put into the outbox, files synced and files not, and the power cut in the middle of each",
    "what was reported as kept is there, whole; of files not synced some are lost, or nothing was cut",
    minutes=9,
)
def power(trial: Trial) -> str:
    words, least = [], trial.size(200, 1000, quick=50)
    with Machine(trial.folder) as machine:
        for how, writes, reads in (
            ("outbox", (OUTBOX + PUTS,), OUTBOX + WAITING),
            ("synced files", (FOLDER + PLAIN, "synced"), LOOK),
            ("files", (FOLDER + PLAIN, "plain"), LOOK),
        ):
            # On the disk: else the cut may undo it, too, and there is no folder, or that of the case before.
            machine.run("sh", "-c", f"rm -rf {PLACE} && mkdir -p {PLACE} && sync").good()
            promised, there = survived(
                machine, machine.python("-c", *writes), machine.python("-c", reads), least
            )
            lost = promised - there
            if how != "files" and lost:
                raise Broken(f"{how}: {len(lost)} of {len(promised)} are not whole: {sorted(lost)[:5]}")
            if how == "files" and not lost:
                raise Broken("nothing that was not synced was lost: that was no power cut")
            words.append(f"{how}: {len(promised)} reported, {len(lost)} lost")
        words.append(f"{machine.accelerator}, last start {machine.boot_s:.0f} s")
    return "; ".join(words)
