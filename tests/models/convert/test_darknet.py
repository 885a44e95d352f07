"""models.convert.darknet, against darknet's arithmetic in NumPy and against OpenCV's reader of ONNX"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from agent.core.types import Size
from agent.errors import ModelError
from models.convert.darknet import convert
from models.convert.darknet_files import Section, parse_cfg

Array = Any

TINY = """
[net]
width=64
height=64
channels=3

[convolutional]
batch_normalize=1
filters=6
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[maxpool]
size=2
stride=1

[convolutional]
filters=8
size=1
stride=1
pad=1
activation=linear

[shortcut]
from=-2
activation=leaky

[convolutional]
filters=14
size=1
stride=1
pad=1
activation=linear

[yolo]
mask = 2,3
anchors = 10,14, 23,27, 37,58, 81,82
classes=2

[route]
layers = -3

[upsample]
stride=2

[route]
layers = -1, 1

[maxpool]
size=3
stride=1

[convolutional]
filters=14
size=1
pad=1
activation=linear

[yolo]
mask = 0,1
anchors = 10,14, 23,27, 37,58, 81,82
classes=2
"""
"""Every layer that the converter knows, in the shape of YOLOv3-tiny; the last one is number 13."""


class Reference:
    """Darknet's forward pass, layer by layer, in float64."""

    def __init__(self, sections: list[Section], seed: int = 1) -> None:
        self.sections = sections
        self.rng = np.random.default_rng(seed)
        self.written: list[Array] = []

    def weights(self) -> bytes:
        header = struct.pack("<3iQ", 0, 2, 0, 12345)
        return header + np.concatenate([w.ravel() for w in self.written]).astype("<f4").tobytes()

    def numbers(self, *shape: int, low: float = -1.0, high: float = 1.0) -> Array:
        made = self.rng.uniform(low, high, shape).astype(np.float32)
        self.written.append(made)
        return made.astype(np.float64)

    def run(self, x: Array) -> list[Array]:
        layers: list[Array] = []
        outputs = []
        for section in self.sections[1:]:
            source = layers[-1] if layers else x
            layers.append(getattr(self, section.kind)(section, source, layers))
            if section.kind == "yolo":
                outputs.append(source)
        return outputs

    def convolutional(self, section: Section, x: Array, _: list[Array]) -> Array:
        filters, size = section.number("filters", 1), section.number("size", 1)
        stride, pad = section.number("stride", 1), size // 2
        bias = self.numbers(filters)
        normal = section.number("batch_normalize", 0)
        if normal:
            scale, mean = self.numbers(filters), self.numbers(filters)
            variance = self.numbers(filters, low=0.0, high=2.0)
        kernel = self.numbers(filters, x.shape[0], size, size) / 1.0
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        windows = sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]
        y = np.einsum("cyxij,fcij->fyx", windows, kernel)
        if normal:
            y = (y - mean[:, None, None]) / (np.sqrt(variance) + 1e-6)[:, None, None] * scale[:, None, None]
        return self.active(section, y + bias[:, None, None])

    @staticmethod
    def active(section: Section, y: Array) -> Array:
        return np.where(y > 0, y, 0.1 * y) if section.options.get("activation") == "leaky" else y

    @staticmethod
    def maxpool(section: Section, x: Array, _: list[Array]) -> Array:
        """As maxpool_layer.c loops: the window starts at -padding / 2, and what is outside counts as -inf."""
        size, stride = section.number("size", 2), section.number("stride", 2)
        padding = size - 1
        rows, columns = ((n + padding - size) // stride + 1 for n in x.shape[1:])
        y = np.full((x.shape[0], rows, columns), -np.inf)
        for row in range(rows):
            for column in range(columns):
                for i in range(size):
                    for j in range(size):
                        at, to = row * stride + i - padding // 2, column * stride + j - padding // 2
                        if 0 <= at < x.shape[1] and 0 <= to < x.shape[2]:
                            y[:, row, column] = np.maximum(y[:, row, column], x[:, at, to])
        return y

    @staticmethod
    def upsample(section: Section, x: Array, _: list[Array]) -> Array:
        return x.repeat(section.number("stride", 2), 1).repeat(section.number("stride", 2), 2)

    @staticmethod
    def route(section: Section, _: Array, layers: list[Array]) -> Array:
        return np.concatenate([layers[i] for i in section.numbers("layers")])

    def shortcut(self, section: Section, x: Array, layers: list[Array]) -> Array:
        return self.active(section, x + layers[section.number("from", -1)])

    @staticmethod
    def yolo(_: Section, x: Array, __: list[Array]) -> Array:
        return x


def far(a: Array, b: Array) -> float:
    return float(np.abs(a - b).max())


@pytest.mark.parametrize("size", [Size(64, 64), Size(96, 32)])
def test_every_layer_computes_what_darknet_computes(size: Size) -> None:
    sections = parse_cfg(TINY)
    picture = np.random.default_rng(7).uniform(0, 1, (3, size.height_px, size.width_px)).astype(np.float32)
    reference = Reference(sections)
    expected = reference.run(picture.astype(np.float64))

    made = convert(TINY, reference.weights(), size)

    session = ort.InferenceSession(made.onnx, providers=["CPUExecutionProvider"])
    got = session.run(None, {"images": picture[None]})
    assert [out.name for out in session.get_outputs()] == ["scale_0", "scale_1"]
    for ours, theirs in zip(got, expected, strict=True):
        assert ours.shape == (1, *theirs.shape)
        assert far(ours[0], theirs) < 1e-4 * max(1.0, float(np.abs(theirs).max()))


def test_opencv_reads_the_file_and_computes_the_same() -> None:
    reference = Reference(parse_cfg(TINY))
    picture = np.random.default_rng(3).uniform(0, 1, (1, 3, 64, 64)).astype(np.float32)
    reference.run(picture[0].astype(np.float64))
    made = convert(TINY, reference.weights(), Size(64, 64))
    expected = ort.InferenceSession(made.onnx, providers=["CPUExecutionProvider"]).run(
        None, {"images": picture}
    )

    net = cv2.dnn.readNetFromONNX(np.frombuffer(made.onnx, np.uint8))
    net.setInput(picture)
    got = net.forward(["scale_0", "scale_1"])

    for ours, theirs in zip(got, expected, strict=True):
        assert far(ours, theirs) < 1e-3


def written() -> bytes:
    reference = Reference(parse_cfg(TINY))
    reference.run(np.zeros((3, 64, 64)))
    return reference.weights()


def test_any_number_of_pictures_goes_in() -> None:
    made = convert(TINY, written(), Size(64, 64))
    session = ort.InferenceSession(made.onnx, providers=["CPUExecutionProvider"])
    pictures = np.random.default_rng(2).uniform(0, 1, (3, 3, 64, 64)).astype(np.float32)

    together = session.run(None, {"images": pictures})
    alone = session.run(None, {"images": pictures[2:]})

    assert far(together[1][2], alone[1][0]) < 1e-5


def test_the_same_files_give_the_same_bytes() -> None:
    assert convert(TINY, written(), Size(64, 64)).onnx == convert(TINY, written(), Size(64, 64)).onnx


def test_anchors_follow_the_masks_of_the_cfg_or_ours() -> None:
    assert convert(TINY, written(), Size(64, 64)).anchors == (
        ((37, 58), (81, 82)), ((10, 14), (23, 27)),
    )  # fmt: skip
    assert convert(TINY, written(), Size(64, 64), [[2, 3], [1, 2]]).anchors[1] == ((23, 27), (37, 58))


@pytest.mark.parametrize(("change", "message"), [(-4, "end too early"), (8, "2 of the .* are left over")])
def test_weights_of_another_network_are_refused(change: int, message: str) -> None:
    weights = written()
    weights = weights[:change] if change < 0 else weights + bytes(change)

    with pytest.raises(ModelError, match=message):
        convert(TINY, weights, Size(64, 64))


def test_old_headers_are_four_bytes_shorter() -> None:
    weights = written()
    old = struct.pack("<3ii", 0, 1, 0, 12345) + weights[20:]

    assert convert(TINY, old, Size(64, 64)).onnx == convert(TINY, weights, Size(64, 64)).onnx


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[shortcut]", "[lstm]", "knows no .lstm."),
        ("activation=leaky", "activation=mish", "knows no activation mish"),
        ("layers = -3", "layers = -30", "no layer -30"),
        ("layers = -3", "layers = -3\ngroups=2", "knows no .route. with groups"),
        ("filters=6", "filters=six", "filters: invalid literal"),
        ("mask = 2,3", "mask = 2,9", "there are 4 anchors"),
        ("from=-2", "from=-5", "joins 8 and 6 channels"),
    ],
)
def test_a_cfg_that_cannot_be_converted_is_told(before: str, after: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        convert(TINY.replace(before, after, 1), written(), Size(64, 64))
