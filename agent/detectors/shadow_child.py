"""The process of a model in the shadow: `python -P -m agent.detectors.shadow_child MEMORY PARENT`.

It gives way where the system lets it, dies with its parent, and holds no secret. What it is told, a line of
JSON each:

    {"settings": {…}}                    the detector's settings, first of all
    {"look": [height_px, width_px]}      a picture, BGR, lies in the shared memory

and what it answers:

    {"ready": name}
    {"found": [[label, score, left, top, right, bottom], …], "ms": 12.3, "mb": 210.0, "nonsense": false}
    {"error": what}                      the look failed, or (first) the model cannot be loaded
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Image
from agent.detectors.card import hashed
from agent.detectors.onnx import OnnxDetector
from agent.detectors.places import find_card, find_model
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError

NICEST = 19
"""Of nice(2)."""
FIRST_TO_DIE = "1000"
"""Of proc(5), oom_score_adj: where memory is short, this process goes and no other."""
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class CheckedDetector(OnnxDetector):
    """Notices numbers that are none: a detector in use only finds nothing there."""

    nonsense = False
    """Whether the last look gave any."""

    def _one(self, array: NDArray[Any], index: int) -> NDArray[Any]:
        one = super()._one(array, index)
        self.nonsense |= one.dtype.kind == "f" and not bool(np.isfinite(one).all())
        return one


def main() -> None:
    """Look at what is shown until the input ends."""
    memory_fd, parent = int(sys.argv[1]), int(sys.argv[2])
    _give_way(parent)
    said = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    try:
        network = _loaded(json.loads(sys.stdin.readline())["settings"])
    except Exception as error:  # whatever it is, the parent must hear it
        said.write(json.dumps({"error": _words(error)}) + "\n")
        return
    said.write(json.dumps({"ready": network.name}) + "\n")
    with mmap.mmap(memory_fd, 0, prot=mmap.PROT_READ) as memory:
        for line in sys.stdin:
            height, width = json.loads(line)["look"]
            image = np.frombuffer(memory, np.uint8, height * width * 3).reshape(height, width, 3)
            said.write(json.dumps(_look(network, image.copy())) + "\n")
            del image


def _look(network: CheckedDetector, image: Image) -> dict[str, Any]:
    network.nonsense = False
    began_s = time.process_time()
    try:
        (found,) = network.detect([image])
    except Exception as error:  # ours or ONNX Runtime's: it is told, and the next may go well
        return {"error": _words(error)}
    boxes = [
        [each.label, each.score, each.box.left, each.box.top, each.box.right, each.box.bottom] for each in found
    ]
    ms = (time.process_time() - began_s) * 1000
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"found": boxes, "ms": ms, "mb": most_mb, "nonsense": network.nonsense}


def _loaded(settings: dict[str, Any]) -> CheckedDetector:
    wanted = DetectorSettings.model_validate(settings)
    model = find_model(wanted)
    sha256 = hashed(model)
    card, _ = find_card(model, sha256, wanted.card)
    return CheckedDetector(model, sha256, card, wanted)


def _words(error: Exception) -> str:
    what = error.what if isinstance(error, NgatuError) else f"{type(error).__name__}: {error}"
    return " ".join(str(what).split())[:500]


def _give_way(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)  # it died before we asked
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    with suppress(OSError):  # our unit forbids it: there its share of a core is the bound
        os.setpriority(os.PRIO_PROCESS, 0, NICEST)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_DIE, encoding="ascii")


if __name__ == "__main__":
    main()
