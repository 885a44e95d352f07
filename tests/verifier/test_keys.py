"""verifier.keys"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.errors import UsageError
from tests.support.packages import pem
from verifier.keys import read_key


def test_a_key_is_read(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "box.pub").write_bytes(pem(key))

    assert read_key(tmp_path / "box.pub") == key.public_key()


def test_what_is_no_such_key_is_told(tmp_path: Path) -> None:
    other = (
        generate_private_key(SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "other").write_bytes(other)
    (tmp_path / "text").write_text("no key", encoding="ascii")
    (tmp_path / "huge").write_bytes(b"")
    os.truncate(tmp_path / "huge", 1 << 40)
    os.mkfifo(tmp_path / "pipe")
    for name, said in {
        "other": "is no Ed25519 key", "text": "is no public key", "huge": "is no public key",
        "pipe": "is no file", "away": "is no file",
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=said):
            read_key(tmp_path / name)
