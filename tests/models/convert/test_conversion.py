"""models.convert.conversion"""

from __future__ import annotations

import pytest

from agent.errors import ModelError
from models.archives import NpmPackage, Sdist
from models.catalogue import RegistrySource, entry_named
from models.convert.conversion import archive_of, converted

from .small_tfjs import small_files


def source(name: str, **changes: object) -> RegistrySource:
    found = entry_named(name).source
    assert isinstance(found, RegistrySource)
    return found.model_copy(update={"ranges": None, "made_sha256": None} | changes)


def test_each_registry_has_its_kind_of_archive() -> None:
    assert isinstance(archive_of(source("yolov3-tiny-416")), Sdist)
    assert isinstance(archive_of(source("nanodet-g-416")), NpmPackage)


def test_the_card_is_told_name_size_and_where_it_came_from() -> None:
    made = converted("n-64", source("nanodet-g-416", size_px=64), *small_files())

    assert made.changes == {
        "name": "n-64",
        "input": {"width_px": 64, "height_px": 64},
        "source": "models/nanodet.bin in @vladmandic/human 1.8.5 (npm)",
    }


def test_another_file_than_the_pinned_one_is_told_with_both_hashes() -> None:
    with pytest.raises(ModelError, match=r"has the SHA-256 [0-9a-f]{64}, not 1{64}"):
        converted("n", source("nanodet-g-416", size_px=64, made_sha256="1" * 64), *small_files())


def test_ranges_of_another_network_are_no_ranges_for_this_one() -> None:
    with pytest.raises(ModelError, match="there are no ranges for"):
        converted("n", source("nanodet-g-416", size_px=64, ranges="nanodet-g.yaml"), *small_files())
