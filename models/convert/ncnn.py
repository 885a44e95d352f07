"""An .onnx file as NCNN runs it: one .ncnn file with its card (agent/detectors/ncnn.py).

pnnx, by the authors of NCNN, does the work (https://github.com/pnnx/pnnx; BSD-3-Clause). It is a program: its
Python package wants PyTorch, of which nothing is used here. One thing is done before: NCNN takes no slice with
steps, by which YOLOX's first layer takes every second pixel (its "focus"). A convolution of two by two pixels
with weights of one and nought gives the same numbers.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from agent.detectors.card import Card, hashed
from agent.detectors.ncnn import BIN, PARAM
from agent.detectors.places import find_card
from agent.errors import ModelError, how_to_install
from models.convert.onnx_file import imported_onnx
from models.fetch import write_card

CONVERT_S: Final = 600
"""A network of the catalogue takes seconds on an idle computer."""
OFFSETS: Final = 4
"""Parts of a picture of which each has every second pixel of every second row."""


def add_ncnn(file: Path, folder: Path, card: Path | None = None) -> Path:
    """Write NAME-ncnn.ncnn and its card into the folder, from an .onnx file with its card; returns the former.

    Raises:
        ModelError: pnnx or onnx is not installed, the model has no card, or it cannot be converted.
    """
    found, path = find_card(file, hashed(file), card)
    if found.layout != "nchw":
        raise ModelError(f"{file}: NCNN takes a layout of nchw, not {found.layout}", "take another model")
    data = converted(without_focus(file.read_bytes()), found)
    target = folder / f"{found.name}-ncnn.ncnn"
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)
    changes = {"name": f"{found.name}-ncnn", "source": f"{found.source}; made of {found.sha256} by pnnx"}
    write_card(target, hashed(target), path, changes)
    return target


def converted(onnx: bytes, card: Card) -> bytes:
    """The .ncnn file: NCNN's two files in a ZIP archive that is the same for the same files.

    Raises:
        ModelError: pnnx is not installed, fails, or writes a layer that NCNN does not have.
    """
    program = _pnnx()
    shape = f"inputshape=[1,3,{card.input.height_px},{card.input.width_px}]"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.onnx").write_bytes(onnx)
        try:
            done = subprocess.run(  # noqa: S603 – a program of our environment, with our own words
                [str(program), "model.onnx", shape, "fp16=0"],
                cwd=folder,
                capture_output=True,
                timeout=CONVERT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ModelError(f"{card.name}: pnnx fails: {error}", "take another model") from error
        files = Path(folder, "model.ncnn.param"), Path(folder, "model.ncnn.bin")
        if done.returncode or not all(path.is_file() for path in files):
            raise ModelError(f"{card.name}: pnnx fails with {done.returncode}", "take another model")
        param, weights = files[0].read_text(encoding="utf-8"), files[1].read_bytes()
    # What NCNN has no layer for keeps the name of a call in PyTorch, which has a point in it.
    strange = sorted({line.split()[0] for line in param.splitlines()[2:] if "." in line.split()[0]})
    if strange:
        why = f"NCNN has no layer for {', '.join(strange)}"
        raise ModelError(f"{card.name}: {why}", "take another model, or run this one on onnxruntime")
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as archive:
        for name, content in ((PARAM, param.encode()), (BIN, weights)):
            archive.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return packed.getvalue()


def _pnnx() -> Path:
    spec = find_spec("pnnx")  # importing it would import PyTorch
    for place in spec.submodule_search_locations or () if spec else ():
        if (program := Path(place, "pnnx")).is_file():
            return program
    raise ModelError("pnnx is not installed", how_to_install("pnnx"))


def without_focus(model: bytes) -> bytes:
    """The same network with a convolution in place of four slices of every second pixel, if it has them.

    Raises:
        ModelError: the package onnx is not installed.
    """
    onnx = imported_onnx()
    loaded = onnx.load_model_from_string(model)
    graph = loaded.graph
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    makers = {name: node for node in graph.node for name in node.output}
    for join in [node for node in graph.node if node.op_type == "Concat" and len(node.input) == OFFSETS]:
        parts = [_taken(name, makers, constants) for name in join.input]
        entry = next((each for each in graph.input if each.name == parts[0][0]), None)
        places = [at for source, at in parts if at is not None and entry is not None and source == entry.name]
        if entry is None or len(places) != OFFSETS:
            continue
        channels = entry.type.tensor_type.shape.dim[1].dim_value
        weight = np.zeros((OFFSETS * channels, channels, 2, 2), np.float32)
        for index, (row, column) in enumerate(places):
            for channel in range(channels):
                weight[index * channels + channel, channel, row, column] = 1.0
        name = f"{join.output[0]}_focus"
        graph.initializer.append(onnx.numpy_helper.from_array(weight, name))
        conv = onnx.helper.make_node(
            "Conv", [entry.name, name], list(join.output), kernel_shape=[2, 2], strides=[2, 2]
        )
        graph.node.insert(list(graph.node).index(join), conv)
        graph.node.remove(join)
    _drop_unread(graph)
    return bytes(loaded.SerializeToString(deterministic=True))


def _taken(name: str, makers: Any, constants: Any) -> tuple[str, tuple[int, int] | None]:
    """Of what slices take every second pixel, and from which row and column on; None: they do not."""
    at: dict[int, int] = {}
    while (node := makers.get(name)) is not None and node.op_type == "Slice" and len(node.input) == 5:
        starts, _, axes, steps = (constants.get(each) for each in node.input[1:])
        if starts is None or axes is None or steps is None or set(steps.tolist()) != {2}:
            return name, None
        at |= dict(zip(axes.tolist(), starts.tolist(), strict=True))
        name = node.input[0]
    found = at.get(2, -1), at.get(3, -1)
    return name, found if set(at) == {2, 3} and set(found) <= {0, 1} else None


def _drop_unread(graph: Any) -> None:
    wanted = {each.name for each in graph.output}
    for node in reversed(list(graph.node)):
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)
