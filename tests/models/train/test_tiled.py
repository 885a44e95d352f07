"""models.train.tiled"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.detectors.card import read_card
from models.train.tiled import TILES, tiled, unhurried
from tests.support.squares import SQUARE_PX, write_model

WHITE = 235


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path)


def test_the_tiles_cover_the_picture_and_overlap() -> None:
    assert min(tile.box.left for tile in TILES) == 0
    assert max(tile.box.right for tile in TILES) == pytest.approx(1)
    assert TILES[0].box.right > TILES[1].box.left


def test_a_thing_that_one_tile_shows_is_found_where_it_is_in_the_picture(model: Path) -> None:
    side = 480
    picture = np.zeros((side, side, 3), np.uint8)
    picture[32 : 32 + SQUARE_PX, 320 : 320 + SQUARE_PX] = WHITE

    detector = unhurried(model, read_card(model.with_suffix(".yaml")))
    best = tiled(detector, picture)[0]
    detector.close()

    assert best.score > 0.3
    assert abs((best.box.left + best.box.right) / 2 - (320 + SQUARE_PX / 2) / side) < 0.05
    assert abs((best.box.top + best.box.bottom) / 2 - (32 + SQUARE_PX / 2) / side) < 0.05
