"""The release tool killed at its steps, and what the box has afterwards: promise P40, without hosts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.releases import COMPILED, Maker, SmallBox

DYING = Path(__file__).with_name("dying.py")
OLD, NEW = ("0.1.0", "old: 1\n"), ("0.2.0", "new: 2\n")

VERBS = {
    "switch": (("switch", "0.2.0", "--config", "CONFIG", "--trial", "0.1"), False),
    "confirm": (("confirm",), True),
    "rollback": (("rollback",), True),
    "recover": (("recover", "--boot"), True),
}
"""What is killed, and whether a trial runs before it."""


def prepared(folder: Path, maker: Maker) -> Path:
    """A box that runs the old release, with the new one installed."""
    box = SmallBox(folder, maker.public)
    box.install(maker.bundle("0.1.0"))
    assert box.switch(*OLD) == {"version": "0.1.0", "changed": True, "trial": False}
    box.install(maker.bundle("0.2.0"))
    without_pip(box)
    return box.root


def without_pip(box: SmallBox) -> None:
    """Two thousand files less that every test would copy."""
    for pip in box.root.glob("releases/*/lib/*/site-packages/pip*"):
        shutil.rmtree(pip)


def copied(prepared: Path, folder: Path, maker: Maker) -> SmallBox:
    """A box like it, elsewhere."""
    made = SmallBox(folder, maker.public)
    made.root.rmdir()
    shutil.copytree(prepared, made.root, symlinks=True)
    return made


def killed(box: SmallBox, count: int, *words: str) -> bool:
    """Let a call die before its COUNTth change; False if it makes fewer."""
    log = box.folder / "died"
    done = subprocess.run(
        [sys.executable, "-I", "-B", *COMPILED, str(DYING), str(count), str(log), *box.words(*words)],
        capture_output=True, text=True, timeout=60, check=False, env=box.environment,
    )  # fmt: skip
    assert done.returncode == (-9 if log.exists() else 0), done.stderr
    return log.exists()


def each_death(
    prepared: Path, folder: Path, maker: Maker, words: tuple[str, ...], every: int, *, on_trial: bool
) -> Iterator[SmallBox]:
    """The box after each death that a call can die, or after every third, …"""
    for count in range(1, 1000, every):
        box = copied(prepared, folder / f"{words[0]}-{count}", maker)
        if on_trial:
            box.switch(*NEW)
        alive = not killed(
            box, count, *(str(box.config(NEW[1])) if word == "CONFIG" else word for word in words)
        )
        if not alive:
            yield box
        shutil.rmtree(box.folder)
        if alive:
            return


def survived(verb: str, prepared: Path, folder: Path, maker: Maker, *, reboot: bool, every: int = 1) -> int:
    """Kill this verb at its steps; how many deaths the box survived. AssertionError when it did not."""
    words, on_trial = VERBS[verb]
    deaths = 0
    for box in each_death(prepared, folder, maker, words, every, on_trial=on_trial):
        deaths += 1
        assert box.runs() in (OLD, NEW), "right after the kill"
        if reboot:
            state = box.good("recover", "--boot")
        else:
            _time_is_over(box)
            state = box.good("guard")
            assert box.running() == f"setups/{state['setup']}", "what runs is what is current"
        assert state["trial"] is None
        confirmed = verb == "confirm" and state["version"] == "0.2.0"
        assert box.runs() == (NEW if confirmed else OLD)
        assert box.good("recover")["floor"] == ("0.2.0" if confirmed else "0.1.0")
        if deaths % 4 == 1:
            box.switch(*NEW)
            box.good("confirm")
            assert box.runs() == NEW
    return deaths


def _time_is_over(box: SmallBox) -> None:
    """Let a trial's time be over, if there is one."""
    path = box.root / "trial.json"
    if path.exists():
        trial = json.loads(path.read_text())
        path.write_text(json.dumps(trial | {"until_s": time.clock_gettime(time.CLOCK_BOOTTIME) - 1}))


def survived_installs(prepared: Path, folder: Path, maker: Maker, *, every: int = 1) -> int:
    """Kill an install at its steps; how many deaths the box survived."""
    words = ("install", str(maker.bundle("0.3.0")), "--python", sys.executable)
    deaths = 0
    for box in each_death(prepared, folder, maker, words, every, on_trial=False):
        deaths += 1
        _goes_on(box, words, again=deaths % 4 == 1)
    return deaths


def survived_in_pip(prepared: Path, folder: Path, maker: Maker, times: int) -> int:
    """Kill an install and all that it started while pip works, as a power cut would; how many deaths."""
    words = ("install", str(maker.bundle("0.3.0")), "--python", sys.executable)
    for number in range(times):
        box = copied(prepared, folder / f"pip-{number}", maker)
        release = box.root / "releases" / "0.3.0"
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", *box.words(*words)],
            env=box.environment, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        enough = 300 * number // times  # of some five hundred
        while process.poll() is None and sum(1 for _ in release.glob("lib/**/*.py")) <= enough:
            time.sleep(0.01)
        assert process.poll() is None, "it was through already"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        _goes_on(box, words, again=number == times - 1)
        shutil.rmtree(box.folder)
    return times


def _goes_on(box: SmallBox, words: tuple[str, ...], *, again: bool) -> None:
    """After a death in an install the box has what it had, and nothing counts that is not whole."""
    state = box.good("recover")
    assert state["version"] == "0.1.0" and box.runs() == OLD
    assert "0.3.0" not in state["releases"] or (box.root / "releases" / "0.3.0" / "bin" / "ngatu").exists()
    if again:  # an install takes seconds
        box.good(*words)
        box.switch("0.3.0", NEW[1])
        assert box.runs() == ("0.3.0", NEW[1])
