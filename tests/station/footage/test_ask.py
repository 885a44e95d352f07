"""station.footage.ask"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import UsageError
from station.config import StationConfig
from station.footage import ask
from station.footage.folder import FootageStage as Stage
from station.footage.folder import FootageState
from station.footage.wanted import Given, clip_wanted
from tests.support.footage_requests import asked

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def config(folder: Path) -> StationConfig:
    return StationConfig(commune="hai-ninh", state_dir=folder)


def test_more_than_an_hour_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """There is no broker, and nobody asks for one."""
    long = clip_wanted(Given("box-1", "north", "3h", "1h", "12", "x", "A"), "duty", NOW)

    with pytest.raises(UsageError, match="at most an hour"):
        ask.ask(config(tmp_path), long, ask.Sending(60, 1, None))
    assert not (tmp_path / "footage").exists()


def test_a_request_is_found_by_the_end_of_its_id(tmp_path: Path) -> None:
    asked(tmp_path, "01a2-first")
    asked(tmp_path, "01a2-other")

    assert ask.find(config(tmp_path), "first").request.id == "01a2-first"
    with pytest.raises(UsageError, match="there is no request nothing"):
        ask.find(config(tmp_path), "nothing")
    asked(tmp_path, "09b3-first")
    with pytest.raises(UsageError, match="more than one"):
        ask.find(config(tmp_path), "first")


@pytest.mark.parametrize("request_id", ["", " ", "t"])
def test_nothing_is_found_by_next_to_nothing(tmp_path: Path, request_id: str) -> None:
    """`--release ""`, of a variable that is empty, released the only request there was."""
    asked(tmp_path, "01a2-first")

    with pytest.raises(UsageError, match="there is no request"):
        ask.find(config(tmp_path), request_id)


def test_a_request_is_found_by_its_whole_id_also_where_another_one_ends_so(tmp_path: Path) -> None:
    asked(tmp_path, "a2-first")
    asked(tmp_path, "01a2-first")

    assert ask.find(config(tmp_path), "a2-first").request.id == "a2-first"


def test_what_becomes_of_it_is_followed_to_its_end(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    steps = iter(
        [
            {"stage": Stage.SENDING, "arrived_bytes": 5},
            {"stage": Stage.SENDING, "arrived_bytes": 5},
            {"stage": Stage.COMPLETE, "verdict": "authentic"},
        ]
    )
    seen: list[FootageState] = []

    last = ask.follow(folder, seen.append, lambda _seconds: folder.tell(**next(steps)))

    assert [each.stage for each in seen] == [Stage.ASKED, Stage.SENDING, Stage.COMPLETE]
    assert last.verdict == "authentic"
