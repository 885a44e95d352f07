"""station.footage.arrival.intake"""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from agent.evidence.package.manifest import MAX_MANIFEST_BYTES
from agent.wire.pieces import PIECE_BYTES
from station.footage.arrival import intake as intake_module
from station.footage.arrival.arriving import AHEAD_BYTES
from station.footage.arrival.intake import FootageIntake
from station.footage.arrival.listing import MAX_PART_BYTES
from station.footage.arrival.spool import Spool
from station.footage.desk import FootageDesk
from station.footage.folder import FootageStage, RequestFolder
from station.ingest.inbound import InboundMessage, read
from tests.station.ingest.test_receipts import BASE, BOX
from tests.support.footage_requests import asked, package, piece, public_pem, sent

TIME = "2026-03-02T11:00:00.000Z"
OTHERS = (
    Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
"""The key of a box that did not sign."""
FILES = package(300, PIECE_BYTES, 2 * PIECE_BYTES + 5)


def taken(intake: FootageIntake, messages: list[InboundMessage]) -> list[InboundMessage]:
    """As the store does it: judged, then kept; those that may stay."""
    judged = [each for one in messages if (each := intake.judged(one)) is not None]
    intake.keep(judged)
    return judged


def word(state: str, **more: object) -> InboundMessage:
    body = {
        "seq": 900,
        "stream": "s-1",
        "published_at": TIME,
        "id": "q-1",
        "state": state,
        "time": TIME,
        **more,
    }
    return read(f"{BASE}evidence/q-1", json.dumps(body).encode(), {})


@pytest.mark.parametrize("key", [None, public_pem()], ids=["no key told", "key"])
@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_order_and_however_often_they_come_a_package_becomes_whole_once(
    tmp_path: Path, seed: int, key: bytes | None
) -> None:
    folder, whole = asked(tmp_path, key=key), []
    chance = random.Random(seed)
    messages = [*sent(FILES)] * 2
    chance.shuffle(messages)
    intake = FootageIntake(tmp_path, 1 << 20, whole.append)
    for message in messages:
        assert all(one.problem is None for one in taken(intake, [message]))
        if chance.random() < 0.2:
            intake = FootageIntake(tmp_path, 1 << 20, whole.append)
            intake.resume()

    assert [each.request.id for each in whole][:1] == ["q-1"]
    state = folder.state()
    assert (state.stage, state.arrived_bytes) == (FootageStage.ARRIVED, sum(map(len, FILES.values())))
    spool = Spool(folder.pieces)
    assert {name: b"".join(spool.read(name)) for name in FILES} == FILES


@pytest.mark.parametrize("key", [None, public_pem(), OTHERS], ids=["no key told", "key", "another key"])
@pytest.mark.parametrize("pad", [PIECE_BYTES - 200, 3 * PIECE_BYTES])
def test_a_manifest_is_whole_also_where_its_last_piece_is_full(
    tmp_path: Path, pad: int, key: bytes | None
) -> None:
    short = len(package(5, pad=pad)["manifest.json"]) % PIECE_BYTES
    files = package(5, pad=pad + PIECE_BYTES - short)
    assert len(files["manifest.json"]) % PIECE_BYTES == 0
    folder = asked(tmp_path, key=key)

    taken(FootageIntake(tmp_path, 1 << 20), [*sent(files)])

    assert folder.state().stage is FootageStage.ARRIVED


def test_what_nobody_asked_for_is_no_footage(tmp_path: Path) -> None:
    asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 20)

    (unasked,) = taken(intake, [piece("manifest.json", 0, b"{}", request_id="q-2")])
    (foreign,) = taken(intake, [piece("manifest.json", 0, b"{}", base=BASE.replace(BOX[1], "south-01"))])

    assert (unasked.problem, foreign.problem) == (
        "nobody here asked for footage q-2",
        "nobody here asked for footage q-1",
    )
    assert not (tmp_path / "footage" / "south-01").exists()


@pytest.mark.parametrize(
    ("name", "number", "size", "why"),
    [
        ("other.age", 0, 5, "the manifest lists no piece 0 of other.age"),
        ("footage-1-00000.age", 1, 5, "the manifest lists no piece 1 of footage-1-00000.age"),
        ("footage-1-00002.age", 0, 5, "piece 0 of footage-1-00002.age has 5 bytes"),
        ("footage-1-00000.age", 0, 301, "piece 0 of footage-1-00000.age has 301 bytes"),
        ("manifest.json", 7, 5, "the manifest lists no piece 7 of manifest.json"),
    ],
)
def test_what_the_manifest_does_not_list_is_no_footage(
    tmp_path: Path, name: str, number: int, size: int, why: str
) -> None:
    asked(tmp_path, key=public_pem())
    intake = FootageIntake(tmp_path, 1 << 20)
    taken(intake, [*sent({name: FILES[name] for name in ("manifest.json", "manifest.sig")})])

    (stray,) = taken(intake, [piece(name, number, b"x" * size)])

    assert stray.problem == why


