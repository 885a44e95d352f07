"""station.uplink.requests.opened"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from agent.errors import NgatuError
from station.uplink.requests.opened import open_desk
from station.uplink.settings import RequestSettings, UplinkSettings
from tests.support.stores import Place
from tests.support.told_events import COMMUNE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Place]:
    place = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
    with closing(place.open()):
        yield place


def test_nobody_is_heard_unless_the_configuration_names_a_key(store: Place) -> None:
    settings = UplinkSettings(shard="s01")

    assert open_desk(settings, COMMUNE, store.folder, store.engine, store.engine) is None
    assert not (store.folder / "uplink").exists()


def test_a_key_alone_allows_nothing() -> None:
    assert RequestSettings(key=Path("province.pub")).allowed == ()


def test_a_key_that_cannot_be_read_is_one_clear_error(store: Place) -> None:
    (store.folder / "province.pub").write_text("no key")
    for name in ("province.pub", "nowhere.pub"):
        settings = UplinkSettings(shard="s01", requests=RequestSettings(key=store.folder / name))
        with pytest.raises(NgatuError, match=name):
            open_desk(settings, COMMUNE, store.folder, store.engine, store.engine)
