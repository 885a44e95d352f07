"""station.web.feed"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from station.store.schema import event_feed
from station.web.feed import AT_ONCE, KEPT, EventFeed, FeedItem
from tests.support.brokers import until
from tests.support.duty_store import add_box, add_event, opened
from tests.support.stores import Place

NOON_MS = 1_795_000_000_000


class Followed:
    """A store that grows, and a feed that follows."""

    def __init__(self, place: Place) -> None:
        self.engine = opened(place.folder)
        with self.engine.begin() as connection:
            self.box_id = add_box(connection, "hai-ninh", "cho-01")
        self.feed = EventFeed(self.engine)
        self._number = 0

    def happen(self, count: int = 1, *, again: bool = False) -> None:
        """So many events are kept; `again`: a revision of the latest."""
        with self.engine.begin() as connection:
            for _ in range(count):
                if not again:
                    self._number += 1
                    add_event(connection, self.box_id, self._number, NOON_MS + self._number)
                row = {"box_id": self.box_id, "event_id": f"e-{self._number}", "revision": 1}
                connection.execute(insert(event_feed).values(row))

    def all_after(self, number: int) -> list[FeedItem]:
        found: list[FeedItem] = []
        while part := self.feed.after(found[-1].id if found else number):
            found += part
        return found


@pytest.fixture
def followed(sqlite_place: Place) -> Iterator[Followed]:
    made = Followed(sqlite_place)
    yield made
    made.feed.close()
    made.engine.dispose()


def test_whoever_says_his_last_number_gets_all_after_it_once_and_in_order(followed: Followed) -> None:
    followed.happen(3)
    followed.feed.start()
    followed.happen(AT_ONCE + 7)
    until(lambda: followed.feed.head == 3 + AT_ONCE + 7)

    assert [item.card.event_id for item in followed.all_after(3)] == [f"e-{n}" for n in range(4, 11 + AT_ONCE)]
    assert [item.card.event_id for item in followed.all_after(AT_ONCE + 8)] == [
        f"e-{AT_ONCE + 9}", f"e-{AT_ONCE + 10}"
    ]  # fmt: skip
    assert followed.feed.after(followed.feed.head) == []


def test_an_event_that_changed_twice_is_given_as_it_stands(followed: Followed) -> None:
    followed.feed.start()
    followed.happen()
    followed.happen(again=True)
    until(lambda: followed.feed.head == 2)
    items = followed.all_after(0)
    assert items[-1].id == 2
    assert {item.card.event_id for item in items} == {"e-1"}


def test_who_is_too_far_behind_or_of_another_life_begins_anew(followed: Followed) -> None:
    followed.happen(2)
    followed.feed.start()
    followed.happen(KEPT + 5)
    until(lambda: followed.feed.head == KEPT + 7, 60)
    assert followed.feed.after(1) is None
    assert followed.feed.after(6) is None
    assert followed.feed.after(7) is not None
    assert followed.feed.after(KEPT + 8) is None


def test_the_bell_rings_for_what_was_kept_and_at_the_end(followed: Followed) -> None:
    followed.feed.start()

    async def heard() -> None:
        with followed.feed.bell() as bell:
            await asyncio.to_thread(followed.happen)
            await asyncio.wait_for(bell.wait(), 20)
            bell.clear()
            await asyncio.to_thread(followed.feed.close)
            await asyncio.wait_for(bell.wait(), 20)

    asyncio.run(heard())
    assert followed.feed.closed


def test_a_store_that_is_away_is_said_and_followed_again(followed: Followed) -> None:
    followed.feed.start()
    followed.happen()
    until(lambda: followed.feed.head == 1)
    with followed.engine.begin() as connection:
        connection.exec_driver_sql("alter table event_feed rename to elsewhere")
    until(lambda: followed.feed.trouble)
    with followed.engine.begin() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to event_feed")
    followed.happen()
    until(lambda: followed.feed.head == 2)
    assert followed.feed.trouble is None
