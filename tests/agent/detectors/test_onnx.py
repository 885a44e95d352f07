"""agent.detectors.onnx"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import yaml

from agent.core.types import Box, Image
from agent.detectors import load_detector
from agent.detectors.onnx import OnnxDetector
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from tests.conftest import ROOT

Writer = Callable[..., Path]
BLUE, GREEN, RED = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def picture(width: int, height: int, *spots: tuple[Box, tuple[int, int, int]]) -> Image:
    image = np.zeros((height, width, 3), np.uint8)
    for box, colour in spots:
        rows = slice(round(box.top * height), round(box.bottom * height))
        image[rows, round(box.left * width) : round(box.right * width)] = colour
    return image


def detector(model: Path, **settings: Any) -> OnnxDetector:
    loaded = load_detector(DetectorSettings(model=str(model), **settings))
    assert isinstance(loaded, OnnxDetector)
    return loaded


def close_to(box: Box) -> Any:
    return pytest.approx((box.left, box.top, box.right, box.bottom), abs=0.01)


def sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


SPOT = Box(0.25, 1 / 3, 0.5, 2 / 3)  # one cell of 4 by 3


@pytest.mark.parametrize("size", [(128, 96), (640, 480), (1920, 1440), (64, 48)])
def test_a_spot_is_found_where_it_is_at_any_size(cells: Writer, size: tuple[int, int]) -> None:
    (found,) = detector(cells()).detect([picture(*size, (SPOT, BLUE))])

    assert [one.label for one in found] == ["car"]
    assert sides(found[0].box) == close_to(SPOT)
    assert found[0].score > 0.9


@pytest.mark.parametrize(
    ("resize", "size", "box"),
    [
        # A wide picture fills 128 by 32 pixels of the field: the first row, or the middle one.
        ("letterbox_top_left", (512, 128), Box(0.25, 0, 0.5, 1)),
        ("letterbox_centre", (512, 128), Box(0.25, 0, 0.5, 1)),
        # A high one fills 32 by 96.
        ("letterbox_top_left", (100, 300), Box(0, 1 / 3, 1, 2 / 3)),
        ("stretch", (300, 900), Box(0.75, 0, 1, 1 / 3)),
    ],
)
def test_a_spot_is_found_in_pictures_of_another_shape(
    cells: Writer, resize: str, size: tuple[int, int], box: Box
) -> None:
    (found,) = detector(cells(resize=resize)).detect([picture(*size, (box, GREEN))])

    assert [(one.label, sides(one.box)) for one in found] == [("bus", close_to(box))]


def test_the_order_of_colours_is_the_cards(cells: Writer) -> None:
    image = picture(128, 96, (SPOT, RED))

    assert detector(cells(channels="bgr")).detect([image])[0][0].label == "truck"
    assert detector(cells(channels="rgb")).detect([image])[0][0].label == "car"


def test_the_best_comes_first_and_the_same_picture_gives_the_same(cells: Writer) -> None:
    dim, bright = (160, 0, 0), (240, 0, 0)
    image = picture(128, 96, (SPOT, dim), (Box(0.75, 0, 1, 1 / 3), bright))
    network = detector(cells(), min_score={"car": 0.2})

    (found,) = network.detect([image])

    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len(found) == 2
    assert network.detect([image]) == [found]


@pytest.mark.parametrize("batch", ["batch", 1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_pictures_do_not_mix_whatever_number_the_network_takes(
    cells: Writer, batch: int | str, count: int
) -> None:
    colours = [BLUE, GREEN, RED, (0, 0, 0)]
    images = [picture(128, 96, (SPOT, colours[i % 4])) for i in range(count)]

    found = detector(cells(batch=batch), batch=2).detect(images)

    labels = [[one.label for one in some] for some in found]
    assert labels == [[["car"], ["bus"], ["truck"], []][i % 4] for i in range(count)]


def test_many_threads_may_call_at_once(cells: Writer) -> None:
    network = detector(cells())
    images = [picture(128, 96, (SPOT, (BLUE, GREEN, RED)[i % 3])) for i in range(60)]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda image: network.detect([image])[0], images))

    assert [some[0].label for some in found] == ["car", "bus", "truck"] * 20


def test_only_kept_labels_are_told_and_named(cells: Writer) -> None:
    network = detector(cells(keep=["truck", "car"]))

    found = network.detect([picture(128, 96, (SPOT, GREEN)), picture(128, 96, (SPOT, RED))])

    assert network.labels == ("truck", "car")
    assert [[one.label for one in some] for some in found] == [[], ["truck"]]


def test_a_label_has_its_own_least_score(cells: Writer) -> None:
    image = picture(128, 96, (SPOT, (200, 0, 0)))  # score 0.61: 200/255, squared

    assert len(detector(cells()).detect([image])[0]) == 1
    assert detector(cells(), min_score={"car": 0.7}).detect([image])[0] == ()
    assert len(detector(cells(), min_score={"bus": 0.7}).detect([image])[0]) == 1


def test_the_score_at_which_three_of_four_are_right_is_told_as_that_of_every_other_network(
    cells: Writer,
) -> None:
    network = detector(cells(sure_from=0.43))
    colours = [(round(255 * score**0.5), 0, 0) for score in (0.2, 0.35, 0.43, 0.6, 0.999)]

    found = network.detect([picture(128, 96, (SPOT, colour)) for colour in colours])

    scores = [one.score for some in found for one in some]
    assert len(found[0]) == 0  # 0.2 is told as 0.33, and the least is 0.5
    assert scores == pytest.approx([0.517, 0.6, 0.749, 0.999], abs=0.01)


def test_a_least_score_is_that_of_what_is_told_and_not_of_the_network(cells: Writer) -> None:
    image = picture(128, 96, (SPOT, (200, 0, 0)))  # 0.61 of the network is 0.76

    assert detector(cells(sure_from=0.43), min_score={"car": 0.74}).detect([image])[0]
    assert detector(cells(sure_from=0.43), min_score={"car": 0.78}).detect([image])[0] == ()


def test_an_unknown_label_is_told_with_the_nearest(cells: Writer) -> None:
    with pytest.raises(ModelError, match="did you mean truck"):
        detector(cells(), min_score={"trukc": 0.5})


def test_a_box_in_the_padding_is_not_told(cells: Writer) -> None:
    # Bright padding below the picture looks like objects to this network.
    network = detector(cells(pad=255))

    assert network.detect([picture(512, 128)]) == [()]


def test_a_provider_that_is_not_there_is_refused_with_a_hint(cells: Writer) -> None:
    if "TensorrtExecutionProvider" in ort.get_available_providers():
        pytest.skip("this ONNX Runtime has TensorRT")

    with pytest.raises(ModelError, match="has no tensorrt") as caught:
        detector(cells(), provider="tensorrt")
    assert "onnxruntime-gpu" in caught.value.hint


def test_the_providers_are_told(cells: Writer) -> None:
    assert detector(cells()).providers == ("CPUExecutionProvider",)


def test_a_closed_detector_says_so_and_may_be_closed_again(cells: Writer) -> None:
    network = detector(cells())
    network.close()
    network.close()

    with pytest.raises(ModelError, match="closed"):
        network.detect([picture(128, 96)])


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"input": {"width_px": 96, "height_px": 96}}, "its input is tensor"),
        ({"layout": "nhwc"}, "its input is tensor"),
        ({"labels": ["car", "bus", "truck", "tram"]}, "do not fit the head yolox"),
        ({"head": {"kind": "ultralytics"}}, "do not fit the head ultralytics"),
        ({"head": {"kind": "yolox", "strides": [16, 32]}}, "do not fit the head yolox"),
    ],
)
def test_a_card_that_does_not_fit_is_told_when_the_model_is_loaded(
    cells: Writer, card: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        detector(cells(**card))


def test_a_file_that_is_no_network_is_told(cells: Writer) -> None:
    path = cells()
    card = yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))
    path.write_bytes(b"not a network")
    card["sha256"] = hashlib.sha256(b"not a network").hexdigest()
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")

    with pytest.raises(ModelError, match="ONNX Runtime cannot load it"):
        detector(path)


def test_onnx_runtime_leaves_no_trace_for_its_maker(tmp_path: Path) -> None:
    """From 1.32 on it writes a number for the machine and a queue of reports at its import."""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    subprocess.run([sys.executable, "-c", "import agent.detectors.onnx"], check=True, env=home, cwd=ROOT)

    assert list(tmp_path.rglob("*")) == []
