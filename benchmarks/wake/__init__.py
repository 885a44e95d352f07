"""Waking on packets: what it saves while nobody is in view, and whether all is told that whole decoding tells.

`python -m benchmarks wake DATA [MODEL.onnx]`: of each scene, encoded by x264 with key pictures every 1, 2,
4 and 8 s, without B pictures and with three:

    told    starts of events with every packet decoded, those of them that are told when the decoder sleeps, and
            how much later, in the clip's time (seen.py); how long catching up took at most; what share was left
    idle    all processes of two agents, `wake: off` and `auto`, beside decoding alone in the same idle seconds
            at the clip's pace (spent.py)

Thresholds were chosen on the scenes marked so, most of all on the two car parks, and nothing on the others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import av

from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.wake.scenes import GROUPS_S, REORDERED, Scene, encoded, scenes
from benchmarks.wake.seen import Start, watched
from benchmarks.wake.spent import spent

Say = Callable[[str], None]
Row = dict[str, object]
Variant = tuple[float, int]
"""Seconds from key picture to key picture, and B pictures in a row."""
VARIANTS: tuple[Variant, ...] = tuple((group_s, bframes) for group_s in GROUPS_S for bframes in REORDERED)
SAME_S = 3.0
"""An event is the same if its start is told so much later or earlier at most."""
WATCH_S = 54.0
"""Of each clip that the agents watch at its pace."""
LATE_S, UP_S, IDLE = 0.4, 0.3, 0.5


def main(paths: list[Path], progress: Say = lambda _text: None) -> list[Row]:
    """Rows for each scene and encoding; the first path is the folder of the footage.

    Raises:
        NgatuError: no folder is named, or an agent failed.
    """
    folders = [path for path in paths if path.is_dir()]
    if not folders:
        raise NgatuError("wake needs footage", "name the folder of the usual footage")
    models = [path for path in paths if path.suffix == ".onnx"]
    detector = load_detector(DetectorSettings(model=models[0])) if models else None
    chosen, judged = scenes(folders[0])
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="ngatu-wake-") as folder:
        for use, each in (("chosen on", chosen), ("judged on", judged)):
            for scene in each:
                rows += _scene(use, scene, Path(folder), detector, progress)
    return rows


def _scene(use: str, scene: Scene, folder: Path, detector: Detector | None, progress: Say) -> Iterator[Row]:
    for group_s, bframes in VARIANTS:
        progress(f"{scene.name}, a key picture every {group_s:g} s, {bframes} B pictures")
        clip = encoded(scene, group_s, bframes, folder / "clip.mp4")
        row: Row = {"scene": scene.name, "scenes": use, "key_every_s": group_s, "b_pictures": bframes}
        yield row | told_row(clip, detector) | idle_row(clip, scene)


def told_row(clip: Path, detector: Detector | None) -> Row:
    """What is told with and without sleep, and how much later."""
    off, auto = watched(clip, detector, wake=False), watched(clip, detector, wake=True)
    later = [late for each in off.starts if (late := _later(each, auto.starts)) is not None]
    return {
        "told": len(off.starts),
        "told_asleep": len(later),
        "later_s": round(median(later), 2) if later else None,
        "later_most_s": round(max(later), 2) if later else None,
        "up_most_s": round(max(auto.woken_s, default=0.0), 3),
        "left": round(auto.left / max(1, auto.frames), 2),
    }


def _later(start: Start, others: list[Start]) -> float | None:
    """How much later the same is told by the other; None: it is not."""
    near = [each.at_s - start.at_s for each in others if each.kind is start.kind]
    nearest = min(near, key=abs, default=None)
    return None if nearest is None or abs(nearest) > SAME_S else nearest


def idle_row(clip: Path, scene: Scene) -> Row:
    """What the agents spend beside decoding, where nobody is in view for long."""
    with av.open(str(clip)) as container:
        long_s = min(WATCH_S, (container.duration or 0) / 1e6)
    spans = tuple((first, min(last, long_s - 1)) for first, last in scene.spans(long_s) if first < long_s - 5)
    figures = spent(clip, long_s, spans)
    return {
        "decode_ms_s": round(1000 * figures.decode / figures.seconds, 1),
        "idle_off": round(figures.off / figures.decode, 2),
        "idle_auto": round(figures.auto / figures.decode, 2),
        "bar": f"<= {IDLE:g}",
        "kept": figures.auto / figures.decode <= IDLE,
    }
