"""models.train.remembering"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.detectors.card import read_card
from models.train.pictures.rehearsal import read_rehearsal
from models.train.remembering import MOST, kept, spread, sure_of
from models.train.tiled import unhurried
from tests.support.labelled_squares import write_dimmed, write_set


def remembered(base: Path, other: Path, pictures: list[bytes]) -> float | None:
    before = unhurried(base, read_card(base.with_suffix(".yaml")))
    after = unhurried(other, read_card(other.with_suffix(".yaml")))
    found = kept(after, pictures, sure_of(before, pictures))
    before.close()
    after.close()
    return found


@pytest.fixture
def pictures(tmp_path: Path) -> list[bytes]:
    return list(read_rehearsal([write_set(tmp_path / "set") / "images"]).all)


def test_the_base_has_forgotten_nothing(tmp_path: Path, pictures: list[bytes]) -> None:
    base = write_dimmed(tmp_path / "base", 0)

    assert remembered(base, base, pictures) == pytest.approx(1.0)


def test_a_network_that_sees_less_has_forgotten_something(tmp_path: Path, pictures: list[bytes]) -> None:
    base, dimmed = write_dimmed(tmp_path / "base", 0), write_dimmed(tmp_path / "dimmed", 30)

    share = remembered(base, dimmed, pictures)
    assert share is not None
    assert share < 0.9


def test_where_the_base_sees_nothing_nothing_is_said(tmp_path: Path, pictures: list[bytes]) -> None:
    blind = write_dimmed(tmp_path / "blind", 200)

    assert remembered(blind, blind, pictures) is None
    assert remembered(blind, blind, []) is None


def test_of_many_pictures_some_are_taken_evenly() -> None:
    many = [bytes([number // 256, number % 256]) for number in range(1000)]

    assert len(spread(many)) == MOST
    assert spread(many)[-1] == many[-1]
    assert spread(many[:2]) == many[:2]
