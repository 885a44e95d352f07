"""station.footage.package_key"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.wire.payloads import InfoPayload
from station.config import StationConfig
from station.footage.package_key import known_pem, told_pem
from station.store.database import StoreError
from tests.support.footage_requests import KEY, public_pem


def config(folder: Path) -> StationConfig:
    return StationConfig(commune="hai-ninh", state_dir=folder)


def test_a_store_that_cannot_be_read_sends_no_order(tmp_path: Path) -> None:
    """The box's own word for its key was taken then, which is what an impostor would want."""
    (tmp_path / "station.db").write_bytes(b"no database " * 1000)

    with pytest.raises(StoreError, match=r"station\.db"):
        known_pem(config(tmp_path), "hai-ninh-03")
    (tmp_path / "station.db").unlink()
    assert known_pem(config(tmp_path), "hai-ninh-03") is None


@pytest.mark.parametrize("key", ["", "no base64", base64.b64encode(b"short").decode(), None])
def test_a_box_that_tells_no_key_has_told_none(key: str | None) -> None:
    assert told_pem(said(key)) is None
    assert told_pem(None) is None


def test_a_box_tells_its_key_as_it_is_kept() -> None:
    raw = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    assert told_pem(said(base64.b64encode(raw).decode())) == public_pem()


def said(key: str | None) -> InfoPayload:
    at = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
    return InfoPayload(
        commune="hai-ninh", device="hai-ninh-03", session="s-1", time=at, versions={}, evidence_key=key
    )
