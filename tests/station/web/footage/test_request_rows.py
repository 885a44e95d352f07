"""station.web.footage.request_rows"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.language import translated
from station.footage.folder import FootageStage, FootageState
from station.footage.words import VERDICTS
from station.lookup.places import BoxPlace, CameraPlace
from station.web.footage.request_rows import (
    HINTS,
    OPEN,
    address,
    names_of,
    progress_of,
    row_of,
    said_by_box,
    words_of,
)
from tests.support.footage_requests import ASKED, asked

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
PLACES = {"north-01": BoxPlace(1, "north-01", "Ngã tư", 0, (CameraPlace("north", "Hướng Bắc"),))}


def test_every_stage_has_words_and_says_what_comes_next() -> None:
    for stage in FootageStage:
        assert translated(words_of(FootageState(stage=stage)), "vi") != str(stage)
        assert stage is FootageStage.COMPLETE or translated(HINTS[stage], "vi") != HINTS[stage]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_only_what_is_authentic_looks_good(tmp_path: Path, verdict: str) -> None:
    folder = asked(tmp_path)
    folder.tell(stage=FootageStage.COMPLETE, verdict=verdict)

    stated = progress_of(folder, "en")

    assert stated["words"] == verdict
    assert (stated["tag"] == "good") == (verdict == "authentic")
    assert not stated["is_open"]


def test_how_much_is_here_is_told_while_it_comes(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    assert progress_of(folder, "en")["percent"] is None
    folder.tell(stage=FootageStage.SENDING, size_bytes=1_000, arrived_bytes=1_200)

    stated = progress_of(folder, "vi")

    assert (stated["percent"], stated["is_open"], stated["words"]) == (100, True, "đang gửi")
    assert FootageStage.SENDING in OPEN


def test_a_row_has_the_names_that_people_gave(tmp_path: Path) -> None:
    folder = asked(tmp_path)

    row = row_of(folder, PLACES, "vi")

    assert (row["box"], row["camera"], row["href"]) == ("Ngã tư", "Hướng Bắc", "/requests/north-01/q-1")
    assert row["asked_ms"] == round(ASKED.timestamp() * 1000)
    assert names_of({}, "north-01", "north").box == "north-01"
    assert address(folder) == row["href"]


def test_why_is_told_in_the_language_and_the_time_of_whoever_looks() -> None:
    at = datetime(2026, 11, 27, 7, 3, 22, tzinfo=UTC).isoformat()
    state = FootageState(stage=FootageStage.REFUSED, detail=f"it begins in the future: here it is {at}")

    assert said_by_box(state, "vi", HERE) == (
        "khoảng này bắt đầu trong tương lai: ở hộp bây giờ là 14:03:22, 27/11/2026"
    )
    assert said_by_box(FootageState(), "vi", HERE) == ""
