"""P51: what a process that holds passwords leaves when it is ended as systemd's watchdog ends it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.acceptance.faults.stage import Victim
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.support.brokers import until


@promise(
    "P51", "the agent and a camera's process are ended by SIGABRT where dumps are unlimited",
    "no dump of either, where a program of no care leaves one",
)  # fmt: skip
def core_dumps(trial: Trial) -> str:
    """The kernel tells the parent of a dump, also of one that it pipes to a program."""
    careless = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
    if not _dumps(careless, trial.folder / "careless"):
        raise NotTried("no program leaves a dump on this machine: ulimit -H -c is 0, or the kernel makes none")
    victim = Victim(trial.folder / "box", 9)
    box = [sys.executable, "-m", "agent", "run", "-c", str(victim.config)]
    if _dumps(box, trial.folder / "agent") or _dumps(box, trial.folder / "camera", of_camera=True):
        raise Broken("a dump was made")
    for folder in ("box", "agent", "camera"):
        left = [path.name for path in (trial.folder / folder).rglob("core*") if path.is_file()]
        if left:
            raise Broken(f"left on the disk: {left}")
    return "0 dumps of the agent and of its camera, 1 of a program of no care"


def _dumps(words: list[str], folder: Path, *, of_camera: bool = False) -> bool:
    """Start it here, end it or its camera's process by SIGABRT; whether there was a dump."""
    folder.mkdir()
    own = resource.getrlimit(resource.RLIMIT_CORE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    resource.setrlimit(resource.RLIMIT_CORE, (own[1], own[1]))  # a child has what its parent has
    try:
        with (folder.parent / f"{folder.name}.log").open("wb") as log:
            process = subprocess.Popen(
                words, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True
            )
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, own)
    try:
        until(lambda: _at_work(folder) or process.poll() is not None, 60, "it is at work")
        if of_camera:
            agent = psutil.Process(process.pid)
            until(agent.children, 60, "its camera's process is there")
            children = agent.children(recursive=True)
            for child in children:
                child.send_signal(signal.SIGABRT)
            psutil.wait_procs(children, 20)
            return any(folder.glob("core*"))
        os.kill(process.pid, signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
        return os.WCOREDUMP(status)
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def _at_work(folder: Path) -> bool:
    said = (folder.parent / f"{folder.name}.log").read_text(errors="replace")
    return "ready" in said or "started" in said
