"""agent.tools.discovery.terminal_picture"""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from agent.tools.discovery.terminal_picture import half_blocks


def test_two_pixels_stand_in_each_cell_in_their_colours() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2], image[2:] = (0, 0, 255), (255, 0, 0)  # BGR: red above blue
    shown = io.StringIO()
    Console(file=shown, force_terminal=True, color_system="truecolor", width=20).print(half_blocks(image, 2))
    assert shown.getvalue().count("▀") == 2
    assert "38;2;255;0;0;48;2;0;0;255m" in shown.getvalue()


def test_a_picture_keeps_its_shape_and_the_width_that_it_is_given() -> None:
    shown = io.StringIO()
    Console(file=shown, force_terminal=True, color_system=None, width=200).print(
        half_blocks(np.full((360, 640, 3), 90, np.uint8), 96)
    )
    lines = shown.getvalue().splitlines()
    assert ({len(line) for line in lines if line}, sum(map(bool, lines))) == ({96}, 27)
