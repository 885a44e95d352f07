"""station.web.feed"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from station.lookup.cards import EventCard
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer, ReviewStep
from station.review.states import ReviewState
from station.store.schema import event, event_feed
from station.web.feed import AT_ONCE, FAR, KEPT, EventFeed, FeedItem, FeedPlace
from tests.support.brokers import until
from tests.support.duty_store import add_box, add_event, opened
from tests.support.stores import Place

NOON_MS = 1_795_000_000_000
LAN = Reviewer("lan", "Nguyễn Thị Lan")


class Followed:
    """A store that grows, and a feed that follows."""

    def __init__(self, folder: Path) -> None:
        self.engine = opened(folder)
        with self.engine.begin() as connection:
            self.box_id = add_box(connection, "hai-ninh", "cho-01")
        self.feed = EventFeed(self.engine)
        self.count = 0

    def happen(self, count: int = 1, *, again: bool = False) -> None:
        """So many events are kept; `again`: a revision of the latest."""
        with self.engine.begin() as connection:
            for _ in range(count):
                if not again:
                    self.count += 1
                    add_event(connection, self.box_id, self.count, NOON_MS + self.count)
                row = {"box_id": self.box_id, "event_id": f"e-{self.count}", "revision": 1}
                connection.execute(insert(event_feed).values(row))

    def review(self, number: int) -> None:
        """Somebody looks at an event, or opens it again."""
        queue, key = ReviewQueue(self.engine), (self.box_id, f"e-{number}")
        seen = queue.standing(key)
        state = ReviewState.SEEN if seen.state is ReviewState.NEW else ReviewState.NEW
        queue.mark(key, state, LAN, seen=seen.change_id)

    def next_after(self, place: FeedPlace) -> tuple[list[FeedItem], FeedPlace] | None:
        """All that who stands there is sent, by hand and out of the store; None: he begins anew."""
        found: list[FeedItem] = []
        while True:
            run = self.feed.at_hand(place) or self.feed.behind(place)
            if run is None:
                return None
            found += run.items
            if run.place == place:
                return found, place
            place = run.place

    def close(self) -> None:
        self.feed.close()
        self.engine.dispose()


def numbers(items: Sequence[FeedItem]) -> list[int]:
    """Of the events among them."""
    return [int(each.said.event_id.removeprefix("e-")) for each in items if isinstance(each.said, EventCard)]


@contextmanager
def following(folder: Path) -> Iterator[Followed]:
    made = Followed(folder)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def followed(sqlite_place: Place) -> Iterator[Followed]:
    with following(sqlite_place.folder) as made:
        yield made


def test_whoever_says_his_place_gets_all_after_it_once_and_in_order(followed: Followed) -> None:
    followed.happen(3)
    followed.feed.start()
    followed.happen(AT_ONCE + 7)
    until(lambda: followed.feed.place().event == 3 + AT_ONCE + 7)

    got = followed.next_after(FeedPlace(3, 0))
    assert got is not None
    assert numbers(got[0]) == list(range(4, 11 + AT_ONCE))
    assert got[1] == followed.feed.place()
    assert followed.next_after(followed.feed.place()) == ([], followed.feed.place())


def test_what_was_kept_before_a_restart_is_read_from_the_store(followed: Followed) -> None:
    followed.happen(AT_ONCE * 2 + 5)
    followed.review(7)
    followed.feed.start()

    got = followed.next_after(FeedPlace(2, 0))

    assert got is not None
    assert numbers(got[0]) == list(range(3, AT_ONCE * 2 + 6))
    assert got[1] == followed.feed.place() == FeedPlace(AT_ONCE * 2 + 5, 1)


def test_an_event_that_changed_twice_is_given_as_it_stands(followed: Followed) -> None:
    followed.feed.start()
    followed.happen()
    followed.happen(again=True)
    until(lambda: followed.feed.place().event == 2)
    got = followed.next_after(FeedPlace(0, 0))
    assert got is not None
    assert got[0][-1].place.event == 2
    assert set(numbers(got[0])) == {1}


def test_who_is_too_far_behind_or_ahead_of_the_store_begins_anew(followed: Followed) -> None:
    with followed.engine.begin() as connection:
        row = {"box_id": followed.box_id, "event_id": "gone", "revision": 1}
        connection.execute(insert(event_feed).values(row | {"id": FAR + 50}))
    followed.feed.start()
    followed.happen(5)
    until(lambda: followed.feed.place().event == FAR + 55)

    assert followed.next_after(FeedPlace(3, 0)) is None, "rows were trimmed"
    assert followed.next_after(FeedPlace(FAR + 56, 0)) is None
    assert followed.next_after(FeedPlace(FAR + 55, 1)) is None
    got = followed.next_after(FeedPlace(FAR + 49, 0))
    assert got is not None
    assert numbers(got[0]) == [1, 2, 3, 4, 5], "what is no more is passed over"


def test_events_that_are_deleted_hold_up_nobody(followed: Followed) -> None:
    followed.feed.start()
    with followed.engine.begin() as connection:
        for _ in range(AT_ONCE + 5):
            row = {"box_id": followed.box_id, "event_id": "gone", "revision": 1}
            connection.execute(insert(event_feed).values(row))
    followed.happen()
    until(lambda: followed.feed.place().event == AT_ONCE + 6)
    assert followed.next_after(FeedPlace(0, 0)) == followed.next_after(FeedPlace(AT_ONCE, 0))


@pytest.mark.long
def test_more_than_is_at_hand_comes_from_the_store_and_none_twice(followed: Followed) -> None:
    followed.feed.start()
    followed.happen(KEPT + 300)
    until(lambda: followed.feed.place().event == KEPT + 300, 60)
    assert followed.feed.at_hand(FeedPlace(1, 0)) is None
    got = followed.next_after(FeedPlace(1, 0))
    assert got is not None
    assert numbers(got[0]) == list(range(2, KEPT + 301))


def test_a_step_of_a_review_comes_after_what_it_is_about_and_also_after_a_break(followed: Followed) -> None:
    followed.feed.start()
    followed.happen(2)
    followed.review(1)
    until(lambda: followed.feed.place() == FeedPlace(2, 1))
    got = followed.next_after(FeedPlace(2, 0))
    assert got is not None
    (item,) = got[0]
    assert isinstance(item.said, ReviewStep)
    assert (item.said.event_id, item.said.state) == ("e-1", ReviewState.SEEN)


def test_no_id_says_that_somebody_has_had_a_step_that_is_not_handed_out_yet(followed: Followed) -> None:
    """A connection may break right after any of them."""
    followed.happen(5)
    followed.feed.place()
    followed.review(1)  # the reader has not seen it yet

    run = followed.feed.behind(FeedPlace(0, 0))

    assert run is not None
    assert {each.place.step for each in run.items} == {run.place.step} == {0}
    followed.feed.turn()
    later = followed.next_after(run.items[-1].place)
    assert later is not None
    assert [type(each.said) for each in later[0]] == [ReviewStep]


def test_who_is_far_behind_gets_no_tile_that_is_older_than_a_step_he_has_had(followed: Followed) -> None:
    followed.happen(5)
    followed.feed.place()  # from here on all is at hand
    followed.happen(AT_ONCE + 50)
    while followed.feed.turn():
        pass
    followed.review(AT_ONCE + 40)
    followed.feed.turn()

    sent = followed.next_after(FeedPlace(0, 0))

    assert sent is not None
    last = [each.said for each in sent[0] if each.said.event_id == f"e-{AT_ONCE + 40}"][-1]
    assert (last.review if isinstance(last, EventCard) else str(last.state)) == "seen"
    assert numbers(sent[0]) == list(range(1, AT_ONCE + 56))


@pytest.mark.long
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(st.sampled_from(["keep", "change", "review", "turn", "ask", "restart"]), max_size=40),
    breaks=st.lists(st.integers(0, 6), min_size=8, max_size=8),
)
def test_whatever_is_kept_reviewed_and_restarted_a_console_ends_with_what_is_so(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str], breaks: list[int]
) -> None:
    """Invariants 1 and 2: each event once for each time it changed, in order, and the review that stands."""
    with following(tmp_path_factory.mktemp("feed")) as it:
        it.feed = EventFeed(it.engine, at_once=3)
        place, shown, had, reviews = it.feed.place(), dict[int, str](), list[int](), 0
        for act in [*acts, "turn", "ask"]:
            if act == "keep":
                it.happen()
            elif act == "change" and it.count:
                it.happen(again=True)
            elif act == "review" and it.count:
                it.review(1 + (reviews := reviews + 1) % it.count)
            elif act == "turn":
                while it.feed.turn():
                    pass
            elif act == "restart":
                it.feed = EventFeed(it.engine, at_once=3)
                it.feed.place()
            elif act == "ask" and (act != "ask" or not breaks or not breaks.pop()):
                got = it.next_after(place)
                assert got is not None
                place = got[1]
                for item in got[0]:
                    if isinstance(item.said, EventCard):
                        had.append(item.place.event)
                        shown[int(item.said.event_id.removeprefix("e-"))] = item.said.review
                    else:
                        shown[int(item.said.event_id.removeprefix("e-"))] = str(item.said.state)
        got = it.next_after(place)
        assert got is not None
        for item in got[0]:
            said = item.said
            shown[int(said.event_id.removeprefix("e-"))] = (
                said.review if isinstance(said, EventCard) else str(said.state)
            )
            had += [item.place.event] if isinstance(said, EventCard) else []
        assert had == sorted(set(had))
        queue = ReviewQueue(it.engine)
        real = {
            number: str(queue.standing((it.box_id, f"e-{number}")).state) for number in range(1, it.count + 1)
        }
        assert shown == real


@pytest.mark.long
def test_how_many_alerts_are_open_is_counted_once_for_all_and_soon_anew(followed: Followed) -> None:
    assert followed.feed.open_alerts() == 0
    with followed.engine.begin() as connection:
        add_event(connection, followed.box_id, 1, NOON_MS, severity="alert")
    assert followed.feed.open_alerts() == 0
    until(lambda: followed.feed.open_alerts() == 1, 60)
    with followed.engine.begin() as connection:
        connection.execute(delete(event))
    until(lambda: followed.feed.open_alerts() == 0, 60)


def test_a_place_is_read_as_it_was_written_and_nothing_else_is_one() -> None:
    assert FeedPlace.read(str(FeedPlace(12, 3))) == FeedPlace(12, 3)
    assert FeedPlace.read("12", step=7) == FeedPlace(12, 7)
    for text in ("", "-", "1-", "-1", "x", "1-2-3", "1" * 16, "١", "1-2\n", " 1"):
        assert FeedPlace.read(text) is None


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


@pytest.mark.long
def test_a_store_that_is_away_is_said_and_followed_again(followed: Followed) -> None:
    followed.feed.start()
    followed.happen()
    until(lambda: followed.feed.place().event == 1)
    with followed.engine.begin() as connection:
        connection.exec_driver_sql("alter table event_feed rename to elsewhere")
    until(lambda: followed.feed.trouble)
    with followed.engine.begin() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to event_feed")
    followed.happen()
    until(lambda: followed.feed.place().event == 2)
    until(lambda: followed.feed.trouble is None)


@pytest.mark.long
def test_who_follows_before_the_store_could_be_read_waits_and_misses_nothing(followed: Followed) -> None:
    followed.happen(2)
    with followed.engine.begin() as connection:
        connection.exec_driver_sql("alter table event_feed rename to elsewhere")
    followed.feed.start()
    run = followed.feed.at_hand(FeedPlace(1, 0))
    assert run is not None
    assert (run.items, run.place) == ((), FeedPlace(1, 0))
    with followed.engine.begin() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to event_feed")
    until(lambda: followed.feed.at_hand(FeedPlace(2, 0)) is not None and followed.feed.is_placed)
    got = followed.next_after(FeedPlace(1, 0))
    assert got is not None
    assert numbers(got[0]) == [2]
