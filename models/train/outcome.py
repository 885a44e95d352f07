"""What training leaves behind: NAME.onnx, and its card NAME.yaml, which says what went in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from agent.detectors.card import Card, hashed, parse_card
from agent.detectors.judgement import DataFacts
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.digest import digest
from models.dataset.types import Dataset

_NONE_STATED = "none stated"


def facts(sets: Sequence[Dataset]) -> list[DataFacts]:
    """What a card says of the sets that went in, the held-back cameras too: they chose the best step."""
    return [DataFacts(name=s.name, digest=digest(s), pictures=len(s.images), licence=s.licence) for s in sets]


def write_model(model: bytes, card: Card, name: str, sets: Sequence[DataFacts], folder: Path) -> Path:
    """Write both files, the card last, whole or not at all; returns the .onnx.

    Raises:
        ModelError: they cannot be written.
    """
    path = folder / f"{name}.onnx"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, model)
        content = card_content(card, name, sets, hashed(path))
        parse_card(content, path.with_suffix(".yaml"))
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
        write_whole(path.with_suffix(".yaml"), text.encode())
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be written: {error}", path=path, error=error.strerror or error),
            tr("choose another place with --out."),
        ) from error
    return path


def card_content(card: Card, name: str, sets: Sequence[DataFacts], sha256: str) -> dict[str, Any]:
    """The base's card with another name, source, licence and hash; what the base was judged by is not said."""
    content = card.model_dump(mode="json", exclude_defaults=True, exclude={"judgement"})
    licences = dict.fromkeys([card.licence, *(one.licence or _NONE_STATED for one in sets)])
    went_in = ", ".join(f"{one.name} ({one.pictures} pictures, SHA-256 {one.digest[:16]})" for one in sets)
    content |= {
        "name": name,
        "licence": " AND ".join(licences) if _NONE_STATED not in licences else _unclear(card, sets),
        "source": f"{card.name} (SHA-256 {(card.sha256 or '')[:16]}) trained further on {went_in}",
        "sha256": sha256,
        "trained_on": [one.model_dump() for one in (*card.trained_on, *sets)],
    }
    return content


def _unclear(card: Card, sets: Sequence[DataFacts]) -> str:
    unsaid = ", ".join(one.name for one in sets if not one.licence)
    return f"for own use only: base {card.licence}, but no licence is stated for {unsaid}"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a kill at any moment leaves the old one, the new one, or none."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
