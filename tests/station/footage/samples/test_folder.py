"""station.footage.samples.folder"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from station.footage.folder import FOOTAGE, FootageFolder, FootageStage
from station.footage.samples.folder import SAMPLES, SampleFolders, SampleRequest
from tests.support.footage_requests import asked

REQUEST = SampleRequest(
    id="s-1",
    commune="hai-ninh",
    device="hai-ninh-03",
    purpose="a better detector",
    officer="Lê Văn A",
    issuer="duty-room",
    asked_at=datetime(2026, 3, 2, 11, 0, tzinfo=UTC),
    since=datetime(2026, 2, 23, 11, 0, tzinfo=UTC),
    most=500,
)


def test_an_order_is_read_as_it_was_noted(tmp_path: Path) -> None:
    made = SampleFolders(tmp_path / SAMPLES).new(REQUEST, b"a key")

    found = SampleFolders(tmp_path / SAMPLES).find("hai-ninh-03", "s-1")
    assert found == made
    assert found.request == REQUEST
    assert found.state().stage is FootageStage.ASKED
    assert found.key.read_bytes() == b"a key"


def test_an_order_for_frames_is_no_request_for_footage_and_the_other_way_round(tmp_path: Path) -> None:
    SampleFolders(tmp_path / SAMPLES).new(REQUEST, None)
    asked(tmp_path, "q-1")

    assert [each.request.id for each in FootageFolder(tmp_path / FOOTAGE).every()] == ["q-1"]
    assert [each.request.id for each in SampleFolders(tmp_path / SAMPLES).every()] == ["s-1"]
    assert FootageFolder(tmp_path / SAMPLES).find("hai-ninh-03", "s-1") is None
    assert SampleFolders(tmp_path / FOOTAGE).find("north-01", "q-1") is None
