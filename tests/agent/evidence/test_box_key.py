"""agent.evidence.box_key"""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.errors import FootageError
from agent.evidence.box_key import box_key, public_text


def test_it_is_made_once_and_for_the_agent_alone(tmp_path: Path) -> None:
    path = tmp_path / "evidence.key"

    key = box_key(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["evidence.key"]
    again = box_key(path)
    again.public_key().verify(key.sign(b"m"), b"m")


def test_it_is_told_in_a_form_that_gives_the_key_again(tmp_path: Path) -> None:
    key = box_key(tmp_path / "evidence.key")

    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_text(key.public_key())))

    public.verify(key.sign(b"m"), b"m")


@pytest.mark.parametrize("text", [b"", b"rubbish"])
def test_one_that_cannot_be_read_is_never_replaced(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "evidence.key"
    path.write_bytes(text)

    with pytest.raises(FootageError, match=r"evidence\.key"):
        box_key(path)
    assert path.read_bytes() == text


def test_a_disk_that_takes_nothing_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="No such file or directory"):
        box_key(tmp_path / "nowhere" / "evidence.key")
