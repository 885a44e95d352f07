"""station.uplink.requests.opened"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from agent.errors import NgatuError
from station.config import StationConfig
from station.uplink.requests.opened import open_desk
from station.uplink.requests.order import RequestKind
from station.uplink.settings import RequestSettings, UplinkSettings
from tests.support.province_keys import key_pair
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


@pytest.mark.parametrize(("allowed", "does"), [((), False), (("picture",), False), (("footage",), True)])
def test_boxes_are_asked_for_footage_only_where_the_file_says_so(
    store: Place, allowed: tuple[str, ...], does: bool
) -> None:
    asked = RequestSettings(key=key_pair(store.folder)[1], allowed=allowed)
    station = StationConfig(commune=COMMUNE, state_dir=store.folder)
    desk = open_desk(
        UplinkSettings(shard="s01", requests=asked),
        COMMUNE,
        store.folder,
        store.engine,
        store.engine,
        station=station,
    )

    assert desk is not None
    assert (RequestKind.FOOTAGE in desk.kinds) is does
    desk.close()
