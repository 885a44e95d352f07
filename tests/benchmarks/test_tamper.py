"""benchmarks.tamper"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.blinding import FAULTS, cap, frozen
from benchmarks.harmless import HARMLESS, fog, infrared
from benchmarks.sights import Overlay
from benchmarks.tamper import (
    AGENT_RATE,
    RATE,
    TUNED,
    WITHIN_S,
    Case,
    Clip,
    Feed,
    Quiet,
    Start,
    faulted,
    harmless,
    in_the_agent,
    read,
    run_fault,
    starts,
)

EVERY = [each for overlays in FAULTS.values() for each in overlays] + list(HARMLESS)


def clip(shape: tuple[int, int] = (72, 96)) -> Clip:
    chance = np.random.default_rng(1)
    still = chance.normal(100, 40, shape)
    lumas = tuple((still + chance.normal(0, 2, shape)).clip(0, 255).astype(np.uint8) for _ in range(6))
    grey = tuple(np.full((shape[0] // 2, shape[1] // 2), 110, np.uint8) for _ in lumas)
    return Clip("drawn", lumas, grey, grey, full_range=True, rate=RATE)


@pytest.mark.parametrize("overlay", EVERY, ids=lambda each: each.__name__)
def test_an_overlay_is_the_same_for_the_same_seed(overlay: Overlay) -> None:
    def seen(seed: int) -> list[int]:
        feed, sight = Feed(clip()), overlay((72, 96), 0.4, np.random.default_rng(seed))
        return [hash(feed.frame(sight, index / 2, None).luma.tobytes()) for index in range(4)]

    assert seen(5) == seen(5)


@pytest.mark.long
def test_each_fault_and_each_harmless_sight_is_counted_once_for_each_case() -> None:
    drawn = clip()
    begun = starts(drawn, 3)
    quiet = Quiet("nothing")
    harmless(begun, HARMLESS[0], quiet, 3)

    cases = list(faulted(drawn, begun, 3))
    assert len(cases) == 3 * len([each for overlays in FAULTS.values() for each in overlays])
    assert {each.named for each in cases if each.overlay == "cap"} == {"dark"}
    assert quiet.hours > 0.05
    assert quiet.alarms == []


def test_the_agent_finds_a_fault_in_time_at_its_own_pace() -> None:
    drawn = replace(clip(), rate=AGENT_RATE)
    start = starts(drawn, 3, in_the_agent)[0]
    for overlay, fault in ((cap, "dark"), (frozen, "frozen")):
        case = Case(fault, overlay.__name__, drawn.name, 0.5)
        run_fault(case, start, overlay((72, 96), 0.5, np.random.default_rng(3)))
        assert (case.named, case.back_s is not None) == (fault, True)
        assert case.delay_s is not None
        assert case.delay_s <= WITHIN_S


@pytest.fixture(scope="module")
def asphalt(shared_data: Path) -> list[Start]:
    """A real camera over nearly bare asphalt, watched until its view is known."""
    return starts(read(shared_data / "clips/person-bicycle-car-detection.mp4"), TUNED)


@pytest.mark.long
@pytest.mark.parametrize("overlay", [fog, infrared], ids=lambda each: each.__name__)
def test_neither_fog_nor_infrared_light_over_nearly_bare_asphalt_is_a_fault(
    asphalt: list[Start], overlay: Overlay
) -> None:
    quiet = Quiet(overlay.__name__)

    harmless(asphalt, overlay, quiet, TUNED)

    assert quiet.hours > 0.05
    assert not quiet.alarms
