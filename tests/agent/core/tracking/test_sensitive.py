"""agent.core.tracking.sensitive"""

from __future__ import annotations

import pytest

from agent.core.tracking.sensitive import regions, within
from agent.core.types import Box, Detection, Instant, Sensitive, SensitiveKind, Track

HEAD, PLATE = SensitiveKind.HEAD, SensitiveKind.PLATE


def of(label: str, box: Box) -> dict[SensitiveKind, Box]:
    return {each.kind: each.box for each in regions([], [Detection(label, 0.5, box)])}


def track(box: Box, label: str = "person", **more: bool) -> Track:
    now = Instant(1.0, 1e9)
    known = {"seen": False, "confirmed": True} | more
    return Track("t", label, 0.5, 0.5, box, (0.0, 0.0), now, now, **known)


def covers(outer: Box, inner: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and outer.right >= inner.right
        and outer.bottom >= inner.bottom
    )


def test_a_standing_person_s_head_is_taken_and_the_rest_stays() -> None:
    box = Box(0.4, 0.2, 0.48, 0.5)
    head = of("person", box)[HEAD]

    assert covers(head, Box(0.4, 0.2, 0.48, 0.2 + 0.3 * 2 / 7.5)), "two heads of seven and a half"
    assert head.top < box.top, "hair that the box cut off"
    assert head.bottom < box.top + 0.3 * box.height, "clothes and what is carried stay"


@pytest.mark.parametrize(
    "box",
    [Box(0.4, 0.6, 0.6, 1.0), Box(0.4, 0.6, 0.7, 0.8)],
    ids=["cut by the lower border", "wider than high"],
)
def test_of_a_person_who_is_not_seen_whole_the_upper_half_is_taken(box: Box) -> None:
    assert of("person", box)[HEAD].bottom == pytest.approx(box.top + box.height / 2)


def test_riders_and_plates_of_motorbikes_plates_of_cars_and_nothing_else() -> None:
    box = Box(0.4, 0.2, 0.5, 0.5)

    assert set(of("motorcycle", box)) == {HEAD, PLATE}
    assert set(of("bicycle", box)) == {HEAD}
    for label in ("car", "bus", "truck"):
        assert covers(of(label, box)[PLATE], Box(0.4, 0.36, 0.5, 0.5))
        assert set(of(label, box)) == {PLATE}
    assert of("dog", box) == {}


def test_also_who_is_followed_and_not_seen_now_but_not_who_has_gone() -> None:
    box = Box(0.4, 0.2, 0.5, 0.5)

    assert len(regions([track(box)], [])) == 1
    assert regions([track(box, ended=True)], []) == ()


def test_regions_are_told_in_the_fractions_of_a_cut_where_they_reach_into_it() -> None:
    everywhere = [
        Sensitive(HEAD, Box(0.5, 0.5, 0.6, 0.6), 6), Sensitive(HEAD, Box(0.0, 0.0, 0.1, 0.1), 6),
    ]  # fmt: skip
    (inside,) = within(everywhere, Box(0.45, 0.45, 0.65, 0.55))

    assert (inside.box.left, inside.box.top) == pytest.approx((0.25, 0.5))
    assert (inside.box.right, inside.box.bottom) == pytest.approx((0.75, 1.5))
    assert within(everywhere, Box(0.5, 0.5, 0.5, 0.5)) == ()
