"""models.fetch"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from cv2 import imread

from agent.core.types import Detection
from agent.detectors import load_detector
from agent.detectors.card import hashed
from agent.detectors.labels import ROAD_USERS
from agent.detectors.places import SHIPPED
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.catalogue import CatalogueEntry, DarknetSource, PackagedFile, UrlSource, entry_named
from models.fetch import Consent, add_model, fetch_model
from models.registry import Registry

from .conftest import Shelf, sdist, sha256_of

CFG = """[net]
channels=3
[convolutional]
filters=4
size=3
stride=32
pad=1
activation=leaky
batch_normalize=1
[convolutional]
filters=255
size=1
activation=linear
[yolo]
mask=3,4,5
anchors = 10,14, 23,27, 37,58, 81,82, 135,169, 344,319
[route]
layers=-2
[upsample]
stride=2
[yolo]
mask=0,1,2
anchors = 10,14, 23,27, 37,58, 81,82, 135,169, 344,319
"""
"""The smallest network with the outputs of YOLOv3-tiny."""


def darknet_entry(shelf: Shelf) -> CatalogueEntry:
    rng = np.random.default_rng(4)
    numbers = rng.uniform(0.1, 1, 4 * 4 + 4 * 3 * 9 + 255 + 255 * 4).astype("<f4")
    weights = bytes([0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]) + bytes(8) + numbers.tobytes()
    archive = sdist("tiny-2.0", {"m/tiny.cfg": CFG.encode(), "m/tiny.weights": weights})
    shelf.put("tiny", "tiny-2.0.tar.gz", archive)
    source = DarknetSource(
        kind="darknet",
        package="tiny",
        version="2.0",
        sha256=sha256_of(archive),
        plan="m/tiny.cfg",
        plan_sha256=sha256_of(CFG.encode()),
        weights="m/tiny.weights",
        weights_sha256=sha256_of(weights),
        card="yolov3-tiny.yaml",
        size_px=64,
        masks=((3, 4, 5), (1, 2, 3)),
    )
    return CatalogueEntry(about="small", source=source, licence="ours")


def test_weights_become_a_model_that_the_agent_loads(shelf: Shelf, tmp_path: Path) -> None:
    path = fetch_model("tiny-64", darknet_entry(shelf), tmp_path, registry=shelf.registry())

    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny-64.onnx", "tiny-64.yaml"]
    detector = load_detector(DetectorSettings(model="tiny-64", models_dir=tmp_path))
    assert (detector.name, detector.sha256) == ("tiny-64", hashed(path))
    detector.detect([np.zeros((100, 100, 3), np.uint8)])
    card: dict[str, Any] = yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))
    assert card["head"]["anchors"][1] == [[23, 27], [37, 58], [81, 82]]


def test_a_model_that_is_there_is_made_again_only_if_it_was_changed(shelf: Shelf, tmp_path: Path) -> None:
    entry = darknet_entry(shelf)
    path = fetch_model("tiny-64", entry, tmp_path, registry=shelf.registry())
    first = hashed(path)

    fetch_model("tiny-64", entry, tmp_path, registry=shelf.registry())
    assert len(shelf.asked) == 1
    path.write_bytes(b"damaged")
    fetch_model("tiny-64", entry, tmp_path, registry=shelf.registry())

    assert len(shelf.asked) == 2
    assert hashed(path) == first


def url_entry(shelf: Shelf, sha256: str | None) -> CatalogueEntry:
    shelf.files["m.onnx"] = b"a network"
    url = f"{shelf.url}/files/m.onnx"
    return CatalogueEntry(
        about="x",
        source=UrlSource(kind="url", url=url, sha256=sha256, card="yolov3-tiny.yaml"),
        licence="x",
    )


def test_a_file_of_unknown_hash_needs_the_operators_word(shelf: Shelf, tmp_path: Path) -> None:
    entry, registry = url_entry(shelf, None), shelf.registry()

    with pytest.raises(ModelError, match="does not know the file's SHA-256"):
        fetch_model("m", entry, tmp_path, registry=registry)
    with pytest.raises(ModelError, match="its SHA-256 is"):
        fetch_model("m", entry, tmp_path, consent=Consent(sha256="2" * 64), registry=registry)
    assert list(tmp_path.iterdir()) == []

    fetch_model("m", entry, tmp_path, consent=Consent(sha256=sha256_of(b"a network")), registry=registry)
    fetch_model("m", entry, tmp_path, consent=Consent(trust=True), registry=registry)
    card = yaml.safe_load((tmp_path / "m.yaml").read_text(encoding="utf-8"))
    assert card["sha256"] == sha256_of(b"a network")


def test_the_catalogues_hash_cannot_be_talked_over(shelf: Shelf, tmp_path: Path) -> None:
    consent = Consent(sha256=sha256_of(b"a network"), trust=True)

    with pytest.raises(ModelError, match="its SHA-256 is"):
        fetch_model("m", url_entry(shelf, "3" * 64), tmp_path, consent=consent, registry=shelf.registry())


def test_a_model_without_a_public_file_is_told(tmp_path: Path) -> None:
    entry = CatalogueEntry(about="x", source=PackagedFile(kind="file", sha256="4" * 64), licence="x")

    with pytest.raises(ModelError, match="nowhere to fetch") as caught:
        fetch_model("m", entry, tmp_path)
    assert "ngatu models add" in caught.value.hint


def test_without_a_network_each_way_by_a_stick_is_told_and_goes(shelf: Shelf, tmp_path: Path) -> None:
    entry, here, stick = darknet_entry(shelf), tmp_path / "here", tmp_path / "stick"
    nowhere = Registry(("http://127.0.0.1:9/simple",), wait_s=0.001)
    assert isinstance(entry.source, DarknetSource)

    with pytest.raises(ModelError, match="cannot be fetched") as caught:
        fetch_model("tiny-64", entry, here, registry=nowhere)

    hint = caught.value.hint
    assert f"ngatu models add STICK/tiny-64.onnx --dir {here}" in hint
    archive = f"pypi.org/project/tiny/2.0/#files, SHA-256 {entry.source.sha256}"
    assert f"carry tiny-2.0.tar.gz here, into a folder ({archive})" in hint
    assert f"PIP_FIND_LINKS=FOLDER ngatu models fetch tiny-64 --dir {here}" in hint
    made = fetch_model("tiny-64", entry, stick, registry=shelf.registry())
    assert hashed(add_model(made, tmp_path / "one")) == hashed(made)
    (stick / "tiny-2.0.tar.gz").write_bytes(shelf.files["tiny-2.0.tar.gz"])
    carried = Registry(nowhere.indexes, (str(stick),), wait_s=0.001)
    assert hashed(fetch_model("tiny-64", entry, tmp_path / "two", registry=carried)) == hashed(made)


def test_without_a_network_a_file_of_the_web_is_told_with_its_address_and_its_hash(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/m.onnx"
    entry = CatalogueEntry(about="x", source=UrlSource(kind="url", url=url, sha256="3" * 64), licence="x")

    with pytest.raises(ModelError, match="cannot be fetched") as caught:
        fetch_model("m", entry, tmp_path, registry=Registry((), wait_s=0.001))

    assert f"fetch {url} elsewhere (SHA-256 {'3' * 64}), carry it here" in caught.value.hint
    assert f"ngatu models add m.onnx --dir {tmp_path}" in caught.value.hint


def test_a_checkpoint_is_told_from_a_model(tmp_path: Path) -> None:
    mine = tmp_path / "best.pt"
    mine.write_bytes(b"PK")

    with pytest.raises(ModelError, match="this is a checkpoint") as caught:
        add_model(mine, tmp_path / "models")
    assert f"ngatu models export {mine}" in caught.value.hint


def test_a_model_of_ones_own_is_taken_in_with_its_card(tmp_path: Path) -> None:
    mine = tmp_path / "somewhere.onnx"
    mine.write_bytes(b"mine")
    card = {
        "name": "mine",
        "input": {"width_px": 320, "height_px": 320},
        "resize": "stretch",
        "channels": "rgb",
        "head": {"kind": "ultralytics"},
        "labels": "own.names",
        "keep": ["xe máy"],
        "licence": "mine",
        "source": "mine",
        "sha256": hashlib.sha256(b"mine").hexdigest(),
    }
    mine.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    (tmp_path / "own.names").write_text("xe máy\nxích lô\n", encoding="utf-8")

    path = add_model(mine, tmp_path / "store")

    assert path == tmp_path / "store/mine.onnx"
    assert path.read_bytes() == b"mine"
    kept = yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))
    assert kept == card | {"labels": ["xe máy", "xích lô"]}


def test_a_file_is_taken_as_it_is_where_the_catalogue_knows_no_form_with_less_to_do(tmp_path: Path) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"mine")
    card = yaml.safe_load((SHIPPED / "picodet-s-416.yaml").read_text(encoding="utf-8"))
    mine.with_suffix(".yaml").write_text(
        yaml.safe_dump(card | {"sha256": sha256_of(b"mine")}), encoding="utf-8"
    )

    path = add_model(mine, tmp_path / "store")

    assert path.read_bytes() == b"mine"
    assert yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))["labels"] == "coco80"


@pytest.mark.footage
def test_picodet_becomes_the_same_with_less_to_do(tmp_path: Path, shared_data: Path) -> None:
    entry = entry_named("picodet-s-416")
    file = shared_data / "models/picodet_s_416.onnx"
    files = sorted((shared_data / "detection/images").glob("*.jpg"))[:20]
    pictures = [np.asarray(imread(str(each)), np.uint8) for each in files]

    path = add_model(file, tmp_path)

    assert isinstance(entry.source, PackagedFile)
    assert hashed(path) == entry.source.slim_sha256
    faint = dict.fromkeys(ROAD_USERS, FAINTEST)
    before, after = (
        load_detector(DetectorSettings(model=str(model), min_score=faint)).detect(pictures)
        for model in (file, path)
    )
    for ones, others in zip(before, after, strict=True):
        assert_all_among(ones, others)
        assert_all_among(others, ones)
    assert len({found.label for frame in before for found in frame if found.score > CLEARLY}) > 3


FAINTEST = 0.2
CLEARLY = 0.25
"""Between the two lies what one computer's rounding has and another's has not."""


def assert_all_among(ones: Sequence[Detection], others: Sequence[Detection]) -> None:
    """Whatever their order: two that score alike are told in this one or that one by the last bit."""
    for one in ones:
        assert one.score < CLEARLY or any(
            other.label == one.label
            and abs(other.score - one.score) < 1e-4
            and astuple(other.box) == pytest.approx(astuple(one.box), abs=1e-4)
            for other in others
        ), (one, others)
