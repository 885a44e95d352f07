"""agent.core.pace"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import pace
from agent.core.ids import Ids
from agent.core.motion.frame_gate import FrameGateSettings
from agent.core.pace import Pace, PaceSettings
from agent.core.pipeline import IdleCache, Outcome, PipelineSettings, PipelineState
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.evidence import SEES, Visibility
from agent.core.types import Box, Motion

SETTINGS = PaceSettings(max_fps=10.0, idle_fps=3.0)
OF = PipelineSettings(frame_gate=FrameGateSettings(look_s=2.0))
STILL = Motion((), 0.0)
QUIET = Outcome(STILL, ())
KNOWN = replace(PipelineState(Ids(b"pace")), idle_cache=IdleCache(STILL, SEES))


def after(outcome: Outcome, state: PipelineState = KNOWN, fps: float = 10.0, unlike: float = 0.0) -> Pace:
    return pace.update(Pace(unlike), state, outcome, fps, SETTINGS, OF)


def test_a_quiet_view_may_rest_and_key_pictures_would_do() -> None:
    assert after(QUIET).rest_s == pytest.approx(1 / 3 - 0.05)
    assert after(QUIET).calm_gap_s == inf


def test_what_differs_for_the_first_time_is_looked_at_again_at_once() -> None:
    outcome = replace(QUIET, motion=Motion((), 0.001))
    assert after(outcome) == Pace(0.001, 0.0, None)
    assert after(outcome, unlike=0.001).calm_gap_s == inf


def test_while_something_moves_the_next_picture_is_wanted_when_the_detector_has_something_to_look_at() -> None:
    moving = Motion((Box(0.1, 0.1, 0.2, 0.2),), 0.01)
    assert after(Outcome(moving, (), patience_s=0.2), unlike=0.01) == Pace(0.01, 0.2, None)
    assert after(Outcome(moving, (), patience_s=inf), unlike=0.01).rest_s == pytest.approx(1 / 3)


def test_a_view_that_is_not_known_yet_and_one_that_is_covered_are_looked_at() -> None:
    assert after(QUIET, replace(KNOWN, idle_cache=None)).calm_gap_s is None
    assert after(replace(QUIET, view=Visibility(TamperKind.COVERED))).calm_gap_s is None


@given(st.floats(0.2, 10.0))
def test_a_box_that_is_hot_looks_as_seldom_as_it_may(fps: float) -> None:
    assert after(QUIET, fps=fps).rest_s >= 1 / fps - 0.05 - 1e-9 or fps >= 10.0
