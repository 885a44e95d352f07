"""agent.config.recording: what would not be recorded, or should not be, is said before."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from agent.config.schema import parse
from agent.errors import ConfigError
from agent.evidence.encryption import new_identity

KEY = new_identity()[1]


def text(evidence: dict[str, Any], **camera: Any) -> bytes:
    file = {"kind": "file", "path": "clip.mp4"}
    plain = {
        "device": {"commune": "hac-thanh", "id": "box-1"},
        "broker": {"host": "127.0.0.1"},
        "evidence": evidence,
        "cameras": [{"name": "north", "source": file, **camera}],
    }
    return yaml.safe_dump(plain, sort_keys=False).encode()


def test_a_camera_is_recorded_for_the_station() -> None:
    config = parse(text({"recipient": KEY}, record={"mode": "continuous"}), "box.yaml")
    assert config.records
    assert config.evidence_path == config.state_dir / "evidence"
    assert not parse(text({}), "box.yaml").records


@pytest.mark.parametrize(
    ("evidence", "camera", "expected"),
    [
        ({}, {"record": {"mode": "events"}}, "box.yaml:.*record.mode: .*station's key, and there is none"),
        (
            {"recipient": KEY},
            {
                "record": {"mode": "events", "source": {"kind": "rtsp", "url": "rtsp://cam/main"}},
                "privacy_masks": [[[0, 0], [1, 0], [1, 1]]],
            },
            "record.source: under privacy masks nothing is copied",
        ),
        (
            {"recipient": KEY},
            {"record": {"mode": "events"}, "source": {"kind": "file", "path": "clip.mp4", "pace": "fast"}},
            "source.pace: a file that is read as quickly as it goes cannot be recorded",
        ),
        ({"recipient": "age1wrong"}, {}, "evidence.recipient: not an age public key"),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_line(
    evidence: dict[str, Any], camera: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        parse(text(evidence, **camera), "box.yaml")


@pytest.mark.parametrize("record", [7, {"mode": 3}, {"mode": "events", "source": 8}, None])
def test_other_mistakes_are_told_beside_these(record: Any) -> None:
    with pytest.raises(ConfigError, match="record"):
        parse(text({"recipient": []}, record=record), "box.yaml")
