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
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from structlog.testing import capture_logs

from agent.core.types import Box, Image
from agent.detectors import load_detector
from agent.detectors.onnx import OnnxDetector
from agent.detectors.settings import DetectorSettings
from agent.detectors.tensorrt.building import BuildingDetector
from agent.errors import ModelError
from tests.conftest import ROOT
from tests.support.brokers import until

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


def test_a_label_of_which_the_network_is_less_sure_than_it_is_right_is_told_surer(cells: Writer) -> None:
    corner = Box(0.75, 0, 1, 1 / 3)
    image = picture(128, 96, (SPOT, (200, 0, 0)), (corner, (0, 210, 0)))  # a car by 0.61, a bus by 0.68
    least = {"car": 0.1, "bus": 0.1}
    before = detector(cells(), min_score=least).detect([image])[0]
    network = detector(cells(label_sure_from={"car": 0.4}), min_score=least)

    found = network.detect([image])[0]

    assert [one.label for one in before] == ["bus", "car"]
    assert [one.label for one in found] == ["car", "bus"]  # the best comes first
    assert found[1] == before[0]
    assert found[0].score == pytest.approx(0.78, abs=0.01)


def test_beside_a_score_for_all_a_labels_own_holds(cells: Writer) -> None:
    image = picture(128, 96, (SPOT, (200, 0, 0)))  # 0.61 of the network
    network = detector(cells(sure_from=0.43, label_sure_from={"car": 0.6}), min_score={"car": 0.6})
    assert network.detect([image])[0][0].score == pytest.approx(0.61, abs=0.01)
    assert detector(cells(label_sure_from={"car": 0.4}), min_score={"car": 0.77}).detect([image])[0]
    assert not detector(cells(label_sure_from={"car": 0.4}), min_score={"car": 0.8}).detect([image])[0]


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


def lying(folder: Path, output: NDArray[Any], outside: str = "") -> Path:
    """A network that gives this, whatever it sees, and a card for the head that takes whole rows of boxes."""
    constant = numpy_helper.from_array(output, "output")
    if outside:
        constant.ClearField("raw_data")
        constant.data_location = TensorProto.EXTERNAL
        constant.external_data.add(key="location", value=outside)
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 64, 64])
    kind = helper.np_dtype_to_tensor_dtype(output.dtype)
    given = helper.make_tensor_value_info("given", kind, None)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["output"], ["given"])], "lies", [entry], [given], [constant]
    )
    path = folder / "lies.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    )
    card = {
        "name": "lies", "input": {"width_px": 64, "height_px": 64}, "resize": "stretch", "channels": "bgr",
        "head": {"kind": "end_to_end"}, "labels": ["car"], "keep": ["car"], "licence": "none", "source": "here",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    return path


WEIGHS = """
import ctypes, sys
from pathlib import Path
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings

def own_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

before_kb = own_kb()
detector = load_detector(DetectorSettings(model=sys.argv[1]))
ctypes.CDLL(None).malloc_trim(0)
print((own_kb() - before_kb) * 1024)
"""


def test_the_bytes_of_the_file_are_not_kept_beside_the_network(tmp_path: Path) -> None:
    model = lying(tmp_path, np.zeros((1, 3_000_000, 6), np.float32))
    command = [sys.executable, "-c", WEIGHS, str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert model.stat().st_size < int(done.stdout) < 1.8 * model.stat().st_size


@pytest.mark.parametrize("output", [
    np.float32(1), np.zeros((0, 5, 6), np.float32), np.zeros(6, np.float32), np.array([[["a"] * 6]], object),
    np.zeros((1, 5, 7), np.float32), np.zeros((1, 6), np.bool_),
])  # fmt: skip
def test_outputs_of_any_shape_are_told_when_the_network_is_loaded(tmp_path: Path, output: NDArray[Any]) -> None:
    with pytest.raises(ModelError, match=r"do not fit the head|cannot load it"):
        detector(lying(tmp_path, np.asarray(output)))


def test_what_is_no_number_is_no_box(tmp_path: Path) -> None:
    nan, inf = np.nan, np.inf
    rows = [
        [nan] * 6, [inf, inf, inf, inf, 0.9, 0], [0, 0, inf, 50, 0.9, 0], [0, 0, 50, 50, inf, 0],
        [0, 0, 50, 50, 0.9, nan], [0, 0, 50, 50, 0.9, 1e30], [0, 0, 50, 50, 0.9, -inf],
        [-1e38, 0, 1e38, 50, 0.9, 0],
        [0, 0, 32, 32, 0.9, 0],
    ]  # fmt: skip
    (found,) = detector(lying(tmp_path, np.array([rows], np.float32))).detect([picture(64, 64)])
    assert [sides(one.box) for one in found] == [(0.0, 0.0, 0.5, 0.5)]


def test_boxes_without_number_cost_no_time_without_end(tmp_path: Path) -> None:
    """20,000 boxes took six seconds, and the time goes with the square."""
    corner = np.random.default_rng(0).uniform(0, 60, (1_000_000, 2))
    rows = np.concatenate(
        [corner, corner + 0.01, np.full((1_000_000, 1), 0.9), np.zeros((1_000_000, 1))], axis=1
    )
    (found,) = detector(lying(tmp_path, rows[None].astype(np.float32))).detect([picture(64, 64)])
    assert len(found) == 300


@pytest.mark.parametrize(
    "outside", ["weights.bin", "../weights.bin", "../../../../../etc/passwd", "/etc/passwd"]
)
def test_weights_in_another_file_are_refused_for_no_hash_covers_them(tmp_path: Path, outside: str) -> None:
    (tmp_path / "models").mkdir()
    for folder in (tmp_path, tmp_path / "models"):
        (folder / "weights.bin").write_bytes(bytes(4 * 30))
    with pytest.raises(ModelError, match="cannot load it"):
        detector(lying(tmp_path / "models", np.zeros((1, 5, 6), np.float32), outside))


def odd(folder: Path, nodes: list[Any], output: Any, *constants: NDArray[Any]) -> Path:
    """A network of these nodes; its card says nothing that is wrong."""
    path = lying(folder, np.zeros((1, 84, 6), np.float32))
    entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 64, 64])
    named = [numpy_helper.from_array(value, f"constant{n}") for n, value in enumerate(constants)]
    graph = helper.make_graph(nodes, "odd", [entry], [output], named)
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    )
    card = yaml.safe_load(path.with_suffix(".yaml").read_text())
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    return path


