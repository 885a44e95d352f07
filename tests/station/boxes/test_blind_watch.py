"""station.boxes.blind_watch"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from sqlalchemy import select

from station.boxes.blind_watch import BlindWatch
from station.store.database import engine_of
from station.store.schema import alarm
from tests.support.brokers import until
from tests.support.stores import Place
from tests.support.told_boxes import ToldBox

START_S = 1_795_860_000.0
START_MS = round(START_S * 1000)


@dataclass
class Night:
    """A store with one box, and what looks after it."""

    place: Place
    now_s: float = START_S
    box: ToldBox = field(default_factory=lambda: ToldBox("hn-01", START_S))

    def __post_init__(self) -> None:
        self.store = self.place.open(now=lambda: self.now_s)
        self.store.commit([self.box.status("online"), self.box.info(), self.box.health()])
        self.watch = BlindWatch(
            engine_of(self.place.url, writes=False), self.box.commune, now=lambda: self.now_s
        )

    def look_at(self, after_s: float, **health: object) -> None:
        """What the watch finds so many seconds after the start; with `health` the box says how it is then."""
        self.now_s = START_S + after_s
        if health:
            box = ToldBox("hn-01", self.now_s)
            self.store.commit([box.health(**{k: v for k, v in health.items() if k != "well"})])
        self.watch.look()
        self.watch.tell(self.store)

    def alarms(self) -> list[tuple[str, float, float | None]]:
        """Kind, beginning and end in seconds after the start."""
        with self.place.engine.connect() as connection:
            rows = connection.execute(select(alarm).order_by(alarm.c.id)).all()
        return [
            (
                row.kind,
                (row.opened_ms - START_MS) / 1000,
                None if row.closed_ms is None else (row.closed_ms - START_MS) / 1000,
            )
            for row in rows
        ]

    def close(self) -> None:
        """Let go of the store."""
        self.watch.close()
        self.store.close()


def test_a_silence_is_remembered_from_the_last_word_to_the_next_one(place: Place) -> None:
    with closing(Night(place)) as night:
        night.look_at(200)
        assert night.alarms() == []
        night.look_at(400)
        night.look_at(500)
        assert night.alarms() == [("box_silent", 0.0, None)]
        night.look_at(3600, well=True)
        assert night.alarms() == [("box_silent", 0.0, 3600.0)]


def test_a_box_that_is_lost_is_silent_no_more(place: Place) -> None:
    with closing(Night(place)) as night:
        night.look_at(400)
        night.store.commit([night.box.status("offline")])
        night.look_at(600)

        assert night.alarms() == [("box_silent", 0.0, 600.0)]


def test_that_a_detector_failed_and_a_box_was_too_hot_is_remembered_until_it_says_otherwise(
    place: Place,
) -> None:
    with closing(Night(place)) as night:
        night.look_at(60, degraded=["detector_failed:north", "overheated"])
        night.look_at(120, degraded=["overheated"])
        night.look_at(180, well=True)

        assert night.alarms() == [("detector_failed", 60.0, 120.0), ("overheated", 60.0, 180.0)]


def test_what_an_earlier_life_of_the_station_opened_is_ended_by_the_next(place: Place) -> None:
    with closing(Night(place)) as night:
        night.look_at(400)
        night.watch.close()
        night.watch = BlindWatch(
            engine_of(place.url, writes=False), night.box.commune, 0.01, now=lambda: night.now_s
        )
        night.now_s = START_S + 900
        night.store.commit([ToldBox("hn-01", night.now_s).health()])
        night.watch.start()

        def is_over() -> bool:
            night.watch.tell(night.store)
            return night.alarms() == [("box_silent", 0.0, 900.0)]

        until(is_over, 20)
