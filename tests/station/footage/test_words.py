"""station.footage.words"""

from __future__ import annotations

import pytest

from station.footage.folder import FootageStage, FootageState
from station.footage.words import STAGES, how_far, judged


def test_every_stage_has_words() -> None:
    assert set(STAGES) == set(FootageStage)


def test_what_is_here_is_told_by_the_verifiers_word_and_why() -> None:
    state = FootageState(stage=FootageStage.COMPLETE, verdict="authentic with missing", detail="a gap")
    assert how_far(state) == "authentic with missing: a gap"


def test_what_is_on_its_way_is_told_with_how_much_of_it_is_here() -> None:
    assert how_far(FootageState(stage=FootageStage.SENDING), " 25 %") == "on its way 25 %"


@pytest.mark.parametrize("detail", [None, "2 of 3 frames are here"])
def test_what_went_by_its_age_is_not_told_as_if_it_were_here(detail: str | None) -> None:
    state = FootageState(stage=FootageStage.DELETED, verdict="authentic", detail=detail)
    assert (judged(state), how_far(state)) == (None, "deleted by its age")
