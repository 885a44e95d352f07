"""station.footage.custody"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from agent.errors import NgatuError
from agent.evidence.package.manifest import CUSTODY, MANIFEST
from station.footage.custody import FILE, CustodyBook, pem
from station.footage.folder import FootageFolder, RequestFolder
from tests.support.station_custody import footage_request
from verifier.custody_log import FIRST, HeardLink, line_sha256, read_line

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> RequestFolder:
    made = FootageFolder(tmp_path / "footage").new(footage_request("q-1"), None)
    made.package.mkdir()
    (made.package / MANIFEST).write_bytes(b"{}")
    return made


def test_each_step_is_a_line_that_follows_from_the_one_before(folder: RequestFolder, tmp_path: Path) -> None:
    book = CustodyBook(tmp_path, lambda: NOON)
    assert not book.begun(folder)
    heard = HeardLink(4, "a" * 64, NOON)
    received = book.note(folder, "received", "station", "3 files", [heard])
    handed = book.note(folder, "handed_over", "lan", "to the court")
    first, second = (folder.package / CUSTODY).read_bytes().splitlines()

    assert book.begun(folder)
    assert read_line(first, 1, FIRST, book.public()) == received
    assert read_line(second, 2, line_sha256(first), book.public()) == handed
    assert (received.heard, received.at, received.station) == ((heard,), NOON, folder.request.commune)
    assert {each.manifest_sha256 for each in (received, handed)} == {sha256(b"{}").hexdigest()}


def test_notes_that_come_at_once_all_stand(folder: RequestFolder, tmp_path: Path) -> None:
    """From the service and from whoever hands over: of eight at once one line was left."""
    book = CustodyBook(tmp_path, lambda: NOON)
    book.public()
    start = threading.Barrier(8)

    def note(number: int) -> None:
        start.wait(10)
        book.note(folder, "handed_over", "lan", f"to {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(8)))

    lines = (folder.package / CUSTODY).read_bytes().splitlines()
    previous = FIRST
    for n, line in enumerate(lines, 1):
        read_line(line, n, previous, book.public())
        previous = line_sha256(line)
    assert len(lines) == 8
    assert sorted(path.name for path in folder.package.iterdir()) == [CUSTODY, MANIFEST]


def test_a_line_that_was_shown_stands_once_what_it_tells_is_done_and_not_before(
    folder: RequestFolder, tmp_path: Path
) -> None:
    book = CustodyBook(tmp_path, lambda: NOON)
    with (
        pytest.raises(OSError, match="No space left"),
        book.adding(folder, "handed_over", "lan", "to the court") as shown,
    ):
        assert not book.begun(folder)
        raise OSError(28, "No space left on device")
    assert not book.begun(folder)

    with book.adding(folder, "handed_over", "lan", "to the court") as again:
        pass
    assert (folder.package / CUSTODY).read_bytes() == again == shown


def test_no_line_is_added_to_a_log_of_another_key(folder: RequestFolder, tmp_path: Path) -> None:
    """As after a restore without custody.key: a log of two keys holds by neither."""
    CustodyBook(tmp_path, lambda: NOON).note(folder, "received", "station", "3 files")
    before = (folder.package / CUSTODY).read_bytes()
    (tmp_path / FILE).rename(tmp_path / "safe")

    with pytest.raises(NgatuError, match="signed with another key"):
        CustodyBook(tmp_path, lambda: NOON).note(folder, "handed_over", "lan", "to the court")
    assert (folder.package / CUSTODY).read_bytes() == before

    (tmp_path / "safe").rename(tmp_path / FILE)
    CustodyBook(tmp_path, lambda: NOON).note(folder, "handed_over", "lan", "to the court")
    assert len((folder.package / CUSTODY).read_bytes().splitlines()) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_an_administrator_writes_belongs_to_the_station(folder: RequestFolder, tmp_path: Path) -> None:
    """Afterwards the station could not add to its own log."""
    os.chown(folder.package, 12345, 12346)

    CustodyBook(tmp_path).note(folder, "handed_over", "root", "to the court")

    found = (folder.package / CUSTODY).stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first, again = CustodyBook(tmp_path).public(), CustodyBook(tmp_path).public()

    assert pem(first) == pem(again)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_key_that_cannot_be_read_is_told_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no key")
    with pytest.raises(NgatuError, match="cannot be read as a private key"):
        CustodyBook(tmp_path).public()

    assert (tmp_path / FILE).read_text() == "no key"
    with pytest.raises(NgatuError, match="No such file or directory"):
        CustodyBook(tmp_path / "away").public()
