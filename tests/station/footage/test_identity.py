"""station.footage.identity"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.encryption import Recipients, decrypt
from station.footage import identity


def test_it_is_made_once_for_its_owner_alone_and_reads_what_boxes_encrypt(tmp_path: Path) -> None:
    path = tmp_path / "footage.key"

    recipient, made = identity.make(path)

    assert made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert identity.make(path) == (recipient, False)
    known = identity.read(path)
    assert known is not None
    assert decrypt(Recipients(recipient).encrypt(b"footage"), known) == b"footage"


def test_where_there_is_none_it_is_none(tmp_path: Path) -> None:
    assert identity.read(tmp_path / "footage.key") is None


def test_one_that_others_may_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "footage.key"
    identity.make(path)
    path.chmod(0o640)

    with pytest.raises(FootageError, match="chmod 600"):
        identity.read(path)


@pytest.mark.parametrize("text", ["", "rubbish", "AGE-SECRET-KEY-1RUBBISH", "\udcff"])
def test_what_is_none_is_never_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "footage.key"
    path.write_bytes(text.encode(errors="surrogateescape"))
    path.chmod(0o600)

    with pytest.raises(FootageError):
        identity.make(path)
    assert path.read_bytes() == text.encode(errors="surrogateescape")
