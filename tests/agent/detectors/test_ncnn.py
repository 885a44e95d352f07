"""agent.detectors.ncnn, beside the same network on ONNX Runtime"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.core.types import Detection, Image
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from tests.support.cells import BIN, PARAM, carded, write_ncnn, write_onnx

pytest.importorskip("ncnn")


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Writes a .ncnn file of these members, with a card."""
    return lambda members=None, **card: write_ncnn(tmp_path, members, **card)


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """The same network as an .onnx file."""
    return write_onnx(tmp_path)


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
