"""station.ingest.handler"""

from __future__ import annotations

from collections.abc import Sequence

from station.ingest.handler import Attends, Compares, Handler, LimitsBoxes, RaisesAlarms, RemembersSeqs
from station.ingest.inbound import InboundMessage
from station.watch.watch import Watch
from tests.support.stores import Place

MORE = (RemembersSeqs, Compares, Attends, LimitsBoxes, RaisesAlarms)


class Plain:
    """The least that a handler may be."""

    def commit(self, messages: Sequence[InboundMessage]) -> None:
        """It has nowhere to put them."""


def test_a_handler_need_do_no_more_than_commit() -> None:
    handler: Handler = Plain()

    assert [each for each in MORE if isinstance(handler, each)] == []


def test_a_store_does_all_that_a_handler_may_do(sqlite_place: Place) -> None:
    handler: Handler = sqlite_place.open()

    assert [each for each in MORE if not isinstance(handler, each)] == []


def test_who_only_watches_shows_alarms_and_does_no_more() -> None:
    handler: Handler = Watch(None)

    assert [each for each in MORE if isinstance(handler, each)] == [RaisesAlarms]


def test_what_a_handler_remembers_is_asked_by_box_and_stream(sqlite_place: Place) -> None:
    """As the subscriber asks, by position; of a box that nobody has seen there is nothing."""
    handler: RemembersSeqs = sqlite_place.open()

    assert list(handler.committed("hai-ninh", "north-01", "s-1")) == []
