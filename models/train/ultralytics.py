"""Ultralytics' families: trained by their own trainer, in a process of its own, and exported with a card.

Ultralytics is AGPL-3.0: see models/export.py. It is given links to pictures, and labels in YOLO's format.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from agent.errors import ModelError, how_to_install
from agent.translatable import tr
from models.dataset.coco import read_coco
from models.dataset.split import parted
from models.dataset.types import Dataset
from models.export import export
from models.train.outcome import facts

SIZE_PX = 416
BATCH = 8
_SCRIPT = """
import sys
from ultralytics import YOLO
source, data, epochs, size, batch, seed, project = sys.argv[1:]
model = YOLO(source)
model.train(data=data, epochs=int(epochs), imgsz=int(size), batch=int(batch), seed=int(seed), project=project,
            name="run", workers=0, plots=False, exist_ok=True, deterministic=True, amp=False)
"""


def train(
    base: str,
    data: Sequence[Path],
    out: Path,
    hold_back: Sequence[str],
    steps: int,
    seed: int,
    size_px: int = SIZE_PX,
) -> Path:
    """Train a checkpoint (.pt), or a network's description (.yaml) from random weights; returns the .onnx.

    Steps are of eight pictures, made whole rounds over the set, at least one.

    Raises:
        ModelError: Ultralytics is not installed or fails, or the sets cannot be read or joined.
    """
    if not base.endswith(".yaml") and not Path(base).is_file():
        raise ModelError(tr("{path}: no such checkpoint", path=base), tr("give the path of a .pt file."))
    sets = [read_coco(folder) for folder in data]
    labels = list(dict.fromkeys(label for one in sets for label in one.labels))
    with tempfile.TemporaryDirectory() as scratch_:
        scratch = Path(scratch_)
        pairs = parted(sets, hold_back, seed)
        learned = sum(_written(one, labels, scratch / "train", place) for place, (one, _) in enumerate(pairs))
        held = sum(_written(one, labels, scratch / "val", place) for place, (_, one) in enumerate(pairs))
        if not learned or not held:
            raise ModelError(tr("no pictures are left to learn from, or none to judge by"))
        names = dict(enumerate(labels))
        content = {"path": str(scratch), "train": "train/images", "val": "val/images", "names": names}
        (scratch / "data.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        rounds = max(1, round(steps * BATCH / learned))
        best = _run(base, scratch, [str(rounds), str(size_px), str(BATCH), str(seed)])
        named = scratch / f"{out.stem}.pt"
        shutil.copyfile(best, named)
        made = export(str(named), size_px, scratch / "made")
        return _placed(made, out, Path(base).name, sets)


def _written(one: Dataset, labels: Sequence[str], folder: Path, number: int) -> int:
    """Pictures by links, labels as YOLO has them: number, middle, width and height in fractions."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for place, image in enumerate(one.images):
        stem = f"{number}_{place:06d}"
        (folder / "images" / f"{stem}{image.path.suffix.lower()}").symlink_to(image.path.resolve())
        rows = [
            f"{labels.index(box.label)} {(box.left + box.right) / 2 / image.width:.6f} "
            f"{(box.top + box.bottom) / 2 / image.height:.6f} {(box.right - box.left) / image.width:.6f} "
            f"{(box.bottom - box.top) / image.height:.6f}"
            for box in image.annotations
            if not box.ignored
        ]
        (folder / "labels" / f"{stem}.txt").write_text("\n".join(rows), encoding="utf-8")
    return len(one.images)


def _run(base: str, scratch: Path, numbers: Sequence[str]) -> Path:
    source = str(Path(base).resolve()) if Path(base).is_file() else base
    # No downloads, no pip of its own, and no settings in the operator's home.
    quiet = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(scratch)}
    command = [sys.executable, "-P", "-c", _SCRIPT, source, str(scratch / "data.yaml"), *numbers, str(scratch)]
    run = subprocess.run(  # noqa: S603  our own interpreter and script; the rest are arguments, no shell
        command, cwd=scratch, env=os.environ | quiet, capture_output=True, text=True, check=False
    )
    if "No module named 'ultralytics'" in run.stderr:
        raise ModelError(
            tr("this training needs Ultralytics, which is not installed"),
            tr("{command} (AGPL-3.0)", command=how_to_install("export")),
        )
    best = next(iter(sorted(scratch.rglob("best.pt"))), None)
    if run.returncode or best is None:
        last = (run.stderr.strip() or run.stdout.strip()).splitlines()[-1:]
        raise ModelError(tr("{path}: Ultralytics cannot train it: {error}", path=base, error="".join(last)))
    return best


def _placed(made: Path, out: Path, base: str, sets: Sequence[Dataset]) -> Path:
    """Under the wanted name, with what went in said in the card."""
    went_in = facts(sets)
    content = yaml.safe_load(made.with_suffix(".yaml").read_text(encoding="utf-8"))
    progress = ", ".join(f"{one.name} ({one.digest[:16]})" for one in went_in)
    content |= {
        "name": out.stem,
        "source": f"{base} trained by Ultralytics on {progress}",
        "trained_on": [one.model_dump() for one in went_in],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, out.with_name(out.name + ".part"))
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    out.with_suffix(".yaml").write_text(text, encoding="utf-8")
    out.with_name(out.name + ".part").replace(out)
    return out
