"""station.web.footage.package_view"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from station.handover.dossier import PlaceNames, dossier_of
from station.handover.report import HandOver
from station.handover.shelf import shelve
from station.web.footage.package_view import package_of, shelf_of
from station.web.visitor import Visitor
from tests.support.duty_screen import DutyScreen
from tests.support.duty_store import add_box, opened
from tests.support.judged_packages import COMMUNE, DEVICE, JudgedPackages

NAMES = PlaceNames("Ngã tư", "Hướng Bắc")
AT = datetime(2026, 11, 27, 14, 3, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[JudgedPackages]:
    made = JudgedPackages(tmp_path)
    engine = opened(made.state_dir)
    with engine.begin() as connection:
        add_box(connection, COMMUNE, DEVICE)
    engine.dispose()
    yield made
    made.close()


@pytest.fixture
def visitor(packages: JudgedPackages) -> Iterator[Visitor]:
    screen = DutyScreen(packages.state_dir, COMMUNE)
    account = screen.console.accounts.find("lan")
    assert account is not None
    yield Visitor(screen.console, account, "token", "csrf", "vi", "127.0.0.1", "/")
    screen.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("harm", "looks"),
    [("", "good"), ("footage-2.mp4", "notice"), ("manifest.sig", "problem")],
)
def test_the_look_of_a_verdict_is_that_of_its_worth(
    packages: JudgedPackages, visitor: Visitor, harm: str, looks: str
) -> None:
    folder = packages.here()
    if harm:
        (folder.package / harm).unlink()
        packages.settle(folder)

    shown = package_of(visitor, dossier_of(folder, packages.custody, NAMES))

    assert shown["looks"] == looks
    assert (shown["player"] is None) == (harm == "manifest.sig")
    assert bool(shown["findings"]) == bool(harm)


@pytest.mark.long
def test_moments_are_told_as_people_say_them(packages: JudgedPackages, visitor: Visitor) -> None:
    shown = package_of(visitor, dossier_of(packages.here(lost="footage-2.mp4"), packages.custody, NAMES))

    ((file, when, what),) = shown["findings"]
    assert (file, what) == ("footage-2.mp4", "không có")
    assert re.fullmatch(r"\d\d:\d\d:\d\d – \d\d:\d\d:\d\d, \d\d/\d\d/\d{4}", when)
    assert not any(re.search(r"\d{4}-\d\d-\d\dT", note) for note in shown["notes"])


@pytest.mark.long
def test_what_can_be_fetched_is_told_with_its_hash(packages: JudgedPackages, visitor: Visitor) -> None:
    folder = packages.here()
    assert shelf_of(folder) is None
    made = shelve(folder, packages.custody, NAMES, HandOver(AT, "Trần Thị B", "vi", "Toà án"))

    shown = shelf_of(folder)

    assert shown is not None
    assert shown["name"] == made.file.name
    assert shown["sha256"].replace(" ", "") == made.sha256
