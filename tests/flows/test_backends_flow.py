"""One clip by both backends, from film to messages: NCNN tells what ONNX Runtime tells, within a tolerance.

The tolerance: each event has one of the same rule, kind and label on the other side that begins at most half a
second away (as `python -m benchmarks backends` counts), and where a message has the same revision, its numbers
differ by a thousandth at most, which is the last digit that is told.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.boards.events import compared, core
from tests.support.boxes import NGATU
from tests.support.cells import SURE, write_ncnn, write_onnx
from tests.support.squares import write_clip

pytestmark = pytest.mark.long

pytest.importorskip("ncnn")

LAST_DIGIT = 1e-3


def replayed(folder: Path, clip: Path, model: Path, backend: str) -> list[dict[str, Any]]:
    config = folder / f"{backend}.yaml"
    rules = [{"kind": "motion", "id": "movement"}, {"kind": "object", "id": "road-users"}]
    camera = {"name": "north", "source": {"kind": "file", "path": str(clip)}, "rules": rules}
    about = {"commune": "here", "id": "box-01", "place": "Here", "purpose": "A test", "legal_basis": "None"}
    content = {
        "device": about,
        "broker": {"host": "127.0.0.1"},
        "detector": {"model": str(model), "backend": backend, "min_score": SURE},
        "cameras": [camera],
    }
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    events = folder / f"{backend}.jsonl"
    words = [*NGATU, "replay", str(clip), "-c", str(config), "--events", str(events)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]


def numbers(message: dict[str, Any]) -> list[float]:
    found = message["object"]
    return [] if found is None else [found["score"], found["top_score"], *found["box"].values()]


def test_what_onnx_runtime_sees_in_a_clip_ncnn_sees_too(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    onnx = replayed(tmp_path, clip, write_onnx(tmp_path), "onnxruntime")
    ncnn = replayed(tmp_path, clip, write_ncnn(tmp_path), "ncnn")
    same = compared(ncnn, onnx)
    assert same.events > 5
    assert same.all_near, same
    wanted = {(each["id"], each["revision"]): each for each in onnx}
    assert len(ncnn) == len(onnx)
    for mine in ncnn:
        theirs = wanted[mine["id"], mine["revision"]]
        assert core(mine) == core(theirs)
        assert numbers(mine) == pytest.approx(numbers(theirs), abs=LAST_DIGIT)
