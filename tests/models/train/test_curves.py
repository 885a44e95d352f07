"""models.train.curves"""

from __future__ import annotations

from models.train.curves import HIGH, WIDE, curve


def test_a_curve_goes_from_left_to_right_with_the_most_at_the_top() -> None:
    found = curve([0, 50, 100], [0.0, 0.5, 1.0], 1.0, "#000", "some")

    assert found.points == f"0.0,{HIGH:.1f} {WIDE / 2:.1f},{HIGH / 2:.1f} {WIDE:.1f},0.0"
    assert (found.name, found.last) == ("some", "1.00")


def test_a_curve_without_points_is_empty() -> None:
    assert curve([], [], 1.0, "#000", "none").points == ""
