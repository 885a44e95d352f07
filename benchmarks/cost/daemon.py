"""Motion alone beside Debian's `motion`: all watch one clip in the same seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.errors import NgatuError
from benchmarks.cost import cpu
from benchmarks.cost.watch import broker, configured

SETTLE_S = 4.0
"""Starting is not counted."""

CONFIG = """\
daemon off
setup_mode off
log_level 4
netcam_url file://{clip}
width {width}
height {height}
framerate {fps}
picture_output off
movie_output off
webcontrol_port 0
stream_port 0
target_dir {folder}
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """CPU seconds a minute."""

    box: float
    """The whole agent, which looks less often while nothing moves."""
    stage: float
    """Our camera and motion stage alone, on every frame."""
    daemon: float | None
    """None where it is not installed."""


def beside(clip: Path, width: int, height: int, fps: float, seconds: float) -> Beside:
    """Let all three look at up to `fps` pictures a second. The daemon writes nothing and serves nothing.

    Raises:
        NgatuError: one of them ended early.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ngatu-motion-")))
        port = stack.enter_context(broker())
        config = configured(folder, port, clip, None, cameras=1, loop=False)
        commands = [
            [sys.executable, "-m", "agent", "run", "-c", str(config)],
            [sys.executable, "-m", "benchmarks.cost.still", str(clip), str(fps)],
        ]
        theirs = shutil.which("motion")
        if theirs:
            text = CONFIG.format(
                clip=clip.absolute(), width=width, height=height, fps=round(fps), folder=folder
            )
            (folder / "motion.conf").write_text(text, encoding="utf-8")
            commands.append([theirs, "-n", "-c", str(folder / "motion.conf")])
        running = [
            subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in commands
        ]
        for each in running:
            stack.callback(each.wait)
            stack.callback(each.kill)
        box, stage, *daemons = _spent(clip, running, seconds)
    return Beside(box, stage, *daemons or [None])


def _spent(clip: Path, running: list[subprocess.Popen[bytes]], seconds: float) -> list[float]:
    """What each program and its children spend from now on, in CPU seconds a minute."""
    time.sleep(SETTLE_S)
    families = [cpu.family(each.pid) for each in running]
    before = [sum(cpu.seconds(member.pid) for member in each) for each in families]
    began = time.monotonic()
    time.sleep(max(1.0, seconds - SETTLE_S - 2))
    if any(each.poll() is not None for each in running):
        raise NgatuError(
            f"{clip.name} is too short to compare with motion", "give a clip of ten seconds or more"
        )
    after = [sum(cpu.seconds(member.pid) for member in each) for each in families]
    minutes = (time.monotonic() - began) / 60
    return [(end - start) / minutes for start, end in zip(before, after, strict=True)]