@pytest.mark.long
def test_before_its_manifest_a_box_can_send_only_so_much_and_the_rest_comes_again(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 30)
    body, kept = b"x" * PIECE_BYTES, 0
    for number in range((MAX_MANIFEST_BYTES + 2 * AHEAD_BYTES) // PIECE_BYTES):
        kept += len(taken(intake, [piece("footage-1-00001.age", number, body)]))

    assert kept * PIECE_BYTES <= MAX_MANIFEST_BYTES + AHEAD_BYTES
    assert folder.pieces.stat().st_size < MAX_MANIFEST_BYTES + AHEAD_BYTES + 2 * kept * 50
    (beyond,) = taken(intake, [piece("manifest.json", MAX_MANIFEST_BYTES // PIECE_BYTES + 1, body)])
    assert beyond.problem == f"a manifest of more than {MAX_MANIFEST_BYTES} bytes"


def test_a_package_larger_than_the_bound_is_told_and_takes_no_room(tmp_path: Path) -> None:
    folder = asked(tmp_path, key=public_pem())
    intake = FootageIntake(tmp_path, 1000)
    with capture_logs() as logs:
        taken(intake, [*sent(FILES)])

    state = folder.state()
    assert state.stage is FootageStage.FAILED
    assert "footage.max_bytes is 1000" in str(state.detail)
    assert [each["event"] for each in logs] == ["footage_refused"]
    assert not folder.pieces.exists()
    assert all(one.problem is None for one in taken(intake, [*sent(FILES)]))  # receipted, and not kept
    assert not folder.pieces.exists()


def test_a_part_that_would_fill_the_memory_of_the_desk_is_told_before_it_comes(tmp_path: Path) -> None:
    """One of 400 MiB took 1.2 GB there; a box writes none above 32 MiB."""
    folder = asked(tmp_path)
    parts = [{"run": 1, "number": 0, "cipher_bytes": MAX_PART_BYTES + 1}]
    files = {"manifest.json": json.dumps({"parts": parts}).encode(), "manifest.sig": b"s" * 64}

    taken(FootageIntake(tmp_path, 1 << 30), [*sent(files)])

    assert folder.state().stage is FootageStage.FAILED
    assert "no part has more than 67108864" in str(folder.state().detail)


@pytest.mark.parametrize(
    "manifest",
    [
        b"[]",
        b'{"parts":[{"run":1,"number":0,"cipher_bytes":-5}]}',
        b'{"parts":[{"run":1,"number":0,"cipher_bytes":5},{"run":1,"number":0,"cipher_bytes":5}]}',
        b'{"parts":[{"run":"../../x","number":0,"cipher_bytes":5}]}',
        b'{"parts":' + b"[" * 5000,
    ],
)
def test_a_manifest_that_is_none_ends_the_request_in_words(tmp_path: Path, manifest: bytes) -> None:
    folder = asked(tmp_path)

    taken(FootageIntake(tmp_path, 1 << 20), [*sent({"manifest.json": manifest, "manifest.sig": b"s" * 64})])

    assert folder.state().stage is FootageStage.FAILED
    assert folder.state().detail == "the manifest of the package cannot be read"


def test_what_the_box_says_of_it_is_noted(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 20)

    taken(intake, [word("requested", detail="until 11:05 is recorded")])
    assert (folder.state().stage, folder.state().detail) == (FootageStage.REQUESTED, "until 11:05 is recorded")
    taken(intake, [word("sending", size_bytes=77)])
    assert (folder.state().stage, folder.state().size_bytes) == (FootageStage.SENDING, 77)
    taken(intake, [word("requested")])
    assert folder.state().stage is FootageStage.SENDING
    taken(intake, [word("failed", detail="the disk")])
    assert (folder.state().stage, folder.state().detail) == (FootageStage.FAILED, "the disk")
    taken(intake, [word("sending")])
    assert folder.state().stage is FootageStage.FAILED


def test_a_box_that_has_sent_all_where_not_all_is_here_is_told_not_waited_for(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 20)
    taken(intake, [*sent(FILES)][:-1])

    taken(intake, [word("complete")])

    assert folder.state().stage is FootageStage.FAILED
    assert "not all of it is here" in str(folder.state().detail)


def test_the_last_piece_and_the_word_that_all_was_sent_may_come_at_once(tmp_path: Path) -> None:
    """The word was heeded first: the request had failed, and all that was there was deleted."""
    folder = asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 20)

    taken(intake, [*sent(FILES), word("complete")])

    assert folder.state().stage is FootageStage.ARRIVED


def test_what_came_before_the_manifest_and_is_not_of_its_length_takes_no_piece_of_its_place(
    tmp_path: Path,
) -> None:
    """It stayed, and what belonged there was receipted and not kept."""
    folder, whole = asked(tmp_path), []
    intake = FootageIntake(tmp_path, 1 << 20, whole.append)
    stray = [piece("footage-1-00000.age", 0, b"x" * 299), piece("footage-1-00000.age", 1, b"x" * 300)]
    taken(intake, [*stray, piece("other.age", 0, b"x")])

    for message in sent(FILES):
        taken(intake, [message])
        intake = FootageIntake(tmp_path, 1 << 20, whole.append)
        intake.resume()

    assert folder.state().stage is FootageStage.ARRIVED
    FootageDesk(tmp_path / "none.key").settle(folder)
    assert {path.name: path.read_bytes() for path in folder.package.iterdir()} == FILES


def test_however_many_requests_are_open_what_is_there_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the 33rd on, all that had come of a request was read again for each of its pieces."""
    reads: list[Path] = []

    class CountedSpool(Spool):
        def __init__(self, path: Path) -> None:
            reads.append(path)
            super().__init__(path)

    monkeypatch.setattr(intake_module, "Spool", CountedSpool)
    count = 40
    for number in range(count):
        asked(tmp_path, f"q-{number}", key=public_pem())
    intake = FootageIntake(tmp_path, 1 << 20)
    for turn in zip(*(sent(FILES, f"q-{number}") for number in range(count)), strict=True):
        taken(intake, [*turn])

    assert len(reads) == count


def test_what_comes_of_a_request_that_is_closed_reads_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asked(tmp_path)
    taken(FootageIntake(tmp_path, 1 << 20), [*sent(FILES)])
    intake = FootageIntake(tmp_path, 1 << 20)
    monkeypatch.setattr(intake_module, "Spool", lambda _: pytest.fail("it is read"))

    assert all(each.problem is None and not each.asked for each in taken(intake, [*sent(FILES)]))

    assert folder.state().stage is FootageStage.ARRIVED


def test_a_package_that_is_whole_is_not_undone_by_a_word(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 20)
    taken(intake, [*sent(FILES)])

    taken(intake, [word("complete"), word("failed")])

    assert folder.state().stage is FootageStage.ARRIVED


def test_a_package_without_its_end_is_settled_by_the_next_life(tmp_path: Path) -> None:
    """The power went after it was put together, and its state was not on disk: it was waited for for ever."""
    folder = asked(tmp_path)
    folder.tell(stage=FootageStage.SENDING)
    folder.package.mkdir()
    whole: list[RequestFolder] = []
    intake = FootageIntake(tmp_path, 1 << 20, whole.append)

    intake.resume()

    assert whole == [folder]
    assert folder.state().stage is FootageStage.ARRIVED
    taken(intake, [*sent(FILES)])
    assert not folder.pieces.exists()


def completed(folder: RequestFolder) -> None:
    folder.package.mkdir()
    for name, data in FILES.items():
        (folder.package / name).write_bytes(data)
    folder.tell(stage=FootageStage.COMPLETE)


def test_whether_a_piece_is_still_here_is_looked_at_in_the_package(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    intake = FootageIntake(tmp_path, 1 << 20)
    manifest = FILES["manifest.json"]
    first = ("evidence/q-1/manifest.json/0", sha256(manifest[:PIECE_BYTES]).hexdigest())
    assert intake.holds(BOX[1], *first)
    completed(folder)

    assert intake.holds(BOX[1], *first)
    (folder.package / "manifest.json").write_bytes(b"other")
    assert not intake.holds(BOX[1], *first)
    assert intake.holds(BOX[1], "evidence/q-2/manifest.json/0", first[1])  # its folder went, or never came back
    assert not intake.holds(BOX[1], "camera/north/event", first[1])
