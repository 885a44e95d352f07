"""station.province.inbound"""

from __future__ import annotations

import time

import pytest

from agent.core.types import Instant
from agent.errors import WireError
from agent.wire import codec
from agent.wire.channels import MessageKind
from station.province.inbound import STATIONS, UpMessage, read_up
from station.uplink.settings import UP_ROOT
from tests.support.provinces_up import BASE, an_alert, sent, up

NOW = Instant(time.monotonic(), time.time())


def test_an_envelope_is_read_with_its_number_and_its_items() -> None:
    message = up(7, an_alert(1))

    assert isinstance(message, UpMessage) and message.problem is None and message.envelope is not None
    assert (message.commune, message.device) == ("s01", "hai-ninh")
    assert (message.stream, message.seq) == ("u-1", 7)
    assert message.envelope.items == (an_alert(1),)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (sent(1, b""), "version 1"),
        (up(1, an_alert(1), named="yen-lap"), "yen-lap"),
        (read_up(BASE + "envelope", up(1).raw, {}, root=UP_ROOT), "no number"),
        (read_up(BASE + "envelope", up(1).raw, {"stream": "u-1", "seq": "x"}, root=UP_ROOT), "no number"),
    ],
)
def test_what_cannot_be_taken_says_why_and_keeps_its_bytes(message: UpMessage, word: str) -> None:
    assert message.envelope is None and word in (message.problem or "")


def test_what_a_station_says_of_itself_is_read_as_a_box_says_it() -> None:
    status = read_up(BASE + "status", codec.status("online", "life", NOW), {}, root=UP_ROOT)
    hello = read_up(BASE + "hello", codec.hello("life", "u-1", 1, 5, NOW), {}, root=UP_ROOT)

    assert status.kind is MessageKind.STATUS and hello.kind is MessageKind.HELLO
    assert status.problem is None and hello.problem is None


def test_below_no_commune_nothing_is_read() -> None:
    with pytest.raises(WireError):
        read_up("ngatu/v1/hai-ninh/north-01/status", b"", {}, root=UP_ROOT)


def test_a_worker_listens_to_four_topics_of_each_commune() -> None:
    assert set(STATIONS.filters) == {"status", "hello", "chain", "envelope"}
    assert STATIONS.kind_of("status") is MessageKind.STATUS
    assert STATIONS.kind_of("camera/north/event") is MessageKind.UNKNOWN
