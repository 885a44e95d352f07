"""From an Ultralytics checkpoint to ONNX and a card.

Ultralytics is AGPL-3.0. It is run in a process of its own at build time, is no dependency of the agent, and
nothing of it ends up in what is written here but the network; whether your own weights fall under its licence
is for you to judge.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import onnxruntime as ort
import yaml

from agent.detectors.card import hashed, parse_card
from agent.detectors.labels import ROAD_USERS
from agent.errors import ModelError, how_to_install
from agent.translatable import tr

OPSET = 17
_SCRIPT = """
import sys
from ultralytics import YOLO
source, size, opset = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(YOLO(source).export(format="onnx", imgsz=size, opset=opset, simplify=True, dynamic=False))
"""


def export(checkpoint: str, size_px: int, out: Path, licence: str = "AGPL-3.0") -> Path:
    """Export a checkpoint (.pt) or a network's description (.yaml, with random weights); returns the .onnx.

    Writes STEM-SIZE.onnx and STEM-SIZE.yaml into `out`.

    Raises:
        ModelError: Ultralytics is not installed or fails, or the network is no detector.
    """
    stem = f"{Path(checkpoint).stem}-{size_px}"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        made = _run_ultralytics(checkpoint, size_px, Path(scratch))
        content = card_of(made, stem, checkpoint, licence)
        parse_card(content, made)
        model = out / f"{stem}.onnx"
        part = model.with_name(model.name + ".part")
        shutil.copyfile(made, part)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    model.with_suffix(".yaml").write_text(text, encoding="utf-8")
    part.replace(model)
    return model


def card_of(model: Path, name: str, source: str, licence: str) -> dict[str, Any]:
    """The fields of a card for a network that Ultralytics exported, from the metadata it wrote.

    Labels are kept as far as they are road users; where none is (the operator's own names), all are kept.

    Raises:
        ModelError: it is no such network, or no detector.
    """
    try:
        session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        metadata = session.get_modelmeta().custom_metadata_map
        names: dict[int, str] = ast.literal_eval(metadata["names"])
        height, width = ast.literal_eval(metadata["imgsz"])
    except KeyError as error:
        raise ModelError(f"{source}: Ultralytics did not write this: it has no {error}") from error
    except Exception as error:  # ONNX Runtime's errors share no base but Exception
        raise ModelError(f"{source}: this is no network that Ultralytics exported: {error}") from error
    if metadata.get("task") != "detect":
        raise ModelError(f"{source}: its task is {metadata.get('task')}, not detect", "export a detector.")
    labels = [names[index] for index in range(len(names))]
    last = session.get_outputs()[0].shape[-1]
    road_users = [label for label in labels if label in ROAD_USERS]
    return {
        "name": name,
        "input": {"width_px": width, "height_px": height},
        "resize": "letterbox_centre",
        "pad": 114,
        "channels": "rgb",
        "scale": 1 / 255,
        "head": {"kind": "end_to_end" if last == 6 else "ultralytics"},
        "labels": labels,
        "keep": road_users or [*labels],  # a list of its own, or YAML would write a reference
        "min_score": 0.1,
        "nms_iou": 0.7,
        "licence": licence,
        "source": f"exported from {Path(source).name} by Ultralytics {metadata.get('version', '')}".strip(),
        "sha256": hashed(model),
    }


def _run_ultralytics(checkpoint: str, size_px: int, scratch: Path) -> Path:
    """Ultralytics writes beside its source, so it gets a copy in a folder of its own."""
    source = checkpoint
    if Path(checkpoint).is_file():
        source = str(shutil.copy(checkpoint, str(scratch)))
    elif not checkpoint.endswith(".yaml"):
        raise ModelError(f"{checkpoint}: no such checkpoint", "give the path of a .pt file.")
    # No downloads, no pip of its own, and no settings in the operator's home.
    quiet = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(scratch)}
    command = [sys.executable, "-P", "-c", _SCRIPT, source, str(size_px), str(OPSET)]
    run = subprocess.run(  # noqa: S603  our own interpreter and script; the source is an argument, no shell
        command, cwd=scratch, env=os.environ | quiet, capture_output=True, text=True, check=False
    )
    if "No module named 'ultralytics'" in run.stderr:
        raise ModelError(
            "exporting needs Ultralytics, which is not installed",
            tr("{command} (AGPL-3.0)", command=how_to_install("export")),
        )
    made = next(iter(sorted(scratch.rglob("*.onnx"))), None)
    if run.returncode or made is None:
        last = (run.stderr.strip() or run.stdout.strip()).splitlines()[-1:]
        raise ModelError(f"{checkpoint}: Ultralytics cannot export it: {''.join(last)}")
    return made
