"""Stations of a whole province in one program: `… .uplink_crowd SPEC FOLDER`. Each has a real store and uplink.

What boxes would tell is committed to the stores at a steady rate. From there on everything is the station's
own: uplink, outbox, forwarder, an MQTT session each. Only the boxes and the stations' brokers are left out.

SPEC is a file of JSON: `communes` (name -> what UplinkSettings takes), `events_s`, `counts_s`, `starts_s`
(uplinks that begin in a second), `seed`. It reads orders from its input, a line each, and answers each with a
line of JSON:

    load      begin to commit
    enough    end it; with `fill` so many counts more for each, so that nothing waits for others of its kind
    figures   how the sessions went
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import URL

from agent.wire.payloads import rfc3339
from station.ingest.inbound import InboundMessage, read
from station.store.database import engine_of
from station.uplink.settings import UplinkSettings
from station.uplink.uplink import BULK_ITEMS, Uplink
from tests.support.provinces_up import v7
from tests.support.stores import Place
from tests.support.street_events import street_events

FEEDERS: Final = 4
"""Threads that commit: one would wait for the disk most of the time."""
TICK_S: Final = 0.25
AT_ONCE: Final = 10
"""Counts in one commit, as a station has them of ten lines whose minute is over."""
MAX_BYTES: Final = 8 << 20
LOOK_S: Final = 0.25
SWITCH_S: Final = 0.1
"""So long a thread has Python before it is asked to let go. Whoever waits for it asks that often: at the usual
5 ms hundreds of threads would take more from the machine by asking than by all their work."""
BOX: Final = "box-01"


class CrowdStation:
    """One commune's station, as far as the province sees it."""

    def __init__(self, folder: Path, commune: str, uplink: dict[str, Any], stream: str) -> None:
        folder.mkdir()
        place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
        self.commune, self.stream, self.seq = commune, stream, 0
        self.store = place.open()
        settings = UplinkSettings(max_bytes=MAX_BYTES, **uplink)
        self.uplink = Uplink(settings, commune, folder, engine_of(place.url, writes=False))
        self.began_s = 0.0
        self.contact_s: float | None = None
        """From its beginning to the province's first word."""
        self.longest_away_s = 0.0
        self._away_since_s: float | None = None

    def start(self) -> None:
        """Begin."""
        self.began_s = time.monotonic()
        self.uplink.start()

    def look(self) -> None:
        """Note whether its session stands."""
        stands, now_s = self.uplink.figures.connected_s is not None, time.monotonic()
        if stands and self.contact_s is None:
            self.contact_s = now_s - self.began_s
        if self.contact_s is None:
            return
        if stands:
            self._away_since_s = None
            return
        self._away_since_s = self._away_since_s or now_s
        self.longest_away_s = max(self.longest_away_s, now_s - self._away_since_s)

    def numbered(self, document: dict[str, Any], suffix: str) -> InboundMessage:
        """A message of its box, under the next number."""
        self.seq += 1
        head = {"seq": self.seq, "stream": self.stream, "commune": self.commune, "device": BOX}
        raw = json.dumps(document | head, separators=(",", ":"), ensure_ascii=False).encode()
        message = read(f"ngatu/v1/{self.commune}/{BOX}/camera/north/{suffix}", raw, {})
        assert message.problem is None, message.problem
        return message


