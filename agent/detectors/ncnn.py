"""The detector on NCNN: one network on a processor's cores.

A model is one file, NAME.ncnn, which `ngatu models ncnn` makes of an .onnx file: a ZIP archive, not compressed,
that holds NCNN's two files, `param` (the layers, as text) and `bin` (the weights). One hash stands for both.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from agent.detectors.card import Card, read_unchanged
from agent.detectors.card_detector import CardDetector
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError, how_to_install
from agent.translatable import tr

PARAM, BIN = "param", "bin"
"""The members of the archive."""
MOST_BYTES: Final = 512 << 20
"""Of one of them, unpacked."""


class NcnnRunner:
    """Runs a network of NCNN, one picture at a time."""

    fixed: int | None = None
    dtype: Any = np.float32

    def __init__(self, model: Path, sha256: str, card: Card, settings: DetectorSettings) -> None:
        """Load it.

        Raises:
            ModelError: NCNN is not installed, the file is no network of it, or the card's layout is not its.
        """
        try:
            import ncnn  # noqa: PLC0415 – an optional package
        except ImportError as error:
            raise ModelError(tr("detector.backend: NCNN is not installed"), how_to_install("ncnn")) from error
        if card.layout != "nchw":
            raise ModelError(
                tr(
                    "{model}: NCNN takes a layout of nchw, and the card says {layout}",
                    model=model,
                    layout=card.layout,
                ),
                tr("make it of an .onnx file whose layout is nchw."),
            )
        self._ncnn, self._net = ncnn, ncnn.Net()
        options = self._net.opt
        options.num_threads, options.use_vulkan_compute = settings.threads, False
        # In half precision a board gives other scores than a PC: the same clip shall give the same events.
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_packed = options.use_bf16_storage = False
        param, weights = _members(model, sha256)
        if _refused(self._net.load_param, param) or _refused(self._net.load_model, weights):
            raise _no_network(model, tr("NCNN cannot load it"))
        names = self._net.input_names(), self._net.output_names()
        self._input: str = names[0][0]
        self.outputs: Sequence[str] = tuple(names[1])

    def run(self, batch: NDArray[Any]) -> Sequence[Any]:
        """The outputs of a batch."""
        pictures = [self._one(np.ascontiguousarray(picture)) for picture in batch]
        return [np.stack(each) for each in zip(*pictures, strict=True)]

    def _one(self, picture: NDArray[Any]) -> list[NDArray[Any]]:
        extractor = self._net.create_extractor()
        if extractor.input(self._input, self._ncnn.Mat(picture)):
            raise RuntimeError(f"input {self._input}")
        found = []
        for name in self.outputs:
            failed, output = extractor.extract(name)
            if failed:
                raise RuntimeError(f"output {name}")
            found.append(np.array(output))  # a copy: the extractor's memory goes with it
        return found


class NcnnDetector(CardDetector):
    """A Detector made of one .ncnn file and its card; `detect` may be called from many threads at once."""

    def __init__(self, model: Path, sha256: str, card: Card, settings: DetectorSettings) -> None:
        """Load the network.

        Raises:
            ModelError: NCNN is not installed, the file is no network of it, or it is not what the card says.
        """
        super().__init__(NcnnRunner(model, sha256, card, settings), sha256, card, settings)
        self.try_out()


def _members(model: Path, sha256: str) -> tuple[bytes, bytes]:
    """Layers and weights out of the very bytes that were hashed.

    Raises:
        ModelError: the file is no such archive, or has changed.
    """
    data = read_unchanged(model, sha256)
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            if any(archive.getinfo(name).file_size > MOST_BYTES for name in (PARAM, BIN)):
                raise _no_network(model, tr("it is too large"))
            return archive.read(PARAM), archive.read(BIN)
    except (BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise _no_network(model, tr("it is no archive of NCNN's two files")) from error


def _refused(load: Any, data: bytes) -> bool:
    """Whether NCNN refuses these bytes. It reads them from memory with a path: its own way keeps pointers."""
    fd = os.memfd_create("ncnn")
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(data)
        return bool(load(f"/proc/self/fd/{fd}"))
    finally:
        os.close(fd)


def _no_network(model: Path, why: str) -> ModelError:
    return ModelError(
        tr("{model}: {why}", model=model, why=why),
        tr("make it of an .onnx file: ngatu models ncnn {model}", model="FILE.onnx"),
    )
