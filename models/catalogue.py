"""The detectors we know, and where each comes from: catalogue.yaml."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints, TypeAdapter

from agent.errors import ModelError
from agent.settings.base import Settings

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
CATALOGUE = Path(__file__).parent / "catalogue.yaml"
CARDS = Path(__file__).parent / "cards"
RANGES = Path(__file__).parent / "ranges"


class UrlSource(Settings):
    """An .onnx file on the web."""

    kind: Literal["url"] = Field(description="url")
    url: str = Field(pattern="^https?://", description="Where the file is.")
    sha256: Sha256 | None = Field(
        None, description="Of the file; without it, fetching asks the operator for one."
    )
    card: str | None = Field(None, description="Card in models/cards, for a file of unknown hash.")


class RegistrySource(Settings):
    """A network inside an archive of a package registry, which a converter of ours turns into ONNX.

    The archive is read as one: it is never installed and nothing in it is run.
    """

    package: str = Field(description="Name on the registry.")
    version: str = Field(description="Its version.")
    sha256: Sha256 = Field(description="Of the archive.")
    plan: str = Field(description="Path in it of the file that lists the layers.")
    plan_sha256: Sha256 = Field(description="Of that file.")
    weights: str = Field(description="Path in it of the file with their numbers.")
    weights_sha256: Sha256 = Field(description="Of that file.")
    card: str = Field(description="Card in models/cards.")
    size_px: int = Field(multiple_of=32, ge=32, description="Width and height of the network's input.")
    ranges: str | None = Field(
        None, description="Ranges in models/ranges, by which it is written in eight-bit numbers."
    )
    made_sha256: Sha256 | None = Field(None, description="Of the .onnx that our converter makes.")


class DarknetSource(RegistrySource):
    """Darknet's .cfg and .weights, in a source distribution of a Python package registry."""

    kind: Literal["darknet"] = Field(description="darknet")
    masks: tuple[tuple[int, ...], ...] | None = Field(
        None, description="Anchors per [yolo], where the .cfg is wrong."
    )


class TfjsSource(RegistrySource):
    """A TensorFlow.js graph model's .json and .bin, in a package of an npm registry."""

    kind: Literal["tfjs"] = Field(description="tfjs")


class PackagedFile(Settings):
    """A file that only its owner can bring; its card is among the agent's."""

    kind: Literal["file"] = Field(description="file")
    sha256: Sha256 = Field(description="Of the file.")
    slim_sha256: Sha256 | None = Field(
        None, description="Of what adding it makes of it: the same network with less to do."
    )


class CatalogueEntry(Settings):
    """One detector of the catalogue."""

    about: str = Field(description="For whom it is.")
    source: UrlSource | DarknetSource | TfjsSource | PackagedFile = Field(
        discriminator="kind", description="Where it comes from."
    )
    licence: str = Field(description="Of the weights.")


def read_catalogue(path: Path = CATALOGUE) -> dict[str, CatalogueEntry]:
    """Every detector by its name, in the catalogue's order."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, CatalogueEntry]).validate_python(content)


def entry_named(name: str) -> CatalogueEntry:
    """The detector of this name.

    Raises:
        ModelError: there is none.
    """
    catalogue = read_catalogue()
    if name not in catalogue:
        near = get_close_matches(name, catalogue, 1)
        hint = f"it has {', '.join(catalogue)}; one that you have goes in with: ngatu models add FILE.onnx"
        hint = f"did you mean {near[0]}?" if near else hint
        raise ModelError(f"{name}: the catalogue has no such model", hint)
    return catalogue[name]
