"""agent.config.corners"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.corners import misplaced
from agent.config.schema import Config, parse
from agent.errors import ConfigError
from agent.language import translated

HEAD = "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: localhost}\ncameras:\n  - name: north\n"
USB = "    source: {kind: usb, device: /dev/v4l/by-id/x, width_px: 1920, height_px: 1080}\n"
RTSP = "    source: {kind: rtsp, url: rtsp://10.0.0.2/live}\n"
CORNERS = "[0, 360], [620, 360], [900, 700], [100, 700]"
ZONE = f"    zones: [{{id: junction, polygon: [{CORNERS}]}}]\n"
FRACTIONS = "fractions of the picture"


def mistakes(text: str) -> list[str]:
    try:
        parse((HEAD + text).encode(), "box.yaml")
    except ConfigError as error:
        return error.what.splitlines()
    return []


def test_a_zone_in_pixels_is_one_mistake_that_shows_the_division() -> None:
    assert mistakes(RTSP + ZONE) == [
        "box.yaml:6: cameras[0].zones[0].polygon: in pixels, but corners are fractions of the picture; "
        "divide x by its width and y by its height: in one of 1280×720 pixels, "
        "620/1280 = 0.484 and 360/720 = 0.500"
    ]


def test_the_size_of_the_picture_is_used_where_the_file_says_it() -> None:
    (mistake,) = mistakes(USB + ZONE)
    assert mistake.endswith("by its height: 620/1920 = 0.323 and 360/1080 = 0.333")


def test_a_size_is_shown_that_holds_all_corners() -> None:
    (mistake,) = mistakes(RTSP + ZONE.replace("900", "1900"))
    assert "in one of 1920×1080 pixels, 620/1920 = 0.323" in mistake


def test_lines_and_masks_in_pixels_are_told_in_the_same_words() -> None:
    text = (
        RTSP
        + "    rules: [{kind: line, id: stop-line, start: [128, 432], end: [0.9, 0.6]}]\n"
        + "    privacy_masks: [[[620, 100], [700, 100], [700, 200]]]\n"
    )
    line, mask = mistakes(text)

    assert "cameras[0].rules[0].start: in pixels" in line and "128/1280 = 0.100" in line
    assert "cameras[0].privacy_masks[0]: in pixels" in mask and "620/1280 = 0.484" in mask


def test_a_fraction_that_went_over_the_edge_is_no_pixel() -> None:
    (mistake,) = mistakes(RTSP + ZONE.replace(CORNERS, "[0.1, 0.1], [1.02, 0.1], [0.5, 0.5]"))
    assert mistake.endswith("polygon[1][0]: 1.02 is outside 0..1")


def test_fractions_are_no_mistake() -> None:
    good = RTSP + "    zones: [{id: junction, polygon: [[0, 0], [1, 0], [1, 1]]}]\n"
    assert mistakes(good) == []
    assert isinstance(parse((HEAD + good).encode(), "box.yaml"), Config)


@pytest.mark.parametrize("mask", [[[0, 0], [1, 1], [1, 0], [0, 1]]])
def test_a_mask_whose_edges_cross_is_told(mask: list[list[int]]) -> None:
    ((path, what, _hint),) = misplaced({"privacy_masks": [mask]}, ("cameras", 0))
    assert path == ("cameras", 0, "privacy_masks", 0)
    assert "edges 1 and 3 of the mask cross" in what


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["polygon", "start", "kind", "width_px"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["zones", "rules", "privacy_masks", "source"]), ANYTHING, max_size=4))
def test_whatever_the_file_holds_nothing_falls(camera: dict[str, Any]) -> None:
    for path, what, hint in misplaced(camera, ("cameras", 0)):
        assert path[:2] == ("cameras", 0) and what and hint


def test_corners_that_may_be_percent_are_told_as_fractions_by_both_ways() -> None:
    zone = ZONE.replace(CORNERS, "[30, 20], [70, 20], [70, 100], [30, 90]")
    (mistake,) = mistakes(RTSP + zone)
    assert "in percent or in pixels" in mistake
    assert "of percent write a hundredth, such as [0.3, 0.2]; divide x by its width" in mistake


def test_a_percent_sign_is_told_with_the_fraction() -> None:
    zone = ZONE.replace(CORNERS, "[0.3, 0.2], [70%, 0.2], [0.7, 0.9]")
    (mistake,) = mistakes(RTSP + zone)
    assert mistake.endswith("70% has a unit; write 0.7, without a unit; 0..1")


def test_what_is_to_be_written_has_a_point_also_in_vietnamese() -> None:
    """A comma parts two numbers of the file."""
    for zone in (
        ZONE,
        ZONE.replace(CORNERS, "[30, 20], [70, 20], [70, 90]"),
    ):
        with pytest.raises(ConfigError) as caught:
            parse((HEAD + RTSP + zone).encode(), "box.yaml")
        said = translated(caught.value.what, into="vi")
        assert "chia x cho" in said
        assert not re.search(r"\d,\d", said)
