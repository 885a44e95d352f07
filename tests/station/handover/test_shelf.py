"""station.handover.shelf"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest

from agent.errors import NgatuError
from station.handover.dossier import PlaceNames
from station.handover.report import HandOver
from station.handover.shelf import KEPT, TO_PROVINCE, clear, shelve, shelved
from tests.support.judged_packages import JudgedPackages

AT = datetime(2026, 11, 27, 14, 3, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
NAMES = PlaceNames("Ngã tư", "Hướng Bắc")


def what(to: str) -> HandOver:
    return HandOver(AT, "Trần Thị B", "vi", to)


def test_the_newest_hand_over_alone_waits_to_be_fetched(packages: JudgedPackages) -> None:
    folder = packages.here()
    assert shelved(folder) is None

    first = shelve(folder, packages.custody, NAMES, what("Toà án"))
    assert shelved(folder) is not None
    second = shelve(folder, packages.custody, NAMES, what("Viện kiểm sát"))

    found = shelved(folder)
    assert found is not None
    assert found.sha256 == second.sha256 == sha256(found.file.read_bytes()).hexdigest() != first.sha256
    assert len(list(found.file.parent.iterdir())) == 2


def test_a_hand_over_that_fails_leaves_the_one_of_before(packages: JudgedPackages) -> None:
    folder = packages.here()
    before = shelve(folder, packages.custody, NAMES, what("Toà án"))
    (folder.package / "footage-1.mp4").unlink()

    with pytest.raises(NgatuError):
        shelve(folder, packages.custody, NAMES, what("Viện kiểm sát"))

    found = shelved(folder)
    assert found is not None
    assert found.sha256 == before.sha256


def test_what_nobody_fetched_goes_after_a_week(packages: JudgedPackages) -> None:
    folder = packages.here()
    made = shelve(folder, packages.custody, NAMES, what("Toà án"))
    now = datetime.now(UTC)

    assert clear(packages.folders, now) == 0
    long_ago = (now - KEPT - timedelta(minutes=1)).timestamp()
    (made.file.parent / ".half.zip.new").write_bytes(b"of a hand-over that the power ended")
    for each in made.file.parent.iterdir():
        os.utime(each, (long_ago, long_ago))
    assert clear(packages.folders, now) == 1
    assert not made.file.parent.exists()
    assert (folder.package / "footage-1.mp4").exists()


def test_what_goes_to_the_province_lies_by_itself_and_goes_after_a_week_too(packages: JudgedPackages) -> None:
    folder = packages.here()
    up = shelve(folder, packages.custody, NAMES, what("tỉnh"), TO_PROVINCE)
    handed = shelve(folder, packages.custody, NAMES, what("Toà án"))

    found = shelved(folder, TO_PROVINCE)
    assert found is not None and found.sha256 == up.sha256 != handed.sha256
    assert sha256(up.file.read_bytes()).hexdigest() == up.sha256 and up.file.parent != handed.file.parent
    assert clear(packages.folders, datetime.now(UTC) + KEPT + timedelta(minutes=1)) == 2
    assert shelved(folder, TO_PROVINCE) is None
