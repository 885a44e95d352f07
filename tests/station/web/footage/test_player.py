"""station.web.footage.player"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from station.handover.dossier import Dossier, PlaceNames, dossier_of
from station.web.footage.player import MOST_EVENTS, WIDE, events_within, player_of
from tests.support.duty_store import add_box, add_event, opened
from tests.support.footage import NOON_S
from tests.support.judged_packages import COMMUNE, DEVICE, JudgedPackages

NAMES = PlaceNames("Ngã tư", "Hướng Bắc")
NOON_MS = round(NOON_S * 1000)


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[JudgedPackages]:
    made = JudgedPackages(tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "store").mkdir()
    engine = opened(tmp_path / "store")
    with engine.begin() as connection:
        add_box(connection, COMMUNE, DEVICE)
    yield engine
    engine.dispose()


def dossier(packages: JudgedPackages, **words: str) -> Dossier:
    return dossier_of(packages.here(to_s=110, **words), packages.custody, NAMES)


def test_cells_and_films_fill_the_bar_in_order(packages: JudgedPackages) -> None:
    found = player_of(dossier(packages), (), "vi", "/requests/x/y")

    assert found is not None
    cells = found["cells"]
    assert [cell["kind"] for cell in cells] == ["whole", "unrecorded", "whole", "unrecorded", "whole"]
    assert sum(cell["width"] for cell in cells) == pytest.approx(WIDE, abs=1)
    assert [film["src"] for film in found["films"]] == [f"/requests/x/y/films/{number}" for number in (1, 2, 3)]
    times = [at for film in found["films"] for at in (film["start_ms"], film["end_ms"])]
    assert times == sorted(times)
    assert found["start_ms"] <= times[0]
    assert times[-1] <= found["end_ms"]


def test_a_film_that_is_missing_is_none_and_its_time_is_marked(packages: JudgedPackages) -> None:
    found = player_of(dossier(packages, lost="footage-2.mp4"), (), "vi", "/x")

    assert found is not None
    assert [film["number"] for film in found["films"]] == [1, 3]
    assert [cell["kind"] for cell in found["cells"]] == ["whole", "unrecorded", "absent", "unrecorded", "whole"]


def test_events_of_the_camera_and_the_range_are_marks(packages: JudgedPackages, store: Engine) -> None:
    with store.begin() as connection:
        add_event(connection, 1, 1, NOON_MS + 12_000)
        add_event(connection, 1, 2, NOON_MS + 56_000, severity="alert")
        add_event(connection, 1, 3, NOON_MS + 13_000, camera="south")
        add_event(connection, 1, 4, NOON_MS + 900_000)
        add_event(connection, 1, 5, NOON_MS - 1_000)  # it goes on as the range begins
    of = dossier(packages)

    found = player_of(of, events_within(store, of), "en", "/x")

    assert found is not None
    assert [(mark["href"], mark["is_alert"]) for mark in found["marks"]] == [
        (f"/events/{DEVICE}/e-5", False), (f"/events/{DEVICE}/e-1", False), (f"/events/{DEVICE}/e-2", True),
    ]  # fmt: skip
    assert found["marks"][0]["x"] == 0
    assert all(0 <= mark["x"] <= WIDE for mark in found["marks"])
    assert datetime.fromtimestamp(found["marks"][1]["at_ms"] / 1000, UTC).second == 12


def test_no_more_events_than_a_page_can_show(packages: JudgedPackages, store: Engine) -> None:
    with store.begin() as connection:
        for number in range(MOST_EVENTS + 50):
            add_event(connection, 1, number, NOON_MS + 5_000 + number)
    of = dossier(packages)

    assert len(events_within(store, of)) == MOST_EVENTS


def test_a_package_that_nobody_signed_has_no_player(packages: JudgedPackages) -> None:
    folder = packages.here()
    (folder.package / "manifest.sig").write_bytes(b"\0" * 64)
    packages.settle(folder)

    assert player_of(dossier_of(folder, packages.custody, NAMES), (), "vi", "/x") is None