class Boxes:
    """What the boxes of many communes would say, at a steady rate, in a thread of its own."""

    def __init__(self, stations: Sequence[CrowdStation], events_s: float, counts_s: float, seed: int) -> None:
        self.events = self.counts = 0
        """Messages that were committed."""
        self._stations, self._events_s, self._counts_s = stations, events_s, counts_s
        self._chance = Random(seed)
        known = street_events(60, round(time.time() * 1000), alerts=True, seed=seed, boxes=1)
        documents = [json.loads(message.raw) for message in known]
        self._pairs = list(zip(documents[::2], documents[1::2], strict=True))
        self._next = 0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="boxes", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self, fill: int) -> None:
        """Commit no more, but for so many counts of each commune in one."""
        self._enough.set()
        self._thread.join()
        for station in self._stations if fill else ():
            self._commit_counts(station, fill)

    def _feed(self) -> None:
        """What a busy machine kept from being committed in time is committed then."""
        began_s = time.monotonic()
        while not self._enough.wait(TICK_S):
            gone_s = time.monotonic() - began_s
            while self.events < 2 * self._events_s * gone_s:
                self._commit_event(self._chance.choice(self._stations))
            while self.counts < self._counts_s * gone_s:
                self._next = (self._next + 1) % len(self._stations)
                self._commit_counts(self._stations[self._next], AT_ONCE)

    def _commit_event(self, station: CrowdStation) -> None:
        """An alert that is over: its start and its end."""
        now = datetime.now(UTC)
        event_id = v7(round(now.timestamp() * 1000), self._chance.getrandbits(62))
        begun = {"id": event_id, "camera": "north", "published_at": rfc3339(now), "start_time": rfc3339(now)}
        messages = [
            station.numbered(each | begun | {"time": rfc3339(now)}, "event")
            for each in self._chance.choice(self._pairs)
        ]
        station.store.commit(messages)
        self.events += len(messages)

    def _commit_counts(self, station: CrowdStation, number: int) -> None:
        """Of a clock that nobody vouches for: no sum of an hour says them, so each goes up as it came."""
        now = datetime.now(UTC)
        document = {
            "schema": "1.0", "camera": "north", "rule": "line", "published_at": rfc3339(now), "replayed": False,
            "clock": {"state": "unknown", "boot_id": "b-1", "mono_ms": 1}, "duration_s": 60.0,
            "start_time": rfc3339(now - timedelta(minutes=1)), "end_time": rfc3339(now),
        }  # fmt: skip
        messages = []
        for _ in range(number):
            seen = {kind: {"in": self._chance.randrange(40)} for kind in ("motorcycle", "car")}
            messages.append(station.numbered(document | {"counts": seen}, "count/line"))
        station.store.commit(messages)
        self.counts += number


def main(spec: dict[str, Any], folder: Path) -> None:
    """Start the uplinks, then do as is told."""
    sys.setswitchinterval(SWITCH_S)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chance = Random(spec["seed"])
    stations = [
        CrowdStation(folder / commune, commune, uplink, str(UUID(int=chance.getrandbits(128))))
        for commune, uplink in spec["communes"].items()
    ]
    threading.Thread(target=_look, args=(stations,), daemon=True).start()
    for station in stations:
        station.start()
        time.sleep(1.0 / spec["starts_s"])
    while any(station.contact_s is None for station in stations):
        time.sleep(LOOK_S)
    _say(contacts_s=sorted(station.contact_s or 0.0 for station in stations))
    boxes = [
        Boxes(stations[at::FEEDERS], spec["events_s"] / FEEDERS, spec["counts_s"] / FEEDERS, spec["seed"] + at)
        for at in range(FEEDERS)
    ]
    for line in sys.stdin:
        order, *more = line.split()
        if order == "load":
            for each in boxes:
                each.start()
        elif order == "enough":
            for each in boxes:
                each.end(int(more[0]) if more else 0)
        _say(
            events=sum(each.events for each in boxes),
            counts=sum(each.counts for each in boxes),
            away_s=sorted(station.longest_away_s for station in stations),
            reconnects=sum(station.uplink.figures.reconnects for station in stations),
            resent=sum(station.uplink.figures.resent for station in stations),
            sent=sum(station.uplink.figures.sent for station in stations),
            processor_s=time.process_time(),
        )


FILL: Final = BULK_ITEMS
"""So many counts at once wait for no others."""


def _look(stations: Sequence[CrowdStation]) -> None:
    while True:
        for station in stations:
            station.look()
        time.sleep(LOOK_S)


def _say(**said: Any) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
