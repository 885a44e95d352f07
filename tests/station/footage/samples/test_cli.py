"""station.footage.samples.cli"""

from __future__ import annotations

from pathlib import Path

from station.footage.folder import FootageStage
from tests.station.footage.samples.test_settle import ordered
from tests.station.footage.test_cli import config, said

__all__ = ["config"]


def test_what_is_missing_is_told_with_an_example_and_nothing_is_sent(config: Path) -> None:
    code, words = said(config, "samples", "north-01")

    assert code == 2
    assert "these are missing: --purpose, --officer" in words
    assert "ngatu station samples hai-ninh-03 --since 7d" in words


def test_all_orders_are_listed_with_who_ordered_and_how_far_each_is(config: Path, tmp_path: Path) -> None:
    assert said(config, "samples", "--list") == (0, "nothing was ordered yet\n")
    ordered(tmp_path / "state").tell(stage=FootageStage.SENDING, size_bytes=200, arrived_bytes=50)

    code, words = said(config, "samples", "--list")

    assert code == 0
    assert "on its way 25 %" in words
    assert "Lê Văn A" in words
    assert "a better detector" in words


def test_an_order_that_is_over_says_where_the_frames_are_and_how_to_go_on(config: Path, tmp_path: Path) -> None:
    folder = ordered(tmp_path / "state")
    folder.package.mkdir()
    (folder.package / "1.sample.age").write_bytes(b"age")
    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic")

    code, words = said(config, "samples", "--request", "s-1")

    assert code == 0
    assert f"authentic: {folder.package}" in words
    assert f"ngatu samples open {folder.package} NEW --key {tmp_path / 'state/footage.key'}" in words

    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic with missing", detail="2 of 3 frames")
    code, words = said(config, "samples", "--request", "s-1")
    assert code == 1
    assert "2 of 3 frames" in words


def test_an_order_that_failed_says_why(config: Path, tmp_path: Path) -> None:
    ordered(tmp_path / "state").tell(stage=FootageStage.FAILED, detail="the frames went by their age")

    code, words = said(config, "samples", "--request", "s-1")

    assert code == 1
    assert "failed: the frames went by their age" in words


def test_frames_that_went_by_their_age_are_told_as_such(config: Path, tmp_path: Path) -> None:
    ordered(tmp_path / "state").tell(stage=FootageStage.DELETED, verdict="authentic")

    _, listed = said(config, "samples", "--list")
    code, words = said(config, "samples", "--request", "s-1")

    assert "deleted by its age" in listed
    assert "authentic" not in listed
    assert (code, words.splitlines()[-1]) == (1, "deleted by its age")
