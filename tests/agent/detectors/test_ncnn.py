"""agent.detectors.ncnn, beside the same network on ONNX Runtime"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper

from agent.core.types import Detection, Image
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError

from .conftest import save

pytest.importorskip("ncnn")

WIDE, HIGH, CELL = 128, 96, 32
PLACES = (WIDE // CELL) * (HIGH // CELL)
WEIGHTS = np.zeros((8, 3), np.float32)
WEIGHTS[5:] = np.eye(3, dtype=np.float32) / 255
BIAS = np.array([0.5, 0.5, 0, 0, 1, 0, 0, 0], np.float32)
"""Each cell is its own box, surely something, and of the three labels as likely as its channels are bright."""
PARAM = f"""7767517
5 5
Input in0 0 1 in0
Pooling mean 1 1 in0 mean 0=1 1={CELL} 2={CELL}
Convolution map 1 1 mean map 0=8 1=1 5=1 6={WEIGHTS.size}
Reshape rows 1 1 map rows 0={PLACES} 1=8
Permute output 1 1 rows out0 0=1
"""
BIN = struct.pack("<I", 0) + WEIGHTS.tobytes() + BIAS.tobytes()
CARD: dict[str, Any] = {
    "name": "cells", "input": {"width_px": WIDE, "height_px": HIGH}, "resize": "letterbox_top_left",
    "channels": "rgb", "head": {"kind": "yolox", "strides": [CELL]}, "labels": ["car", "bus", "truck"],
    "keep": ["car", "bus", "truck"], "licence": "ours", "source": "made in a test",
}  # fmt: skip


def carded(path: Path, **changes: Any) -> Path:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".yaml").write_text(yaml.safe_dump(CARD | {"sha256": sha256} | changes))
    return path


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Writes a .ncnn file of these members, with a card."""

    def write(members: dict[str, bytes] | None = None, **card: Any) -> Path:
        path = tmp_path / "cells.ncnn"
        with ZipFile(path, "w") as archive:
            for name, data in ({"param": PARAM.encode(), "bin": BIN} if members is None else members).items():
                archive.writestr(name, data)
        return carded(path, **card)

    return write


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """The same network as an .onnx file."""
    nodes = [
        helper.make_node("AveragePool", ["images"], ["mean"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        helper.make_node("Conv", ["mean", "weights", "bias"], ["map"], kernel_shape=[1, 1]),
        helper.make_node("Reshape", ["map", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["output"], perm=[0, 2, 1]),
    ]
    constants = {"weights": WEIGHTS.reshape(8, 3, 1, 1), "bias": BIAS, "flat": np.array([0, 8, -1], np.int64)}
    path = tmp_path / "twin.onnx"
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, HIGH, WIDE])
    save(path, nodes, entry, [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)], constants)
    return carded(path)


def settings(model: Path, **more: Any) -> DetectorSettings:
    return DetectorSettings.model_validate({"model": str(model), "backend": "ncnn", **more})


def pictures(count: int, seed: int = 0) -> list[Image]:
    chance = np.random.default_rng(seed)
    return [
        np.kron(chance.integers(0, 256, (3, 4, 3), np.uint8), np.ones((24, 32, 1), np.uint8))
        for _ in range(count)
    ]


def same(found: tuple[Detection, ...], other: tuple[Detection, ...]) -> bool:
    def numbers(detections: tuple[Detection, ...]) -> NDArray[np.float64]:
        rows = [
            [each.score, each.box.left, each.box.top, each.box.right, each.box.bottom]
            for each in sorted(detections, key=lambda each: (each.label, each.box.top, each.box.left))
        ]
        return np.array(rows, np.float64).reshape(-1, 5)

    labels = [sorted(each.label for each in detections) for detections in (found, other)]
    return labels[0] == labels[1] and bool(np.allclose(numbers(found), numbers(other), atol=1e-4))


def test_it_finds_in_every_picture_what_onnx_runtime_finds_there(
    packed: Callable[..., Path], twin: Path
) -> None:
    ours, theirs = load_detector(settings(packed())), load_detector(DetectorSettings(model=str(twin)))
    shown = pictures(20)
    found, wanted = ours.detect(shown), theirs.detect(shown)
    assert sum(map(len, wanted)) > 100
    assert all(same(a, b) for a, b in zip(found, wanted, strict=True))
    assert (ours.name, ours.labels, ours.input_size) == (theirs.name, theirs.labels, theirs.input_size)


def test_its_hash_is_that_of_the_file_which_holds_both_of_its_parts(packed: Callable[..., Path]) -> None:
    path = packed()
    assert load_detector(settings(path)).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    changed = packed({"param": PARAM.encode(), "bin": BIN[:-1] + b"\1"}, sha256=hashlib.sha256(b"").hexdigest())
    with pytest.raises(ModelError, match="its SHA-256 is"):
        load_detector(settings(changed))


def test_many_threads_may_ask_at_once(packed: Callable[..., Path]) -> None:
    it = load_detector(settings(packed(), threads=1))
    shown = pictures(8, seed=1)
    wanted = it.detect(shown)
    found: dict[int, list[tuple[Detection, ...]]] = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: it.detect(shown)})) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert [found[n] for n in range(4)] == [wanted] * 4


@pytest.mark.parametrize(("members", "why"), [
    ({}, "no archive of NCNN's two files"),
    ({"param": PARAM.encode()}, "no archive of NCNN's two files"),
    ({"param": b"no network", "bin": BIN}, "NCNN cannot load it"),
    ({"param": PARAM.replace("Pooling", "Tensor.slice").encode(), "bin": BIN}, "NCNN cannot load it"),
    ({"param": PARAM.encode(), "bin": BIN[:40]}, "NCNN cannot load it"),
])  # fmt: skip
def test_a_file_that_is_no_network_is_told(
    packed: Callable[..., Path], members: dict[str, bytes], why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        load_detector(settings(packed(members)))


def test_a_file_that_is_no_archive_at_all_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cells.ncnn"
    path.write_bytes(b"onnx")
    with pytest.raises(ModelError, match="no archive"):
        load_detector(settings(carded(path)))


def test_a_part_that_would_fill_the_memory_is_not_unpacked(
    packed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.detectors.ncnn.MOST_BYTES", 1000)
    path = packed()
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("param", PARAM)
        archive.writestr("bin", bytes(2000))
    with pytest.raises(ModelError, match="too large"):
        load_detector(settings(carded(path)))


def test_a_card_whose_layout_is_not_ncnns_is_told(packed: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="takes a layout of nchw, and the card says nhwc"):
        load_detector(settings(packed(layout="nhwc")))


def test_a_card_that_does_not_fit_is_told_when_the_model_is_loaded(packed: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="do not fit the head yolox"):
        load_detector(settings(packed(head={"kind": "yolox", "strides": [16]})))


def test_a_model_that_was_not_made_yet_is_told_with_how_it_is(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model") as refused:
        load_detector(DetectorSettings(model="cells", backend="ncnn", models_dir=tmp_path))
    assert "ngatu models ncnn cells" in refused.value.hint
