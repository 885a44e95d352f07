"""agent.tools.hardware.checklist"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.core.types import Instant
from agent.errors import NgatuError
from agent.language import translated
from agent.tools.hardware.checklist import JSON_NAME, TEXT_NAME, BoardFinding, Checklist, State, loaded, save
from agent.translatable import tr

NOW = Instant(5.0, 1_795_000_000.0)
HEAT = BoardFinding(
    "heat", tr("Heat"), State.WARNING, tr("{errors} errors of the file system", errors=3), tr("see Heat")
)
POWER = BoardFinding(
    "power", tr("Power cut"), State.OK, tr("no errors"), "", {"how": "power_lost", "whole": True}
)


def kept(*findings: BoardFinding) -> Checklist:
    checklist = Checklist()
    for finding in findings:
        checklist.add(finding, NOW)
    return checklist


def saved(checklist: Checklist, folder: Path) -> tuple[str, str]:
    files = save(
        checklist, folder, {"device": "hai-ninh-01", "cores": 4}, translated, translated("the checklist")
    )
    assert files == (folder / JSON_NAME, folder / TEXT_NAME)
    return files[0].read_text(encoding="utf-8"), files[1].read_text(encoding="utf-8")


def test_what_was_found_comes_back_as_it_was(tmp_path: Path) -> None:
    before = kept(HEAT, POWER)
    saved(before, tmp_path / "hardware")
    after = loaded(tmp_path / "hardware")
    assert after == before
    assert after.verified("power") == before.findings["power"]
    assert (after.verified("heat"), after.verified("never walked")) == (None, None)


def test_the_json_is_english_and_the_text_is_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "vi")
    as_json, as_text = saved(kept(HEAT, POWER), tmp_path)
    heat, power = json.loads(as_json)["items"]
    assert (heat["title"], heat["found"], heat["state"]) == ("Heat", "3 errors of the file system", "warning")
    assert power["measured"] == {"how": "power_lost", "whole": True}
    assert "[chú ý] Nhiệt độ: 3 lỗi của hệ thống file\n    xem Nhiệt độ" in as_text
    assert "device: hai-ninh-01" in as_text


def test_what_was_found_in_one_language_is_told_in_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(kept(HEAT), tmp_path)
    monkeypatch.setenv("LANGUAGE", "vi")
    assert translated(loaded(tmp_path).findings["heat"].found) == "3 lỗi của hệ thống file"


HOSTILE = "its decoder says\n[ok] Power cut: all well\x1b]0;title\x07\x9b2J \u202emoc.elpmaxe " + "A" * 5000


def test_what_a_child_process_says_is_one_line_that_steers_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tr("{camera}: {what}", camera="north", what=HOSTILE)
    finding = BoardFinding("frames north", tr("Camera {name}", name="north"), State.FAILED, said, HOSTILE)
    (tmp_path / "hardware").mkdir()
    _, as_text = saved(kept(finding, POWER), tmp_path / "hardware")
    assert [line[:8] for line in as_text.split("\n")[4:-1]] == ["[failed]", "    its ", "[ok] Pow"]
    assert as_text.replace("\n", "").isprintable()
    assert max(map(len, as_text.split("\n"))) < 600
    raw = (tmp_path / "hardware" / JSON_NAME).read_text(encoding="utf-8")
    assert raw.replace("\n", "").isprintable()
    (tmp_path / "hardware" / JSON_NAME).write_text(
        raw.replace("decoder", "decoder\\u001b[2J"), encoding="utf-8"
    )
    again = loaded(tmp_path / "hardware").findings["frames north"]
    assert "decoder\ufffd[2J" in again.found, "nor what somebody wrote into the file"
    monkeypatch.setenv("LANGUAGE", "vi")
    assert translated(again.title) == "Camera north"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"items": [{}]}', b'{"items": [{"item": 1, "words": {"title": [1], "found": "",'
     b' "hint": ""}, "state": "ok", "wall_s": 0, "measured": {}}]}', b"\xff"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_no_checklist(tmp_path: Path, content: bytes) -> None:
    (tmp_path / JSON_NAME).write_bytes(content)
    assert loaded(tmp_path) == Checklist()


def test_an_item_that_is_walked_again_keeps_its_place_and_one_that_is_not_goes(tmp_path: Path) -> None:
    checklist = kept(HEAT, POWER)
    checklist.add(BoardFinding("heat", tr("Heat"), State.OK, "cool"), Instant(9.0, NOW.wall_s + 60))
    assert [(each.item, each.wall_s) for each in checklist.findings.values()] == [
        ("heat", NOW.wall_s + 60), ("power", NOW.wall_s),
    ]  # fmt: skip
    assert (checklist.count(State.OK), checklist.count(State.FAILED)) == (2, 0)
    checklist.keep_only(["power"])
    assert list(checklist.findings) == ["power"]


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NgatuError, match="cannot be written") as caught:
        saved(kept(HEAT), tmp_path / "file")
    assert "--report" in caught.value.hint
