"""agent.core.tracking.colours"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.tracking import colours
from agent.core.types import Box, Colour, ColourWord, Frame, Image, Instant
from tests.conftest import ROOT

ROAD = (110, 110, 110)
PAINTS = {
    ColourWord.BLACK: (25, 25, 25),
    ColourWord.WHITE: (235, 235, 235),
    ColourWord.GREY: (125, 125, 125),
    ColourWord.RED: (40, 35, 190),
    ColourWord.ORANGE: (30, 110, 240),
    ColourWord.YELLOW: (40, 200, 235),
    ColourWord.GREEN: (60, 140, 40),
    ColourWord.BLUE: (170, 80, 30),
    ColourWord.PURPLE: (150, 50, 110),
    ColourWord.PINK: (190, 140, 240),
    ColourWord.BROWN: (30, 60, 100),
}
"""BGR, as cameras show such paint."""
AROUND = Box(0.2, 0.2, 0.8, 0.8)


def picture(paint: tuple[int, int, int], road: tuple[int, int, int] = ROAD, side_px: int = 120) -> Image:
    """A road with something of one colour in `AROUND`."""
    image = np.full((side_px, side_px, 3), road, np.uint8)
    image[side_px // 5 : side_px * 4 // 5, side_px // 5 : side_px * 4 // 5] = paint
    return image


def view(luma: int, u: int, v: int) -> Frame:
    planes = np.full((48, 64), luma, np.uint8), np.full((24, 32), u, np.uint8), np.full((24, 32), v, np.uint8)
    return Frame(0, Instant(0.0, 0.0), *planes)


@pytest.mark.parametrize("word", ColourWord)
def test_each_of_the_eleven_words_is_told_of_what_has_it(word: ColourWord) -> None:
    vehicle = colours.of(picture(PAINTS[word]), AROUND, "car").vehicle
    assert vehicle is not None
    assert vehicle.word is word
    assert vehicle.confidence >= colours.SURE


def test_glass_tyres_and_shadow_make_no_red_car_black() -> None:
    image = picture(PAINTS[ColourWord.RED])
    image[30:56, 30:90] = (18, 18, 18)  # the upper half of its body is glass
    vehicle = colours.of(image, AROUND, "car").vehicle
    assert vehicle is not None
    assert vehicle.word is ColourWord.RED


def test_the_tint_of_the_light_is_not_the_vehicles() -> None:
    """At dusk all is bluish, also a white van and the road."""
    bluish = np.array([18, 4, -6])
    road, van = np.array(ROAD) + bluish, np.array([225, 225, 225]) + bluish
    image = picture(tuple(np.clip(van, 0, 255).tolist()), tuple(road.tolist()))
    vehicle = colours.of(image, AROUND, "truck").vehicle
    assert vehicle is not None
    assert vehicle.word is ColourWord.WHITE


def test_a_green_verge_is_no_tint() -> None:
    vehicle = colours.of(picture(PAINTS[ColourWord.WHITE], road=(50, 130, 60)), AROUND, "car").vehicle
    assert vehicle is not None
    assert vehicle.word is ColourWord.WHITE


def test_of_a_motorbike_the_riders_clothes_and_the_machine_are_told_apart() -> None:
    image = picture(PAINTS[ColourWord.RED])
    image[24:60, 24:96] = PAINTS[ColourWord.BLUE]
    found = colours.of(image, AROUND, "motorcycle")
    assert found.vehicle is not None and found.clothes is not None
    assert (found.vehicle.word, found.clothes.word) == (ColourWord.RED, ColourWord.BLUE)


def test_a_parked_motorbike_wears_nothing() -> None:
    found = colours.of(picture(PAINTS[ColourWord.RED]), AROUND, "motorcycle", riders=0)
    assert found.clothes is None
    assert found.vehicle is not None and found.vehicle.word is ColourWord.RED


def test_a_motorbike_is_black_only_where_nearly_all_of_it_is() -> None:
    image = picture(PAINTS[ColourWord.BLACK])
    image[24:96, 30:60] = ROAD
    assert colours.of(picture(PAINTS[ColourWord.BLACK]), AROUND, "motorcycle").vehicle == Colour(
        ColourWord.BLACK, 1.0
    )
    image[60:96, 30:54] = PAINTS[ColourWord.WHITE]
    half = colours.of(image, AROUND, "motorcycle").vehicle
    assert half is not None and half.word is not ColourWord.BLACK


def test_a_person_has_no_vehicle_a_car_no_clothes_and_a_dog_neither() -> None:
    image = picture(PAINTS[ColourWord.RED])
    person, car, dog = (colours.of(image, AROUND, label) for label in ("person", "car", "dog"))
    assert (person.vehicle, car.clothes, dog.vehicle, dog.clothes) == (None, None, None, None)
    assert person.clothes is not None and person.clothes.word is ColourWord.RED


def test_what_is_of_many_colours_has_no_word() -> None:
    image = picture(PAINTS[ColourWord.RED])
    for place, word in enumerate((ColourWord.GREEN, ColourWord.BLUE, ColourWord.YELLOW, ColourWord.WHITE)):
        image[24:96, 24 + 14 * place : 24 + 14 * (place + 1)] = PAINTS[word]
    vehicle = colours.of(image, AROUND, "bus").vehicle
    assert vehicle is not None
    assert vehicle.word is None
    assert vehicle.confidence > 0


def test_of_a_few_pixels_nothing_is_said() -> None:
    vehicle = colours.of(picture(PAINTS[ColourWord.RED], side_px=12), AROUND, "car").vehicle
    assert vehicle == Colour(None, 0.0)


@pytest.mark.parametrize(
    ("frame", "shown"),
    [(view(120, 110, 140), True), (view(30, 110, 140), False), (view(120, 128, 128), False)],
    ids=["day", "dark", "infrared"],
)
def test_at_night_and_by_infrared_no_view_has_colours(frame: Frame, shown: bool) -> None:
    assert colours.has_colour(frame) is shown


def test_where_the_view_has_none_every_part_is_unknown() -> None:
    found = colours.of(picture(PAINTS[ColourWord.RED]), AROUND, "motorcycle", shown=False)
    assert (found.vehicle, found.clothes) == (Colour(None, 0.0), Colour(None, 0.0))


@given(
    st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**32 - 1),
    st.tuples(*[st.floats(-0.5, 1.5)] * 4), st.sampled_from(["car", "motorcycle", "person"]),
)  # fmt: skip
def test_whatever_the_picture_and_the_box_there_is_an_answer(
    high: int, wide: int, seed: int, sides: tuple[float, float, float, float], label: str
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (high, wide, 3), np.uint8)
    box = Box(
        min(sides[0], sides[2]), min(sides[1], sides[3]), max(sides[0], sides[2]), max(sides[1], sides[3])
    )
    found = colours.of(image, box, label)
    for colour in (found.vehicle, found.clothes):
        assert colour is None or 0.0 <= colour.confidence <= 1.0


def test_a_colour_and_a_change_of_light_need_no_masked_arrays() -> None:
    """A box would keep them for ever: 2 MB. NumPy before its second version loads them itself."""
    program = (
        "import sys, numpy as np, cv2\nloaded = 'numpy.ma' in sys.modules\n"
        "from agent.core.motion.illumination import strength\n"
        "from agent.core.tracking import colours\nfrom agent.core.types import Box\n"
        "colours.of(np.full((90, 90, 3), 90, np.uint8), Box(0.2, 0.2, 0.8, 0.8), 'car')\n"
        "print(strength(np.full((90, 90), 90, np.uint8), np.arange(256, dtype=np.uint8)))\n"
        "print('numpy.ma' in sys.modules and not loaded)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.split() == ["0.0", "False"]
