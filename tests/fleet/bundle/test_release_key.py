"""fleet.bundle.release_key: the key that signs never lies on a disk without a passphrase"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.bundle.release_key import make, read_private, read_public


def test_a_key_signs_what_its_public_half_accepts(tmp_path: Path) -> None:
    public = make(tmp_path / "keys" / "release.key", "a long passphrase")
    key = read_private(tmp_path / "keys" / "release.key", "a long passphrase")

    read_public(public).verify(key.sign(b"this"), b"this")


def test_only_its_owner_can_read_it_and_only_with_the_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "release.key"
    make(path, "a long passphrase")

    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    with pytest.raises(NgatuError, match="the passphrase is wrong"):
        read_private(path, "another passphrase")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "release.key"
    make(path, "a long passphrase")
    before = path.read_bytes()

    with pytest.raises(NgatuError, match=r"release\.key: there is a key already"):
        make(path, "a long passphrase")
    assert path.read_bytes() == before


def test_the_public_half_of_another_key_is_never_overwritten(tmp_path: Path) -> None:
    public = make(tmp_path / "release.key", "a long passphrase")
    before = public.read_bytes()

    with pytest.raises(NgatuError, match=r"release\.pub: there is a key already"):
        make(tmp_path / "release.pem", "a long passphrase")
    assert public.read_bytes() == before
    assert not (tmp_path / "release.pem").exists()


def test_a_folder_that_takes_no_key_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(NgatuError, match=r"/file: this is no folder") as caught:
        make(tmp_path / "file" / "release.key", "a long passphrase")
    assert "may this user write there" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("keys", "keys: this is a folder", "keys/release.key"),
        ("letter.txt", r"letter\.txt: there is another file already", "name a new one"),
        ("release.pub", r"release\.pub: so its public half is called", r"name the key release.key"),
    ],
)
def test_what_cannot_be_the_name_of_a_key_is_told_for_what_it_is(
    tmp_path: Path, name: str, message: str, hint: str
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "letter.txt").write_text("of somebody else")

    with pytest.raises(NgatuError, match=message) as caught:
        make(tmp_path / name, "a long passphrase")
    assert hint in (caught.value.hint or "")
    assert {each.name for each in tmp_path.iterdir()} == {"keys", "letter.txt"}
    assert (tmp_path / "letter.txt").read_text() == "of somebody else"


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="too short"):
        make(tmp_path / "release.key", "1234567")
    assert not (tmp_path / "release.key").exists()


def test_the_half_for_the_boxes_signs_nothing_and_is_told_for_what_it_is(tmp_path: Path) -> None:
    """Rather than that the passphrase is wrong, which would be typed again and again."""
    public = make(tmp_path / "release.key", "a long passphrase")

    with pytest.raises(NgatuError, match=r"release\.pub: this is the half for the boxes") as caught:
        read_private(public, "a long passphrase")
    assert "release.key" in (caught.value.hint or "")


@pytest.mark.parametrize("read", [read_public, lambda path: read_private(path, "12345678")])
def test_what_is_no_key_is_told(tmp_path: Path, read: object) -> None:
    path = tmp_path / "x"
    assert callable(read)
    with pytest.raises(NgatuError, match="No such file"):
        read(path)
    path.write_text("no key")
    with pytest.raises(NgatuError, match=r"no (public )?key"):
        read(path)
