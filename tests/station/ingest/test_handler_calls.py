"""station.ingest.handler_calls"""

from __future__ import annotations

from collections.abc import Sequence

import paho.mqtt.client as paho
import pytest
from structlog.testing import capture_logs

from agent.errors import NgatuError
from station.ingest.handler import OutboundCommand
from station.ingest.subscriber import InboundMessage, MessageKind
from station.watch.embedded import Address
from tests.station.ingest.test_subscriber import Notes, running, subscriber
from tests.support.brokers import until
from tests.support.fake_box import FakeBox, an_event


def test_what_came_again_may_be_compared_and_is_not_receipted_when_that_fails(
    address: Address, commune: str
) -> None:
    """Promise 2."""

    class Comparing(Notes):
        def __init__(self) -> None:
            super().__init__()
            self.copies: list[InboundMessage] = []
            self.full = True

        def compare(self, copies: Sequence[InboundMessage]) -> None:
            if self.full:
                raise OSError("disk full")
            self.copies.extend(copies)

    notes = Comparing()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        (stored,) = box.tell(an_event(1))
        until(lambda: len(box.receipts) == 1)
        box.publish(stored)
        until(lambda: station.counters.failed_commits == 1)
        box.hello()
        until(lambda: len(box.receipts) == 2)  # to the hello
        notes.full = False
        box.publish(stored)
        until(lambda: len(box.receipts) == 3)

    assert [message.seq for message in notes.copies] == [1]
    assert len(notes.of(MessageKind.EVENT)) == 1


def test_what_a_handler_has_for_a_box_is_carried_to_it_and_a_failure_ends_nothing(
    address: Address, commune: str
) -> None:
    class Asking(Notes):
        left = 2

        def commands(self) -> Sequence[OutboundCommand]:
            self.left -= 1
            if self.left == 1:
                raise OSError("the database is away")
            return [OutboundCommand((commune, "north-01"), "ping", b"{}", 30.0)] if self.left == 0 else []

    heard = list[tuple[str, bytes, object]]()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda _c, _d, found: heard.append(
        (found.topic, bytes(found.payload), getattr(found.properties, "MessageExpiryInterval", None))
    )
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        until(client.is_connected)
        client.subscribe(f"ngatu/v1/{commune}/+/command/#", 1)
        with running(subscriber(address, commune, Asking())):
            until(lambda: heard)
    finally:
        client.disconnect()
        client.loop_stop()

    ((topic, body, life_s),) = heard
    assert (topic, body) == (f"ngatu/v1/{commune}/north-01/command/ping", b"{}")
    assert isinstance(life_s, int) and 0 < life_s <= 30


def test_a_trouble_of_the_handler_is_told_once_and_so_is_its_end(address: Address, commune: str) -> None:
    """Promise 5."""

    class Full(Notes):
        def commit(self, messages: Sequence[InboundMessage]) -> None:
            if self.failures:
                self.failures -= 1
                raise NgatuError("/x/station.db: the disk is full", "free some space")
            super().commit(messages)

    with (
        capture_logs() as lines,
        running(subscriber(address, commune, Full(failures=3))) as station,
        FakeBox(address, commune=commune) as box,
    ):
        (stored,) = box.tell(an_event(1))
        for times in (1, 2, 3):
            until(lambda times=times: station.counters.failed_commits == times)
            until(lambda: box.station_online[-1:] == [False])
            box.publish(stored)
        until(lambda: box.receipted() == {1})
        until(lambda: box.station_online[-1] is True)
        box.tell(an_event(2))
        until(lambda: box.receipted() == {1, 2})
        assert box.station_online == [True, False, True]

    logged = [line for line in lines if line["event"] in ("commit_failed", "commits_again")]
    assert [line["event"] for line in logged] == ["commit_failed", "commits_again"]
    assert (logged[0]["why"], logged[0]["hint"]) == ("/x/station.db: the disk is full", "free some space")


@pytest.mark.long
def test_a_disk_that_is_full_is_full_although_the_handler_can_attend_to_its_own(
    address: Address, commune: str
) -> None:
    """What succeeds meanwhile is no end of it, in the log or to boxes; nor are two reasons that take turns."""

    class Full(Notes):
        is_full = True
        attended = tries = 0

        def commit(self, messages: Sequence[InboundMessage]) -> None:
            if self.is_full:
                self.tries += 1
                why = "the disk is full" if self.tries % 2 else "no space left"
                raise NgatuError(why, "free some space")
            super().commit(messages)

        def attend(self) -> None:
            self.attended += 1

    notes = Full()
    with (
        capture_logs() as lines,
        running(subscriber(address, commune, notes)) as station,
        FakeBox(address, commune=commune) as box,
    ):
        (stored,) = box.tell(an_event(1))
        for times in (1, 2, 3):
            until(lambda times=times: station.counters.failed_commits == times)
            attended = notes.attended
            until(lambda attended=attended: notes.attended > attended)
            assert box.station_online[-1:] == [False]
            box.publish(stored)
        notes.is_full = False
        box.publish(stored)
        until(lambda: box.receipted() == {1})
        until(lambda: box.station_online[-1] is True)

    logged = [line["event"] for line in lines if line["event"] in ("commit_failed", "commits_again")]
    assert logged == ["commit_failed", "commit_failed", "commits_again"]


def test_a_handler_has_time_for_its_own_work(embedded: Address, commune: str) -> None:
    class Busy(Notes):
        attended = 0

        def attend(self) -> None:
            self.attended += 1

    notes = Busy()
    with running(subscriber(embedded, commune, notes)):
        until(lambda: notes.attended == 2)


def test_a_handler_that_cannot_say_what_it_has_room_for_is_one_that_fails(
    embedded: Address, commune: str
) -> None:
    class Broken(Notes):
        broken = True

        def refuses(self, commune: str, device: str, kind: MessageKind, size_bytes: int) -> bool:
            return False

        def admitted(self, messages: Sequence[InboundMessage]) -> Sequence[InboundMessage]:
            if self.broken:
                raise OSError("disk full")
            return messages

    notes = Broken()
    with running(subscriber(embedded, commune, notes)) as station, FakeBox(embedded, commune=commune) as box:
        (stored,) = box.tell(an_event(1))
        until(lambda: station.counters.failed_commits == 1)
        notes.broken = False
        box.publish(stored)
        until(lambda: box.receipted() == {1})
