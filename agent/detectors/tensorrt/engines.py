"""Where TensorRT's engines lie, and what ONNX Runtime is told of them.

An engine is the network as TensorRT has it for one GPU: built in minutes, loaded in seconds, and good for
nothing else. So each lies in a folder whose name stands for all that it was built of: the model, ONNX Runtime,
TensorRT, the driver, the GPU, and how it computes. Whatever changes leads to another folder, never to an engine
that does not fit. TensorRT's timing cache lies beside it: with it an engine is built in less time.

Options: https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.detectors.settings import DetectorSettings

KEPT: Final = 4
"""Folders of engines that are kept, the latest used first: a model, one in the shadow, and those before."""
SUFFIX: Final = ".engine"
ROOT: Final = Path("/")
BOARD: Final = "proc/device-tree/model"
"""On a Jetson: which it is."""
TOLD: Final = ("proc/driver/nvidia/version", "etc/nv_tegra_release")
"""The driver; on a Jetson, its release of L4T."""
GPUS: Final = "proc/driver/nvidia/gpus/*/information"
LIBRARIES: Final = tuple(
    f"{folder}/libnvinfer.so.*" for folder in ("usr/lib/*-linux-gnu", "usr/lib", "usr/local/tensorrt/lib")
)
MOST_BYTES: Final = 4096


def engines_dir(settings: DetectorSettings) -> Path:
    """Where folders of engines lie; it need not exist yet.

    In this order: the setting; the cache folder of the unit ($CACHE_DIRECTORY); $XDG_CACHE_HOME, or ~/.cache.
    """
    if settings.engines_dir is not None:
        return settings.engines_dir.expanduser()
    if given := os.environ.get("CACHE_DIRECTORY"):
        return Path(given.partition(":")[0])
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path("~/.cache").expanduser()) / "ngatu" / "engines"


def engine_folder(settings: DetectorSettings, sha256: str, runtime: str, root: Path = ROOT) -> Path:
    """The folder of this model's engine on this machine; `runtime` is ONNX Runtime's version."""
    precision = "fp16" if settings.fp16 else "fp32"
    words = [sha256, runtime, precision, str(settings.batch), *machine(root)]
    return engines_dir(settings) / hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def machine(root: Path = ROOT) -> Iterator[str]:
    """What this machine says of its GPU, its driver and TensorRT; nothing where there is none."""
    for name in (BOARD, *TOLD):
        yield _said(root / name)
    for path in sorted(root.glob(GPUS)):
        # Of its lines those of the card, not those of the moment: the bus may number it otherwise tomorrow.
        yield "".join(line for line in _said(path).splitlines(True) if line.startswith(("Model", "Video BIOS")))
    for pattern in LIBRARIES:
        yield from sorted({path.resolve().name for path in root.glob(pattern)})


def has_engine(folder: Path) -> bool:
    """Whether an engine was built into this folder."""
    return any(folder.glob(f"*{SUFFIX}"))


def provider_options(settings: DetectorSettings, folder: Path) -> dict[str, str]:
    """What ONNX Runtime's TensorRT provider is told."""
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
        "trt_fp16_enable": "1" if settings.fp16 else "0",
    }


def make_room(folder: Path) -> None:
    """This folder is used now: of the others, the oldest go. What cannot be deleted stays.

    Raises:
        OSError: the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.utime(folder)
    others = [each for each in folder.parent.iterdir() if each.is_dir() and len(each.name) == len(folder.name)]
    for each in sorted(others, key=lambda each: -each.stat().st_mtime)[KEPT:]:
        if each != folder:
            shutil.rmtree(each, ignore_errors=True)


def _said(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(MOST_BYTES).decode("utf-8", "replace").strip("\0\n ")
    return ""
