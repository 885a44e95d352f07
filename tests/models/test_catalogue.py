"""models.catalogue"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.detectors.card import read_card
from agent.detectors.places import SHIPPED
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.catalogue import CARDS, RegistrySource, entry_named, read_catalogue

ROOT = Path(__file__).resolve().parents[2]


def test_every_model_has_a_card_of_its_name_and_size() -> None:
    shipped = {card.sha256: card for card in map(read_card, SHIPPED.glob("*.yaml"))}

    for name, entry in read_catalogue().items():
        if isinstance(entry.source, RegistrySource):
            card = read_card(CARDS / entry.source.card)
            assert name == f"{card.name}-{entry.source.size_px}"
        else:
            card = shipped[entry.source.sha256]
            assert card.name == name
            assert name.endswith(f"-{card.field.width_px}")


def test_the_agents_default_model_is_in_the_catalogue() -> None:
    default = DetectorSettings.model_fields["model"].default

    assert isinstance(entry_named(default).source, RegistrySource)


def test_an_unknown_model_is_told_with_the_nearest() -> None:
    with pytest.raises(ModelError) as caught:
        entry_named("yolox-tiny")
    assert caught.value.hint == "did you mean yolox-tiny-416?"


def test_a_name_like_no_other_is_told_with_all_that_there_are_and_how_to_bring_ones_own() -> None:
    with pytest.raises(ModelError) as caught:
        entry_named("zzz")
    assert all(name in caught.value.hint for name in read_catalogue())
    assert "ngatu models add FILE.onnx" in caught.value.hint


def test_the_guide_lists_every_model_and_no_other() -> None:
    page = (ROOT / "docs/guide/models.md").read_text(encoding="utf-8")
    table = page.split("## The catalogue")[1].split("\n## ")[0]

    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(read_catalogue())
