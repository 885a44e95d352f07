"""agent.evidence.encryption: footage that only the station can read, and this boot while it lasts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.encryption import (
    FILE,
    CannotDecrypt,
    Recipients,
    boot_identity,
    decrypt,
    in_memory,
    new_identity,
    public_key,
    recipient,
)


def test_the_station_and_this_boot_read_what_was_encrypted_and_nobody_else() -> None:
    station, boot, stranger = new_identity(), new_identity(), new_identity()

    cipher = Recipients(station[1], boot[1]).encrypt(b"a road at noon" * 100)

    assert b"a road at noon" not in cipher
    assert decrypt(cipher, station[0]) == decrypt(cipher, boot[0]) == b"a road at noon" * 100
    with pytest.raises(CannotDecrypt):
        decrypt(cipher, stranger[0])


def test_a_flipped_bit_anywhere_is_found() -> None:
    identity, key = new_identity()
    cipher = Recipients(key).encrypt(b"evidence")
    for at in range(0, len(cipher), 7):
        spoiled = bytearray(cipher)
        spoiled[at] ^= 1
        with pytest.raises(CannotDecrypt):
            decrypt(bytes(spoiled), identity)


def test_what_is_no_key_is_refused_with_words() -> None:
    assert not recipient("age1nonsense")
    assert recipient(new_identity()[1])
    with pytest.raises(FootageError, match="no age public key"):
        Recipients("ssh-ed25519 AAAA")
    with pytest.raises(CannotDecrypt):
        public_key("AGE-SECRET-KEY-1NO")


def test_the_identity_of_a_boot_is_the_same_for_the_next_start_and_lies_in_memory_only(tmp_path: Path) -> None:
    memory = Path("/dev/shm") / f"ngatu-test-{os.getpid()}"
    memory.mkdir()
    try:
        assert in_memory(memory)
        assert boot_identity(memory) == boot_identity(memory)
        assert (memory / FILE).stat().st_mode & 0o777 == 0o600
    finally:
        for path in memory.iterdir():
            path.unlink()
        memory.rmdir()


def test_a_runtime_folder_on_a_disk_is_not_given_the_identity(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("21 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
    folder = tmp_path / "run"
    folder.mkdir()

    identity = boot_identity(folder, mounts)

    assert public_key(identity)
    assert list(folder.iterdir()) == []
