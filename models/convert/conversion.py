"""From what lies in a package to a model: which converter, in which numbers, and what its card must say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from agent.core.types import Size
from agent.detectors.card import read_card
from agent.detectors.labels import COCO80
from agent.errors import ModelError, how_to_install
from models.archives import Archive, NpmPackage, Sdist
from models.catalogue import CARDS, RANGES, DarknetSource, RegistrySource
from models.convert import darknet, tfjs
from models.convert.onnx_file import Network, serialised
from models.convert.quantise import quantised, read_ranges


@dataclass(frozen=True, slots=True)
class MadeModel:
    """A model that was converted."""

    onnx: bytes
    changes: dict[str, Any]
    """What its card says otherwise than that of its family."""


def archive_of(source: RegistrySource) -> Archive:
    """The archive in which it lies."""
    kind = Sdist if isinstance(source, DarknetSource) else NpmPackage
    return kind(source.package, source.version, source.sha256)


def converted(name: str, source: RegistrySource, plan: str, weights: bytes) -> MadeModel:
    """The model of this name, from the file that lists the layers and the one with their numbers.

    Raises:
        ModelError: these files cannot be converted, or another file comes of them than the pinned one.
    """
    network, changes = network_of(source, plan, weights)
    if source.ranges is not None:
        network = quantised(network, read_ranges(RANGES / source.ranges))
    onnx = serialised(network)
    got = hashlib.sha256(onnx).hexdigest()
    if source.made_sha256 not in (None, got):
        raise ModelError(
            f"{name}: what was made of it has the SHA-256 {got}, not {source.made_sha256}",
            f"another version of the package onnx may write otherwise: {how_to_install('models')}",
        )
    where = "PyPI" if isinstance(source, DarknetSource) else "npm"
    size = {"width_px": source.size_px, "height_px": source.size_px}
    origin = f"{source.weights} in {source.package} {source.version} ({where})"
    return MadeModel(onnx, {"name": name, "input": size, "source": origin} | changes)


def network_of(source: RegistrySource, plan: str, weights: bytes) -> tuple[Network, dict[str, Any]]:
    """The network in the numbers it was published in, and what its card must say of it.

    Raises:
        ModelError: these files cannot be converted.
    """
    size = Size(source.size_px, source.size_px)
    if isinstance(source, DarknetSource):
        made = darknet.convert(plan, weights, size, source.masks)
        anchors = [[list(pair) for pair in scale] for scale in made.anchors]
        return made.network, {"head": {"kind": "yolov3", "anchors": anchors}}
    labels = read_card(CARDS / source.card).labels
    return tfjs.convert(plan, weights, size, [COCO80.index(label) for label in labels]), {}