def test_an_output_that_is_a_list_is_told_as_one_that_does_not_fit(tmp_path: Path) -> None:
    output = helper.make_tensor_sequence_value_info("given", TensorProto.FLOAT, None)
    model = odd(tmp_path, [helper.make_node("SequenceConstruct", ["images"], ["given"])], output)
    with pytest.raises(ModelError, match="do not fit the head"):
        detector(model)


def test_a_network_with_a_loop_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detectors.onnx.FIRST_CALL_S", 0.5)
    scalar = [
        helper.make_tensor_value_info("turn", TensorProto.INT64, []),
        helper.make_tensor_value_info("on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("value", TensorProto.FLOAT, None),
    ]
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["on2"]), helper.make_node("Identity", ["value"], ["value2"])],
        "body", scalar,
        [helper.make_tensor_value_info("on2", TensorProto.BOOL, []),
         helper.make_tensor_value_info("value2", TensorProto.FLOAT, None)],
    )  # fmt: skip
    node = helper.make_node("Loop", ["constant0", "constant1", "images"], ["given"], body=body)
    output = helper.make_tensor_value_info("given", TensorProto.FLOAT, None)
    model = odd(tmp_path, [node], output, np.array(2**62, np.int64), np.array(True))
    with pytest.raises(ModelError, match="terminate"):
        detector(model)


ALL = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


class Gpu:
    """A machine with a GPU under ONNX Runtime: its sessions are this processor's, and say otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...] = ()) -> None:
        self.asked: list[list[tuple[str, dict[str, str]]]] = []
        real, gpu = ort.InferenceSession, self

        class Session:
            def __init__(self, data: bytes, options: Any, providers: Any) -> None:
                gpu.asked.append([*providers])
                name, words = providers[0]
                if name in broken:
                    raise RuntimeError(f"{name}: no kernel image is available for execution")
                if "trt_engine_cache_path" in words:
                    (Path(words["trt_engine_cache_path"]) / "kernel_sm87.engine").touch()
                self._names = [each for each, _ in providers]
                self._real = real(data, options, providers=["CPUExecutionProvider"])

            def get_providers(self) -> list[str]:
                return self._names

            def __getattr__(self, name: str) -> Any:
                return getattr(self._real, name)

        monkeypatch.setattr(ort, "get_available_providers", lambda: [*ALL])
        monkeypatch.setattr(ort, "InferenceSession", Session)


def test_tensorrt_is_told_where_engines_lie_and_which_come_after_it(
    cells: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu(monkeypatch)
    it = detector(cells(), provider="tensorrt", engines_dir=tmp_path / "engines", fp16=True)
    assert it.providers == tuple(ALL)
    ((first, *rest),) = gpu.asked
    folder = Path(first[1]["trt_engine_cache_path"])
    assert (folder.parent, folder.is_dir()) == (tmp_path / "engines", True)
    assert first[1]["trt_fp16_enable"] == "1"
    assert rest == [("CUDAExecutionProvider", {}), ("CPUExecutionProvider", {})]


@pytest.mark.parametrize("broken", [1, 2])
def test_where_a_gpu_fails_the_next_computes_in_order_and_the_log_says_why(
    cells: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    Gpu(monkeypatch, tuple(ALL[:broken]))
    with capture_logs() as lines:
        it = detector(cells(), provider="tensorrt", engines_dir=tmp_path)
    assert it.providers == tuple(ALL[broken:])
    failed = [(line["provider"], line["then"]) for line in lines if line["event"] == "provider_failed"]
    assert failed == [(ALL[n], ALL[n + 1]) for n in range(broken)]
    assert it.detect([picture(128, 96)]) == [()]


def test_where_engines_cannot_be_kept_it_computes_all_the_same(
    cells: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu(monkeypatch)
    (tmp_path / "engines").write_text("a file where a folder should be")
    with capture_logs() as lines:
        detector(cells(), provider="tensorrt", engines_dir=tmp_path / "engines")
    assert gpu.asked[0][0] == (ALL[0], {"trt_fp16_enable": "0"})
    assert "engines_not_kept" in [line["event"] for line in lines]


def test_only_the_first_start_builds_and_does_not_wait_for_it(
    cells: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gpu(monkeypatch)
    wanted = DetectorSettings(model=str(cells()), provider="tensorrt", engines_dir=tmp_path / "engines")
    first = load_detector(wanted, waits=False)
    assert isinstance(first, BuildingDetector)
    until(lambda: first.ready, 30)
    assert first.detect([picture(128, 96)]) == [()]
    assert isinstance(load_detector(wanted, waits=False), OnnxDetector)  # its engine lies there


def test_on_a_processor_nothing_is_built(cells: Writer) -> None:
    assert isinstance(load_detector(DetectorSettings(model=str(cells())), waits=False), OnnxDetector)
