"""fleet.bundle.lock: the same wheels again, from a registry that has gone on"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.bundle.build import Recipe, build
from fleet.bundle.lock import require
from fleet.bundle.wheels import Board
from tests.conftest import ROOT
from tests.support.licensed_wheels import licensed_wheel
from tests.support.releases import HERE, Maker

BOARD = Board(os.uname().machine, HERE)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture
def recipe(tmp_path: Path, shop: Path) -> Recipe:
    """Of a bundle with one package of the registry."""
    licensed_wheel(shop, "fast", "License: MIT")
    return Recipe(ROOT, BOARD, wheel=licensed_wheel(tmp_path, "ngatu", "Requires-Dist: fast"))


def built(recipe: Recipe, maker: Maker, out: Path, lock: Path | None = None) -> Path:
    return build(Recipe(recipe.source, BOARD, wheel=recipe.wheel, lock=lock), maker.key, out)[0]


def test_by_the_lock_of_a_bundle_the_same_bytes_come_again_though_the_registry_has_gone_on(
    recipe: Recipe, maker: Maker, shop: Path, tmp_path: Path
) -> None:
    first = built(recipe, maker, tmp_path / "one")
    lock = first.with_suffix(".lock")
    newer = licensed_wheel(shop / "new", "fast", "License: MIT")
    newer.rename(shop / "fast-2.0-py3-none-any.whl")

    assert built(recipe, maker, tmp_path / "two", lock).read_bytes() == first.read_bytes()
    assert (tmp_path / "two" / lock.name).read_text() == lock.read_text()
    assert "fast==1.0 --hash=sha256:" in lock.read_text() and "ngatu==" not in lock.read_text()


def test_another_file_of_the_same_name_is_refused(
    recipe: Recipe, maker: Maker, shop: Path, tmp_path: Path
) -> None:
    lock = built(recipe, maker, tmp_path / "one").with_suffix(".lock")
    licensed_wheel(shop, "fast", "License: AGPL-3.0")

    with pytest.raises(NgatuError, match=r"(?i)hash"):
        built(recipe, maker, tmp_path / "two", lock)
    assert not (tmp_path / "two").exists()


def test_what_a_lock_lacks_is_named_and_not_fetched(recipe: Recipe, maker: Maker, tmp_path: Path) -> None:
    lock = built(recipe, maker, tmp_path / "one").with_suffix(".lock")
    lock.write_text("".join(each for each in lock.read_text().splitlines(True) if not each.startswith("fast")))

    with pytest.raises(NgatuError, match=r"\.lock: fast is not in it") as why:
        built(recipe, maker, tmp_path / "two", lock)
    assert "without --lock" in why.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--index-url https://elsewhere.example\n", r"mine\.lock:1: this is no line of a lock"),
        ("# well\nfast==1.0\n", r"mine\.lock:2: this is no line of a lock"),
        ("fast @ https://elsewhere.example/f.whl --hash=sha256:" + "0" * 64, r"mine\.lock:1: this is no line"),
        (None, r"mine\.lock: No such file"),
    ],
    ids=["option", "no-hash", "address", "missing"],
)
def test_what_is_no_lock_is_told_before_anything_is_fetched(
    tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "mine.lock"
    if text is not None:
        path.write_text(text)

    with pytest.raises(NgatuError, match=message):
        require(path)
