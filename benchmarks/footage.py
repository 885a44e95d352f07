"""Which footage each benchmark uses when none is named; it lies beside the checkout and is no part of it."""

from __future__ import annotations

from pathlib import Path

from agent.errors import NgatuError

NAMES = (
    "motion", "attention", "tracking", "fitting", "replay", "scenes", "swarm", "cost", "detector", "crops",
    "first_track", "tamper", "recording", "verify", "lookups", "console", "backends", "wake", "intake",
    "province",
)  # fmt: skip
DATA = Path("../shared/data")
DETECTOR = "models/yolox_nano_416.onnx"


def default(name: str, data: Path) -> list[Path]:
    """The usual paths of a benchmark; none for one that makes its own footage.

    Raises:
        NgatuError: the folder is not there.
    """
    if name not in NAMES or name in ("scenes", "swarm", "lookups", "console", "intake", "province"):
        return []
    if not data.is_dir():
        raise NgatuError(
            f"{data}: no such folder", "name clips or folders, or the place of the footage with --data"
        )
    clips = data / "clips"
    car_park = [clips / "car-detection.mp4", clips / "person-bicycle-car-detection.mp4"]
    match name:
        case "motion":
            views = ("vtest.avi", "jamcam-night-1.mp4", "pi-cars-truck.mp4")
            return [data / "motion/highway", *(clips / name for name in views)]
        case "attention":
            truth = data / "tracking/PETS09-S2L1/gt/gt.txt"
            return [clips / "vtest.avi", truth, clips / "junction.mp4", *car_park, data / DETECTOR]
        case "tracking" | "fitting":
            return [data / "tracking"]
        case "replay":
            return [clips / "vtest.avi", data / "tracking/PETS09-S2L1", *_detectors(data)]
        case "verify":
            return car_park
        case "cost":
            return [*car_park, clips / "vtest.avi", data / DETECTOR]
        case "backends":
            return [car_park[0], clips / "junction.mp4", data / DETECTOR]
        case "wake":
            return [data]
        case "recording":
            return [clips / "junction.mp4"]
        case "crops":
            return [*sorted((data / "detection-motorbikes").iterdir()), *_detectors(data)]
        case "first_track":
            every = sorted(path for path in clips.iterdir() if path.suffix in (".mp4", ".avi"))
            return [*every, data / DETECTOR]
        case "detector":
            return [data / "detection", *_detectors(data)]
        case _:
            return sorted(path for path in clips.iterdir() if path.suffix in (".mp4", ".avi"))


def _detectors(data: Path) -> list[Path]:
    return sorted((data / "models").glob("*.onnx"))
