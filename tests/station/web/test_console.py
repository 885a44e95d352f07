"""station.web.console"""

from __future__ import annotations

from pathlib import Path

import pytest

from station.config import StationConfig
from station.store.database import StoreError, engine_of, upgrade, url_of
from station.web.console import DutyConsole
from tests.support.screens import screen


def test_a_store_of_another_version_is_not_served(tmp_path: Path) -> None:
    config = StationConfig.model_validate({"commune": "hai-ninh", "state_dir": str(tmp_path), "web": {}})
    engine = engine_of(url_of(config.database, config.state_dir))
    upgrade(engine, "0009")
    engine.dispose()
    with pytest.raises(StoreError, match="version 0009"):
        DutyConsole.opened(config)


def test_it_never_makes_a_store_of_its_own(tmp_path: Path) -> None:
    config = StationConfig.model_validate({"commune": "hai-ninh", "state_dir": str(tmp_path), "web": {}})
    with pytest.raises(StoreError):
        DutyConsole.opened(config)
    assert not list(tmp_path.iterdir())


def test_what_the_station_says_of_the_intake_stands_on_every_page(tmp_path: Path) -> None:
    with screen(tmp_path) as console:
        visitor = console.visitor()
        assert "đầy" not in visitor.get("/own").text
        console.console.hear({"failing": "the disk is full"})
        assert 'role="alert"' in visitor.get("/own").text
