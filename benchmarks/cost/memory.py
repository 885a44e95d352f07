"""What the real `ngatu run` holds with so many cameras, detector included."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from agent.errors import NgatuError
from benchmarks.cost import cpu
from benchmarks.cost.watch import broker, configured

SETTLE_S = 6.0
EVERY_S = 1.0


def peak_mb(clip: Path, model: Path, cameras: int, seconds: float) -> float:
    """The most that all processes of the box held together (PSS), while every camera showed the clip.

    Raises:
        NgatuError: the box ended early.
    """
    forget_libraries(Path(sysconfig.get_path("platlib")))
    with tempfile.TemporaryDirectory(prefix="ngatu-memory-") as folder, broker() as port:
        config = configured(Path(folder), port, clip, model, cameras=cameras, loop=True)
        command = [sys.executable, "-m", "agent", "run", "-c", str(config), "--for", str(seconds + 30)]
        said = Path(folder) / "box.log"
        with said.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as box:
            try:
                time.sleep(SETTLE_S)
                most, until_s = 0.0, time.monotonic() + seconds
                while time.monotonic() < until_s:
                    time.sleep(EVERY_S)
                    if box.poll() is not None:
                        raise NgatuError("the box ended early", f"it said {said.read_text('utf-8')[-500:]}")
                    most = max(most, cpu.held_mb(cpu.family(box.pid)))
            finally:
                box.terminate()
    return most


def forget_libraries(folder: Path) -> None:
    """Have the kernel read the libraries below the folder anew, as after a boot.

    With each page that is touched it maps those around it that lie in its page cache. Right after an
    installation that is nearly all of every library: 66 MB more (measured), which a box that has booted never
    holds.
    """
    os.sync()  # what is not on the disk yet cannot be forgotten
    for library in folder.rglob("*.so*"):
        with library.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
