"""station.footage.samples.settle"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.samples.package import FrameEntry, SampleManifest, SampleOrder, file_of, manifest_bytes
from agent.wire.pieces import cut
from station.footage.arrival.spool import Spool, SpooledPiece
from station.footage.custody import CustodyBook
from station.footage.folder import FootageStage
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders, SampleRequest
from station.footage.samples.settle import settle
from tests.support.clip_bench import BOX_KEY, COMMUNE, DEVICE, public_pem
from tests.support.disks import small_disk
from tests.support.kept_samples import jpeg, sample
from verifier.custody_log import FIRST, line_sha256, read_line

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAMES = [sample(number, after_s=number)[0].file(sealed=True) for number in range(3)]
BODY = jpeg(30_000)


def ordered(state: Path, key: bytes | None = None) -> SampleFolder:
    request = SampleRequest(
        id="s-1",
        commune=COMMUNE,
        device=DEVICE,
        purpose="a better detector",
        officer="Lê Văn A",
        issuer="duty",
        asked_at=AT,
        most=3,
    )
    return SampleFolders(state / SAMPLES).new(request, key)


def came(
    folder: SampleFolder, *, without: str = "", signed_by: Ed25519PrivateKey = BOX_KEY, order_id: str = "s-1"
) -> None:
    """Three frames, of which one has not come, or not all of it."""
    frames = tuple(
        FrameEntry(file_of(number, name), name, len(BODY), sha256(BODY).hexdigest())
        for number, name in enumerate(NAMES, 1)
    )
    order = SampleOrder(order_id, None, "a better detector", "Lê Văn A", "duty", None, None)
    data = manifest_bytes(SampleManifest(COMMUNE, DEVICE, AT, order, frames))
    files = {
        "manifest.json": data,
        "manifest.sig": signed_by.sign(data),
        **{each.file: BODY for each in frames},
    }
    pieces = [
        SpooledPiece(name, number, piece)
        for name, body in files.items()
        for number, piece in enumerate(cut(body))
        if not (without and name.startswith(without) and number)
    ]
    Spool(folder.pieces).add(pieces)
    folder.tell(stage=FootageStage.ARRIVED)


@pytest.fixture
def folder(tmp_path: Path) -> SampleFolder:
    return ordered(tmp_path, public_pem())


def test_the_frames_lie_by_their_own_names_beside_what_the_box_signed(
    folder: SampleFolder, tmp_path: Path
) -> None:
    came(folder)
    settle(folder, CustodyBook(tmp_path))

    state = folder.state()
    assert (state.stage, state.verdict, state.detail) == (FootageStage.COMPLETE, "authentic", None)
    assert {each.name for each in folder.package.iterdir()} == {
        *NAMES, "manifest.json", "manifest.sig", "custody.log",
    }  # fmt: skip
    assert all((folder.package / name).read_bytes() == BODY for name in NAMES)
    assert not folder.pieces.exists()


def test_the_stations_own_log_says_who_ordered_them_and_what_for(folder: SampleFolder, tmp_path: Path) -> None:
    came(folder)
    book = CustodyBook(tmp_path)
    settle(folder, book)

    received, verified = (folder.package / "custody.log").read_bytes().splitlines()
    first = read_line(received, 1, FIRST, book.public())
    assert first.detail.startswith("3 of 3 frames, ")
    assert first.detail.endswith("ordered by Lê Văn A (duty) for: a better detector")
    assert read_line(verified, 2, line_sha256(received), book.public()).detail == "authentic"


def test_a_frame_that_did_not_come_whole_is_left_out_and_the_others_stay(folder: SampleFolder) -> None:
    came(folder, without="frame-00002")
    folder.tell(detail="released: by lan")
    settle(folder, None)

    state = folder.state()
    assert sorted(each.name for each in folder.package.glob("*.age")) == [NAMES[0], NAMES[2]]
    assert state.verdict == "authentic with missing"
    assert str(state.detail).startswith("released: by lan; 2 of 3 frames")


def test_where_no_frame_came_the_order_has_failed(folder: SampleFolder) -> None:
    came(folder, without="frame-")
    settle(folder, None)

    assert folder.state().stage is FootageStage.FAILED
    assert "no frame of it came" in str(folder.state().detail)
    assert not folder.package.exists()


@pytest.mark.parametrize(
    ("key", "signed_by", "order_id", "verdict"),
    [
        (None, BOX_KEY, "s-1", "not judged"),
        (public_pem(), Ed25519PrivateKey.generate(), "s-1", "not authentic"),
        (public_pem(), BOX_KEY, "s-9", "not authentic"),
    ],
)
def test_what_the_box_did_not_sign_for_this_order_is_kept_and_called_that(
    tmp_path: Path, key: bytes | None, signed_by: Ed25519PrivateKey, order_id: str, verdict: str
) -> None:
    folder = ordered(tmp_path, key)
    came(folder, signed_by=signed_by, order_id=order_id)
    settle(folder, CustodyBook(tmp_path))

    assert folder.state().verdict == verdict
    assert folder.state().detail
    assert len([*folder.package.glob("*.age")]) == 3


def test_a_death_at_any_moment_leaves_nothing_half(
    folder: SampleFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came(folder)
    for step in range(1, 12):  # dies at its nth sync
        left = step

        def dying(_handle: int) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", dying)
            try:
                settle(folder, CustodyBook(tmp_path))
            except OSError:
                continue
            break
    settle(folder, CustodyBook(tmp_path))

    assert folder.state().verdict == "authentic"
    assert all((folder.package / name).read_bytes() == BODY for name in NAMES)


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "little", "500k") as disk:
        yield disk


def test_a_full_disk_loses_nothing_and_it_goes_on_once_there_is_room(little: Path) -> None:
    folder, filler = ordered(little, public_pem()), little / "filler"
    came(folder)
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"x" * 1_000_000)
    with pytest.raises(OSError, match="No space left"):
        settle(folder, None)
    assert folder.state().stage is FootageStage.ARRIVED
    assert not folder.package.exists()

    filler.unlink()
    settle(folder, None)
    assert folder.state().verdict == "authentic"
