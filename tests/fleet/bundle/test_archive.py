"""fleet.bundle.archive: one signed file; whatever is changed in it is found, and named"""

from __future__ import annotations

import io
import os
import random
import re
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.errors import NgatuError
from fleet.bundle.archive import MANIFEST, BundleRefused, Manifest, content, verify, write
from fleet.bundle.release_key import read_public
from tests.support.disks import small_disk
from tests.support.releases import Maker


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture
def key(maker: Maker) -> Ed25519PublicKey:
    return maker.key.public_key()


def small(folder: Path, maker: Maker, **files: bytes) -> Path:
    """A bundle of a few bytes."""
    paths = {}
    for name, data in files.items():
        paths[f"models/{name}"] = folder / name
        paths[f"models/{name}"].write_bytes(data)
    contents = {name: content(path) for name, path in paths.items()}
    path = folder / "small.bundle"
    write(path, paths, Manifest("0.1.0", "0.1.0", "aarch64", "3.11", False, contents), maker.key)
    return path


def test_what_was_written_is_what_is_read(maker: Maker, key: Ed25519PublicKey) -> None:
    manifest = verify(maker.bundle("0.1.0"), key)

    assert (manifest.version, manifest.floor) == ("0.1.0", "0.1.0")
    assert manifest.files["models/eyes.onnx"].bytes == 5000


def test_the_same_files_make_the_same_bytes(tmp_path: Path, maker: Maker) -> None:
    (tmp_path / "two").mkdir()
    one = small(tmp_path, maker, b=b"2", a=b"1")
    two = small(tmp_path / "two", maker, a=b"1", b=b"2")

    assert one.read_bytes() == two.read_bytes()


def test_a_full_disk_is_one_clear_error_and_nothing_of_a_bundle_is_left(tmp_path: Path, maker: Maker) -> None:
    """Of a release of hundreds of megabytes that is written to a stick, say."""
    (tmp_path / "eyes").write_bytes(b"x" * 300_000)
    manifest = Manifest("0.1.0", "0.1.0", "aarch64", "3.11", False, {"models/eyes": content(tmp_path / "eyes")})
    with small_disk(tmp_path / "stick", "100k") as stick:
        with pytest.raises(NgatuError, match=r"full\.bundle: No space left on device") as caught:
            write(stick / "full.bundle", {"models/eyes": tmp_path / "eyes"}, manifest, maker.key)
        assert "--out names another folder" in (caught.value.hint or "")
        assert not list(stick.iterdir())


