"""agent.mqtt.client"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import BrokerRefused
from agent.mqtt.client import MAX_PACKET_BYTES, RECEIVE_MAXIMUM, ClientState, connect_options, new_client
from agent.mqtt.settings import BrokerSettings
from agent.settings.base import Secret
from agent.transport.client import Will
from agent.wire.codec import MAX_JSON_BYTES

WILL = Will("t/will", b"gone")


def test_a_box_asks_the_broker_to_keep_its_session_and_to_send_it_little() -> None:
    options = connect_options(BrokerSettings(keepalive_s=30), "5")

    assert (options["keepalive"], options["clean_start"]) == (30, False)
    assert options["properties"].ReceiveMaximum == RECEIVE_MAXIMUM
    assert options["properties"].MaximumPacketSize == MAX_PACKET_BYTES > MAX_JSON_BYTES
    assert connect_options(BrokerSettings(keepalive_s=30), "3.1.1") == {"keepalive": 30}


def test_what_paho_only_logs_is_not_lost() -> None:
    state, mistake = ClientState(), ValueError("a hook of ours")
    client = new_client(BrokerSettings(), "box", WILL, "5", state)

    client.logger.log(10, "only talk: %s", mistake)
    assert state.error is None
    client.logger.log(40, "Caught exception in on_message: %s", mistake)
    assert state.error is mistake


def test_a_password_that_cannot_be_read_is_told_without_a_connection(tmp_path: Path) -> None:
    settings = BrokerSettings(username="box", password=Secret(file=tmp_path / "none"))

    with pytest.raises(BrokerRefused, match="cannot be read"):
        new_client(settings, "box", WILL, "5", ClientState())
