"""A world of bright squares on a grey road: a clip to see it in, and a network that sees it.

The network is a real ONNX file with the outputs of YOLOX: each cell of its grid is as sure of a car as it lies
in the middle of something white, which is as large as there is white around it.
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from agent.core.types import Frame, Instant
from agent.detectors.card import hashed

FIELD_PX = 256
STRIDE_PX = 16
SQUARE_PX = 48
ROAD, SQUARE = 90, 240


def write_model(folder: Path) -> Path:
    """The network and its card; returns the .onnx."""
    grid = FIELD_PX // STRIDE_PX
    contrast = 0.4 * (SQUARE - ROAD)
    pools = [
        helper.make_node(
            "AveragePool",
            ["white"],
            [f"around_{side}"],
            kernel_shape=[side] * 2,
            strides=[STRIDE_PX] * 2,
            pads=[(side - STRIDE_PX) // 2] * 4,
        )
        for side in (16, 32, 64, 128)
    ]
    nodes = [
        helper.make_node("ReduceMean", ["images", "channel"], ["grey"]),
        helper.make_node("Sub", ["grey", "dark"], ["above"]),
        helper.make_node("Div", ["above", "contrast"], ["ratio"]),
        helper.make_node("Clip", ["ratio", "zero", "one"], ["white"]),
        *pools,
        # How sure: most in the middle of a square, whatever its size.
        helper.make_node("Mean", ["around_16", "around_32", "around_64"], ["sure"]),
        # How large: as many pixels as are white around it.
        helper.make_node("Max", ["around_128", "least"], ["share"]),
        helper.make_node("Log", ["share"], ["log_share"]),
        helper.make_node("Mul", ["log_share", "half"], ["log_side"]),
        helper.make_node("Add", ["log_side", "log_8"], ["side"]),
        helper.make_node("Mul", ["sure", "zero"], ["none"]),
        helper.make_node("Add", ["none", "half"], ["middle"]),
        helper.make_node("Add", ["none", "one"], ["car"]),
        helper.make_node(
            "Concat", ["middle", "middle", "side", "side", "sure", "car", "none"], ["raw"], axis=1
        ),
        helper.make_node("Reshape", ["raw", "shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["output"], perm=[0, 2, 1]),
    ]
    constants = {
        "channel": np.array([1], np.int64),
        "dark": np.float32(SQUARE - contrast),
        "contrast": np.float32(contrast),
        "zero": np.float32(0),
        "half": np.float32(0.5),
        "one": np.float32(1),
        "least": np.float32(1e-4),
        "log_8": np.float32(np.log(128 / STRIDE_PX)),
        "shape": np.array([0, 7, grid * grid], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, FIELD_PX, FIELD_PX])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", grid * grid, 7])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    path = folder / "squares.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    card = {
        "name": "squares",
        "input": f"{{width_px: {FIELD_PX}, height_px: {FIELD_PX}}}",
        "layout": "nchw",
        "resize": "letterbox_top_left",
        "pad": ROAD,
        "channels": "bgr",
        "head": f"{{kind: yolox, strides: [{STRIDE_PX}]}}",
        "labels": "[car, person]",
        "keep": "[car, person]",
        "min_score": 0.35,
        "nms_iou": 0.2,
        "licence": "Apache-2.0",
        "source": "made by the tests",
        "sha256": hashed(path),
    }
    lines = (f"{key}: {value}\n" for key, value in card.items())
    path.with_suffix(".yaml").write_text("".join(lines), encoding="utf-8")
    return path


def picture(
    lefts_px: tuple[float, ...], width: int = 512, height: int = 256, top_px: int = 110
) -> NDArray[np.uint8]:
    """The road with squares at these places, as RGB with a little noise that is always the same."""
    noise = np.random.default_rng(7).integers(-3, 4, (height, width, 1))
    road = np.broadcast_to(np.uint8(ROAD), (height, width, 3)) + noise
    for left in lefts_px:
        road[top_px : top_px + SQUARE_PX, max(0, int(left)) : max(0, int(left) + SQUARE_PX)] = SQUARE
    return np.clip(road, 0, 255).astype(np.uint8)


def frame_of(lefts_px: tuple[float, ...], index: int, at: Instant) -> Frame:
    """The same picture as a Frame, as a camera would give it."""
    rgb = picture(lefts_px)
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    half = (height // 2, width // 2)
    u, v = yuv.reshape(-1)[height * width :].reshape(2, *half)
    return Frame(index, at, yuv[:height], u, v)


def write_clip(
    path: Path, seconds: float = 8.0, fps: int = 10, still_s: float = 3.0, speed_px_s: float = 130.0
) -> Path:
    """An empty road for `still_s`, then one square that crosses it from left to right; returns the path."""
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 512, 256, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(int(seconds * fps)):
            gone_s = number / fps - still_s
            places = (gone_s * speed_px_s - SQUARE_PX,) if gone_s >= 0 else ()
            frame = av.VideoFrame.from_ndarray(picture(places), format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path