def test_a_bundle_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut leaves an empty one under the name of a release."""
    seen: list[tuple[str, bool]] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        really(handle)
        seen.append((Path(f"/proc/self/fd/{handle}").readlink().name, (tmp_path / "small.bundle").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    small(tmp_path, maker, eyes=b"eyes")

    assert seen == [(".small.bundle.new", False), (tmp_path.name, True)]


def test_a_file_that_is_gone_meanwhile_is_named_and_the_older_bundle_stands(
    tmp_path: Path, maker: Maker
) -> None:
    before = small(tmp_path, maker, eyes=b"eyes").read_bytes()
    manifest = Manifest("0.1.0", "0.1.0", "aarch64", "3.11", False, {"models/eyes": content(tmp_path / "eyes")})
    (tmp_path / "eyes").unlink()

    with pytest.raises(NgatuError, match=r"/eyes: No such file") as caught:
        write(tmp_path / "small.bundle", {"models/eyes": tmp_path / "eyes"}, manifest, maker.key)
    assert "run the same again" in (caught.value.hint or "")
    assert (tmp_path / "small.bundle").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_what_is_said_of_a_damaged_bundle_serves_who_has_no_makefile(
    tmp_path: Path, key: Ed25519PublicKey
) -> None:
    (tmp_path / "x.bundle").write_bytes(b"")

    with pytest.raises(BundleRefused) as refused:
        verify(tmp_path / "x.bundle", key)
    assert "ngatu bundle build" in (refused.value.hint or "") and "make " not in (refused.value.hint or "")


def test_every_changed_byte_is_found(tmp_path: Path, maker: Maker, key: Ed25519PublicKey) -> None:
    """But for the padding, which nobody reads."""
    path = small(tmp_path, maker, eyes=b"\x00\x01" * 200, ears=b"x" * 700)
    good = path.read_bytes()
    with tarfile.open(path) as tar:
        data = [(each.offset_data, each.size) for each in tar.getmembers()]
    dice = random.Random(5)
    places = [start + dice.randrange(size) for start, size in data for _ in range(40)]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(BundleRefused, match=re.escape(str(path))):
            verify(path, key)


def test_a_changed_file_is_named(tmp_path: Path, maker: Maker, key: Ed25519PublicKey) -> None:
    path = small(tmp_path, maker, eyes=b"eyes", ears=b"ears")
    path.write_bytes(_in_data(path, "models/ears"))

    with pytest.raises(BundleRefused, match="models/ears: is damaged or was changed"):
        verify(path, key)


def _in_data(path: Path, name: str) -> bytes:
    """The bundle with the first byte of one file flipped."""
    with tarfile.open(path) as tar:
        place = tar.getmember(name).offset_data
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    return bytes(data)


def rebuilt(path: Path, change: dict[str, bytes | None], more: dict[str, bytes] | None = None) -> None:
    """Write the archive anew with members changed (None: left out) or added."""
    with tarfile.open(path) as tar:
        members = [(each.name, tar.extractfile(each).read()) for each in tar.getmembers()]  # type: ignore[union-attr]
    with tarfile.open(path, "w") as tar:
        for name, old in [*members, *(more or {}).items()]:
            if (data := change.get(name, old)) is not None:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ({"models/ears": None}, {}, "models/ears: is missing"),
        ({"models/ears": b"earss"}, {}, "models/ears: has 5 bytes, the manifest says 4"),
        ({}, {"models/nose": b"nose"}, "models/nose: is not in the manifest"),
        ({}, {"models/ears": b"ears"}, "models/ears: is not in the manifest, or comes twice"),
        ({MANIFEST: None}, {}, "manifest.json: is not where it must be"),
    ],
    ids=["missing", "longer", "more", "twice", "no manifest"],
)
def test_what_is_missing_or_too_much_is_named(
    tmp_path: Path,
    maker: Maker,
    key: Ed25519PublicKey,
    change: dict[str, bytes | None],
    more: dict[str, bytes],
    message: str,
) -> None:
    path = small(tmp_path, maker, eyes=b"eyes", ears=b"ears")
    rebuilt(path, change, more)

    with pytest.raises(BundleRefused, match=message):
        verify(path, key)


def test_another_key_does_not_count(maker: Maker, key: Ed25519PublicKey) -> None:
    path = maker.bundle("0.1.0", key=Ed25519PrivateKey.generate())

    with pytest.raises(BundleRefused, match="the signature is not of this key"):
        verify(path, key)


@pytest.mark.parametrize("data", [b"", b"no archive at all", b"\0" * 2048], ids=["empty", "text", "zeros"])
def test_what_is_no_bundle_is_told_in_a_line(tmp_path: Path, key: Ed25519PublicKey, data: bytes) -> None:
    path = tmp_path / "x.bundle"
    path.write_bytes(data)

    with pytest.raises(BundleRefused):
        verify(path, key)


def test_a_name_that_leads_out_of_the_bundle_is_refused_even_if_signed(
    tmp_path: Path, maker: Maker, key: Ed25519PublicKey
) -> None:
    thing = tmp_path / "thing"
    thing.write_bytes(b"x")
    for name in ("../etc/passwd", "/etc/passwd", "models/../../x"):
        manifest = Manifest("0.1.0", "0.1.0", "aarch64", "3.11", False, {name: content(thing)})
        write(tmp_path / "out.bundle", {name: thing}, manifest, maker.key)
        with pytest.raises(BundleRefused, match="name leads out of it"):
            verify(tmp_path / "out.bundle", key)


def test_the_public_half_is_read_from_its_file(maker: Maker) -> None:
    assert verify(maker.bundle("0.1.0"), read_public(maker.public)).version == "0.1.0"
