"""models.convert.darknet_files"""

from __future__ import annotations

import struct

import numpy as np
import pytest

from agent.errors import ModelError
from models.convert.darknet_files import Weights, parse_cfg

CFG = """
[net]
width=64   # as trained
[yolo]
mask = 2,3
"""


def weights(*numbers: float, major: int = 0) -> bytes:
    header = struct.pack("<3iq", major, 2, 0, 12345)
    return header + struct.pack(f"<{len(numbers)}f", *numbers)


def test_a_cfg_is_read_section_by_section_without_its_comments() -> None:
    net, yolo = parse_cfg(CFG)

    assert (net.kind, net.number("width", 0), net.number("height", 32)) == ("net", 64, 32)
    assert (yolo.kind, yolo.line, yolo.numbers("mask")) == ("yolo", 4, [2, 3])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("width=64", "width 64", "not a line of a darknet"),
        ("[net]", "[nets]", "begins with .net."),
    ],
)
def test_what_is_no_cfg_is_refused(before: str, after: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_cfg(CFG.replace(before, after, 1))


def test_the_numbers_are_taken_in_their_order_and_must_be_read_up() -> None:
    numbers = Weights(weights(1, 2, 3, 4, 5))

    assert np.array_equal(numbers.take(2, 2), [[1, 2], [3, 4]])
    with pytest.raises(ModelError, match="1 of the 5 weights are left over"):
        numbers.must_be_read_up()
    with pytest.raises(ModelError, match="end too early"):
        numbers.take(2)
    assert numbers.take(1) == 5
    numbers.must_be_read_up()


def test_a_file_without_a_whole_header_is_refused() -> None:
    with pytest.raises(ModelError, match="cut short"):
        Weights(weights()[:19])
