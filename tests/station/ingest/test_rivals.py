"""station.ingest.rivals"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from agent.core.types import Instant
from agent.errors import NgatuError, WireError
from agent.transport.client import connect
from agent.wire import codec
from station.ingest.rivals import Lives, Lookout, named, status_of
from station.ingest.settings import SubscriberSettings
from station.watch.embedded import Address
from tests.support.brokers import until
from tests.support.fake_box import FakeBox


def lookout(address: Address, *communes: str) -> Lookout:
    settings = SubscriberSettings(host=address.host, port=address.port, communes=communes)

    def dial(client_id: str, hear: Any) -> Any:
        return connect(settings, client_id, on_message=hear)

    return Lookout(settings, settings.lookout_id, dial)


def say(box: FakeBox, state: Any, session: str) -> None:
    status = codec.station_status(state, "desk", session, Instant(0.0, time.time()))
    box.beyond(f"ngatu/v1/{box.commune}/station/status", status)


def test_a_lookout_finds_who_is_online_and_hears_him_go(address: Address, commune: str) -> None:
    with FakeBox(address, commune=commune) as box:
        say(box, "online", "s-1")
        looks = lookout(address, commune)
        assert f"station desk, session s-1, is online for {commune}, since " in str(looks.rival(set()))
        assert looks.rival({"s-1"}) is None
        say(box, "offline", "s-1")

        def gone() -> bool:
            looks.turn(0.05)
            return looks.rival(set()) is None

        until(gone)
        looks.close()


def test_where_nobody_ever_spoke_there_is_nobody(address: Address, commune: str) -> None:
    began_s = time.monotonic()
    looks = lookout(address, commune)

    assert looks.rival(set()) is None
    assert time.monotonic() - began_s < 5
    looks.close()


def test_without_communes_it_looks_at_all_of_them(address: Address, commune: str) -> None:
    with FakeBox(address, commune=commune) as box:
        say(box, "online", "s-1")
        looks = lookout(address)
        assert looks.rival(set()) is not None
        looks.close()
        say(box, "offline", "s-1")


def test_lives_are_there_after_a_restart_and_only_the_latest_hundred(tmp_path: Path) -> None:
    path = tmp_path / "lives"
    assert Lives(path).earlier() == ()

    for number in range(103):
        Lives(path).begin(f"life-{number}")

    assert Lives(path).earlier() == tuple(f"life-{number}" for number in range(3, 103))
    assert [each.name for each in tmp_path.iterdir()] == ["lives"]


def test_lives_that_cannot_be_kept_are_told_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "lives").mkdir()

    with pytest.raises(NgatuError, match=r"lives: Is a directory"):
        Lives(tmp_path / "lives").earlier()
    with pytest.raises(NgatuError, match=r"lives: No such file"):
        Lives(tmp_path / "gone/lives").begin("life-1")


def test_a_status_that_was_cleared_says_offline_and_one_of_another_program_may_have_no_name() -> None:
    assert status_of(b"").state == "offline"
    said = named(status_of(b'{"state": "online"}'), "hai-ninh")
    assert said == "station without a name, session unknown, is online for hai-ninh"
    with pytest.raises(WireError):
        status_of(b"online")
