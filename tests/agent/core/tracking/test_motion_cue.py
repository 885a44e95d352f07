"""agent.core.tracking.motion_cue"""

from __future__ import annotations

import numpy as np
import pytest

from agent.core.tracking import kalman, motion_cue
from agent.core.tracking.kalman import Noise
from agent.core.tracking.tracker import TrackSettings

NOISE: Noise = TrackSettings().noise
WALKER = [0.40, 0.40, 0.46, 0.56]
BESIDE = [0.47, 0.40, 0.53, 0.56]
HIS = [0.39, 0.40, 0.47, 0.58]
BOTH = [0.39, 0.39, 0.54, 0.57]


@pytest.mark.parametrize(
    ("boxes", "regions", "rows"),
    [
        ([WALKER], [HIS], [0]),
        ([WALKER, BESIDE], [BOTH], []),
        ([WALKER], [HIS, [0.41, 0.46, 0.48, 0.60]], []),
        ([WALKER], [[0.1, 0.1, 0.9, 0.9]], []),
        ([WALKER], [], []),
    ],
    ids=["his own", "two walkers in one", "two over one walker", "a passing cloud", "nothing moves"],
)
def test_a_region_is_a_tracks_own_only_if_both_have_no_other(boxes, regions, rows):
    boxes, regions = np.array(boxes), np.array(regions).reshape(-1, 4)
    own = motion_cue.own(boxes, regions, motion_cue.stirs(boxes, regions))

    assert list(own) == rows


def test_the_shift_of_a_region_moves_a_track_and_leaves_its_size():
    belief = kalman.predict(kalman.born(kalman.centred(np.array([WALKER])), NOISE), 0.2, NOISE)
    noted = motion_cue.offset(kalman.centred(np.array([HIS]))[0], belief.mean[0])
    shifted = kalman.centred(np.array([HIS]) + np.array([0.03, 0.0, 0.03, 0.0]))[0]
    led = motion_cue.led(belief, {0: shifted}, [noted], NOISE)

    assert led.mean[0, 0] == pytest.approx(0.46, abs=0.003)
    assert led.mean[0, 1] == pytest.approx(0.48, abs=1e-9)
    assert led.mean[0, 2:] == pytest.approx(belief.mean[0, 2:])


def test_a_region_that_was_never_seen_beside_a_detection_is_only_a_rough_guess():
    belief = kalman.predict(kalman.born(kalman.centred(np.array([WALKER])), NOISE), 0.2, NOISE)
    region = kalman.centred(np.array([HIS]))[0]
    rough = motion_cue.led(belief, {0: region}, [None], NOISE)
    sure = motion_cue.led(belief, {0: region}, [(0.0, 0.0)], NOISE)

    assert abs(rough.mean[0, 1] - 0.48) < abs(sure.mean[0, 1] - 0.48)
    assert rough.mean[0, 2] > belief.mean[0, 2]
