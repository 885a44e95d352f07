"""What the real `ngatu run` holds with so many cameras, detector included."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from agent.errors import NgatuError
from benchmarks.cost import cpu
from benchmarks.cost.watch import broker, configured
from benchmarks.page_cache import forget_libraries

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
