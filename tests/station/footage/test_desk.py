"""station.footage.desk"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.evidence.encryption import new_identity
from agent.wire.pieces import cut
from station.footage import desk
from station.footage.arrival.listing import MANIFEST, SIGNATURE
from station.footage.arrival.spool import Spool, SpooledPiece
from station.footage.custody import CustodyBook
from station.footage.desk import UNJUDGED, FootageDesk
from station.footage.folder import FootageStage, RequestFolder
from tests.support.brokers import until
from tests.support.clip_bench import BOX_KEY, ClipBench, wanted
from tests.support.footage import NOON_S
from verifier.custody_log import HeardLink
from verifier.findings import PackageVerdict
from verifier.judge import judge


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ClipBench]:
    with ClipBench(tmp_path).at_work() as box:
        box.bench.record(20)
        box.clock.go_on(30)
        box.bench.record(20, run="run-2")
        box.clock.go_on(10)
        yield box


def arrived(box: ClipBench, request_id: str = "q-1") -> RequestFolder:
    request = wanted(request_id, 3, 68)
    folder = box.expect(request)
    box.worker.ask(request)
    assert box.until_whole(folder).stage is FootageStage.ARRIVED
    return folder


def key_file(folder: Path, identity: str) -> Path:
    path = folder / "footage.key"
    path.write_text(f"# made for a test\n{identity}\n")
    path.chmod(0o600)
    return path


def test_a_package_is_decrypted_judged_and_can_be_played(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)

    FootageDesk(key_file(tmp_path, box.bench.identity)).settle(folder)

    state = folder.state()
    assert (state.stage, state.verdict, state.detail) == (FootageStage.COMPLETE, "authentic", None)
    files = sorted(path.name for path in folder.package.iterdir())
    assert files == ["footage-1.mp4", "footage-2.mp4", "manifest.json", "manifest.sig"]
    plain = box.bench.plain("north", *(box.bench.clock.wall_s - each for each in (1000, 0)))
    second = (folder.package / "footage-2.mp4").read_bytes()
    assert second.startswith(b"init of run-2")
    assert second.endswith(plain[-2])  # the last one begins after the end of what was asked for
    assert (folder.path / "verdict.txt").read_text().startswith("authentic")
    assert not folder.pieces.exists()


def test_its_way_is_signed_by_the_station_and_the_verifier_reads_it(box: ClipBench, tmp_path: Path) -> None:
    folder, book = arrived(box), CustodyBook(tmp_path)
    head = box.bench.ring.index.head("north")
    heard = HeardLink(*head, datetime.fromtimestamp(NOON_S, UTC))

    FootageDesk(key_file(tmp_path, box.bench.identity), book, lambda _: [heard]).settle(folder)

    judgement = judge(folder.package, BOX_KEY.public_key(), book.public(), at_station=True)
    assert (judgement.verdict, judgement.findings) == (PackageVerdict.AUTHENTIC, ())
    steps = [(entry.act, entry.by, entry.detail) for entry in judgement.custody]
    assert steps[1:] == [
        ("opened", "station", "decrypted: footage-1.mp4, footage-2.mp4"),
        ("verified", "station", "authentic"),
    ]
    assert judgement.custody[0].heard == (heard,)
    assert "the footage was recorded before that" in judgement.notes[0]


def test_a_chain_that_the_station_heard_otherwise_is_not_authentic(box: ClipBench, tmp_path: Path) -> None:
    folder, book = arrived(box), CustodyBook(tmp_path)
    number, _ = box.bench.ring.index.head("north")
    heard = HeardLink(number, "0" * 64, datetime.fromtimestamp(NOON_S, UTC))

    FootageDesk(key_file(tmp_path, box.bench.identity), book, lambda _: [heard]).settle(folder)

    assert folder.state().verdict == "not authentic"
    assert "is not the one that the station heard of" in str(folder.state().detail)


def test_a_station_that_cannot_sign_takes_the_footage_all_the_same(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)
    (tmp_path / "custody.key").write_text("no key")

    with capture_logs() as logs:
        FootageDesk(key_file(tmp_path, box.bench.identity), CustodyBook(tmp_path)).settle(folder)

    assert folder.state().verdict == "authentic"
    assert {line["event"] for line in logs} >= {"custody_not_signed", "footage_complete"}


def test_without_its_key_it_stays_encrypted_and_is_judged_all_the_same(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)

    FootageDesk(tmp_path / "none.key").settle(folder)

    state = folder.state()
    assert (state.stage, state.verdict) == (FootageStage.COMPLETE, "authentic")
    assert "ngatu station footage-key" in str(state.detail)
    assert list(folder.package.glob("*.age"))

    FootageDesk(key_file(tmp_path, box.bench.identity)).settle(folder)

    assert folder.state().detail is None
    assert list(folder.package.glob("*.mp4"))


def test_footage_for_another_station_is_told(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)

    FootageDesk(key_file(tmp_path, new_identity()[0])).settle(folder)

    assert folder.state().verdict == "authentic"
    assert "could not be decrypted" in str(folder.state().detail)
    assert not list(folder.package.glob("*.mp4"))


def test_what_was_altered_on_its_way_is_kept_and_named(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)
    altered = Spool(folder.pieces)
    name = "footage-1-00002.age"
    body = b"".join(altered.read(name))
    others = {
        other: b"".join(altered.read(other))
        for other in [MANIFEST, SIGNATURE, *(f"footage-{run}-{n:05d}.age" for run in (1, 2) for n in range(20))]
    }
    altered.remove()
    others[name] = body[:-1] + bytes([body[-1] ^ 1])
    Spool(folder.pieces).add(
        SpooledPiece(other, number, piece)
        for other, whole in others.items()
        for number, piece in enumerate(cut(whole))
    )

    FootageDesk(key_file(tmp_path, box.bench.identity)).settle(folder)

    state = folder.state()
    assert state.verdict == "not authentic"
    assert "footage-1-00002.age" in str(state.detail)
    assert (folder.package / "footage-1-00002.age").exists()


def test_where_the_box_had_told_no_key_it_is_not_judged(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)
    folder.key.unlink()

    FootageDesk(key_file(tmp_path, box.bench.identity)).settle(folder)

    state = folder.state()
    assert (state.stage, state.verdict) == (FootageStage.COMPLETE, UNJUDGED)
    assert list(folder.package.glob("*.mp4"))


@pytest.mark.parametrize("place", ["judge", "_runs"])
def test_a_package_that_meets_a_mistake_of_ours_ends_unjudged_and_is_kept(
    box: ClipBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """It stayed "arrived" for ever, and whoever had asked waited for ever; the mistake is planted."""

    def mistake(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(desk, place, mistake)
    folder = arrived(box)
    worker = FootageDesk(key_file(tmp_path, box.bench.identity))
    with capture_logs() as logs:
        worker.start()
        worker.put(folder)
        until(lambda: folder.state().stage is FootageStage.COMPLETE, 10, "it ends")
        worker.close()

    assert folder.state().verdict == UNJUDGED
    assert str(folder.state().detail).startswith("not judged: a fault of ngatu")
    assert (folder.package / "footage-1-00001.age").exists()
    assert "footage_failed" in [each["event"] for each in logs]
    assert next(each for each in logs if each["event"] == "footage_failed")["exc_info"]


def test_a_disk_that_fails_while_it_is_judged_is_asked_again(
    box: ClipBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, desk_ = arrived(box), FootageDesk(key_file(tmp_path, box.bench.identity))

    def fails(*_: object, **_more: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(desk, "judge", fails)
        with pytest.raises(OSError, match="Input/output error"):
            desk_.settle(folder)
    assert folder.state().stage is FootageStage.ARRIVED

    desk_.settle(folder)
    assert folder.state().verdict == "authentic"


def test_what_a_death_left_half_is_made_anew(box: ClipBench, tmp_path: Path) -> None:
    folder = arrived(box)
    half = folder.path / "package.new"
    half.mkdir()
    (half / "manifest.json").write_bytes(b"half")

    FootageDesk(key_file(tmp_path, box.bench.identity)).settle(folder)

    assert folder.state().verdict == "authentic"
    assert not half.exists()


class PowerCut(BaseException):
    """Nothing runs after it."""


@pytest.mark.parametrize("after", range(0, 46, 9))
def test_a_power_cut_while_what_is_not_needed_goes_changes_no_verdict(
    box: ClipBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Half of the encrypted parts had gone, and the package was judged anew, as if they were missing."""
    folder, left, desk_ = arrived(box), after, FootageDesk(key_file(tmp_path, box.bench.identity))
    unlink = Path.unlink

    def cut(path: Path, missing_ok: bool = False) -> None:
        nonlocal left
        if path.is_relative_to(folder.path):
            if not left:
                raise PowerCut
            left -= 1
        unlink(path, missing_ok)

    with monkeypatch.context() as cutting:
        cutting.setattr(Path, "unlink", cut)
        with suppress(PowerCut):
            desk_.settle(folder)
    box.whole.clear()
    box.begin_station()
    for each in box.whole:
        desk_.settle(each)

    state = folder.state()
    assert (state.stage, state.verdict, state.detail) == (FootageStage.COMPLETE, "authentic", None)
    assert not list(folder.package.glob("*.age"))
    assert not folder.pieces.exists()


def test_a_disk_that_fails_is_asked_again_and_told_once(
    box: ClipBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the new folder is to be stands for the disk: root may write everywhere."""
    monkeypatch.setattr(desk, "AGAIN_S", 0.1)
    folder = arrived(box)
    (folder.path / "package.new").write_bytes(b"in the way")
    worker = FootageDesk(key_file(tmp_path, box.bench.identity))
    with capture_logs() as logs:
        worker.start()
        worker.put(folder)
        until(lambda: bool(logs), 10, "it is told")
        (folder.path / "package.new").unlink()
        until(lambda: folder.state().stage is FootageStage.COMPLETE, 10, "it is put together")
        worker.close()
    assert [each["event"] for each in logs] == ["footage_waits", "footage_complete"]
