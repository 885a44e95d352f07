"""agent.mqtt.live"""

from __future__ import annotations

from agent.core.types import Instant
from agent.mqtt.live import LEAST_BYTES, MOST_BYTES, OLDEST_S, Fate, LivePicture, LivePictures


class Maker:
    """Makes pictures, and hears what became of each."""

    def __init__(self) -> None:
        self.fates: list[tuple[str, Fate]] = []

    def of(self, name: str, at_s: float, look: str = "look-1") -> LivePicture:
        return LivePicture(
            look,
            f"look/{look}/1",
            name.encode(),
            Instant(at_s, 0.0),
            (),
            lambda fate: self.fates.append((name, fate)),
        )


def now(at_s: float) -> Instant:
    return Instant(at_s, 0.0)


def test_only_the_newest_picture_of_a_look_waits() -> None:
    live, maker, woken = LivePictures(), Maker(), []
    live.watch(lambda: woken.append(1))
    for number in range(4):
        live.put(maker.of(f"p{number}", number / 2))
    picture = live.next(now(1.6))

    assert picture is not None
    assert picture.data == b"p3"
    assert live.next(now(1.6)) is None
    assert maker.fates == [("p0", Fate.DROPPED), ("p1", Fate.DROPPED), ("p2", Fate.DROPPED)]
    assert len(woken) == 4


def test_one_is_on_the_way_at_a_time_and_the_broker_s_word_ends_it() -> None:
    live, maker = LivePictures(), Maker()
    first, second = maker.of("p1", 0.0), maker.of("p2", 0.5)
    live.put(first)
    assert live.next(now(0.1)) is first
    live.sent(first, 7)
    live.put(second)

    assert live.next(now(0.6)) is None
    assert not live.answered(8, Fate.SENT), "of another message"
    assert live.answered(7, Fate.SENT)
    assert live.next(now(0.7)) is second
    assert maker.fates == [("p1", Fate.SENT)]


def test_a_picture_that_waited_too_long_goes_nowhere() -> None:
    live, maker = LivePictures(), Maker()
    live.put(maker.of("old", 0.0))

    assert live.next(now(OLDEST_S + 0.01)) is None
    assert maker.fates == [("old", Fate.DROPPED)]


def test_the_broker_is_given_the_time_that_is_left_and_never_none_at_all() -> None:
    picture = Maker().of("p1", 10.0)

    assert [picture.expiry_s(now(10.0 + age_s)) for age_s in (0.0, 0.9, 1.1, 2.9, OLDEST_S)] == [5, 4, 3, 2, 2]
    assert picture.expiry_s(now(99.0)) == 1, "zero would be no bound"


def test_what_waits_of_a_look_that_is_over_goes_nowhere_and_others_go_on() -> None:
    live, maker = LivePictures(), Maker()
    live.put(maker.of("p1", 0.0))
    live.put(maker.of("p2", 0.0, "look-2"))
    live.withdraw("look-1")
    live.withdraw("look-1")
    picture = live.next(now(0.1))

    assert picture is not None and picture.look == "look-2"
    assert live.next(now(0.1)) is None
    assert maker.fates == [("p1", Fate.DROPPED)]


def test_looks_at_several_cameras_have_their_turns() -> None:
    live, maker = LivePictures(), Maker()
    order = []
    for turn in range(6):
        for look in ("north", "south"):
            live.put(maker.of(f"{look}{turn}", float(turn), look))
        picture = live.next(now(turn))
        assert picture is not None
        order.append(picture.look)

    assert order == ["north", "south"] * 3


def test_what_waits_and_what_is_on_the_way_goes_with_the_connection() -> None:
    live, maker = LivePictures(), Maker()
    first = maker.of("p1", 0.0)
    live.put(first)
    live.next(now(0.0))
    live.sent(first, 1)
    live.put(maker.of("p2", 0.5))
    live.disconnected()

    assert sorted(maker.fates) == [("p1", Fate.DROPPED), ("p2", Fate.DROPPED)]
    assert not live.answered(1, Fate.SENT)
    assert live.next(now(0.6)) is None


def test_a_picture_is_as_large_as_the_link_carries_in_half_a_second_within_bounds() -> None:
    live = LivePictures()
    for bound_bytes, picture_bytes in ((8_000, LEAST_BYTES), (64_000, 16_000), (1 << 25, MOST_BYTES)):
        live.carries(bound_bytes)
        assert live.budget_bytes == picture_bytes
