"""The duty room's screen in this process, with a store, packages of footage and three people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.duty_screen import DutyScreen
from tests.support.duty_store import add_box, add_event, opened
from tests.support.footage import NOON_S
from tests.support.judged_packages import COMMUNE, DEVICE, JudgedPackages
from tests.support.people import CHEAP


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the box, two events of the range that packages have, and the people: passwords take time."""
    state_dir = tmp_path_factory.mktemp("prepared")
    engine = opened(state_dir)
    with engine.begin() as connection:
        box_id = add_box(connection, COMMUNE, DEVICE)
        add_event(connection, box_id, 1, round((NOON_S + 12) * 1000), kind="line_crossed", direction="in")
        add_event(connection, box_id, 2, round((NOON_S + 25) * 1000), severity="alert", kind="wrong_way")
    engine.dispose()
    DutyScreen(state_dir, COMMUNE, cost=CHEAP).close()
    return state_dir


@pytest.fixture
def packages(tmp_path: Path, prepared: Path) -> Iterator[JudgedPackages]:
    """Nothing is asked for yet."""
    made = JudgedPackages(tmp_path)
    for file in prepared.iterdir():
        shutil.copy2(file, made.state_dir)
    yield made
    made.close()


@pytest.fixture
def screen(packages: JudgedPackages) -> Iterator[DutyScreen]:
    """Served on a port of its own."""
    made = DutyScreen(packages.state_dir, COMMUNE, cost=CHEAP)
    with made.served():
        yield made
    made.close()
