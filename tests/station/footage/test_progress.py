"""station.footage.progress"""

from __future__ import annotations

from pathlib import Path

import pytest

from station.footage.folder import FootageStage, FootageState
from station.footage.progress import shown_percent, shown_until_over
from tests.support.footage_requests import asked


def test_it_ends_with_how_it_stands_once_it_is_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = asked(tmp_path)
    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic", size_bytes=7, arrived_bytes=7)

    assert shown_until_over(folder, "ngatu clip --request q-1").verdict == "authentic"
    assert "7/7" in capsys.readouterr().err


def test_how_much_is_here_is_said_once_it_is_known_of_how_much() -> None:
    assert shown_percent(FootageState()) == ""
    assert shown_percent(FootageState(size_bytes=200, arrived_bytes=50)) == " 25 %"
