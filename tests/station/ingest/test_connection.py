"""station.ingest.connection"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.errors import BrokerRefused
from agent.settings.base import Secret
from station.ingest.subscriber import InboundMessage, MessageKind, Subscriber, SubscriberSettings
from tests.station.ingest.test_subscriber import Notes, at, running, subscriber
from tests.support.brokers import Mosquitto, until
from tests.support.cable import Cable
from tests.support.fake_box import FakeBox, an_event


@pytest.mark.broker
def test_what_comes_while_the_station_is_away_arrives_when_it_is_back(
    mosquitto: Mosquitto, commune: str
) -> None:
    """Promise 4: the broker keeps the session."""
    before, after = Notes(), Notes()
    with FakeBox(at(mosquitto), commune=commune) as box:
        with running(subscriber(at(mosquitto), commune, before)):
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
        box.tell(an_event(2))
        with running(subscriber(at(mosquitto), commune, after)):
            until(lambda: box.receipted() == {1, 2})

    assert [message.event_id for message in after.of(MessageKind.EVENT)] == ["e-2"]


@pytest.mark.broker
def test_a_broker_that_is_killed_and_comes_back_is_found_again(mosquitto: Mosquitto, commune: str) -> None:
    """Promise 4."""
    notes = Notes()
    with running(subscriber(at(mosquitto), commune, notes)) as station:
        mosquitto.kill()
        until(lambda: not station.connected and station.trouble)
        mosquitto.start()
        until(lambda: station.connected, within_s=20)
        with FakeBox(at(mosquitto), commune=commune) as box:
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
        assert station.counters.connects == 2


@pytest.mark.broker
def test_a_station_that_leaves_just_when_its_connection_is_lost_leaves_all_the_same(
    mosquitto: Mosquitto, commune: str
) -> None:
    """Its goodbye cannot be sent any more, and that is no error: the broker tells the will."""
    cable = Cable("127.0.0.1", mosquitto.port)

    class Unlucky(Notes):
        def commit(self, messages: Sequence[InboundMessage]) -> None:
            cable.cut()
            station.stop()

    station = subscriber(at(mosquitto), commune, Unlucky(), port=cable.port)
    with FakeBox(at(mosquitto), commune=commune) as box, ThreadPoolExecutor(1) as thread:
        served = thread.submit(station.run)
        until(lambda: box.station_online == [True])
        box.tell(an_event(1))
        assert served.exception(10) is None
        assert not station.connected
        assert station.trouble is None, "it never looked for the broker again"
        until(lambda: box.station_online == [True, False])


@pytest.mark.broker
def test_wrong_credentials_at_the_start_are_told_and_not_tried_for_ever(
    start_mosquitto: Callable[..., Mosquitto], commune: str, tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("")
    broker = start_mosquitto("allow_anonymous false", f"password_file {users}")
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    settings = SubscriberSettings(
        port=broker.port, communes=(commune,), username="nobody", password=Secret(file=secret), receipts=True
    )

    with pytest.raises(BrokerRefused, match=r"does not (accept user name or password|let this client in)"):
        Subscriber(settings, Notes()).run(5)
