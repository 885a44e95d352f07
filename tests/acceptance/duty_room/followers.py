"""Consoles that follow a station's feed over HTTP, in a process of their own: `… .followers PORT COOKIE…`.

One for each cookie. Each follows `/feed` as a browser does (server-sent events): after a loss it waits as it
was told, says the id that it had last, and goes on. A line of the input asks for all notes, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from station.web.feed import FeedPlace
from tests.acceptance.duty_room.screen_stage import WAIT_S
from tests.support.brokers import until

LONG = "places", "pictured", "lags_ms"
SILENT_S = 30.0
"""A connection over which nothing comes for so long is given up: beats come every few seconds."""


@dataclass
class FollowerNotes:
    """What one console has seen."""

    keys: list[str] = field(default_factory=list)
    """Events, in the order in which each came first."""
    places: list[int] = field(default_factory=list)
    """Of each of them the number in the feed."""
    tiles: int = 0
    pictured: list[str] = field(default_factory=list)
    """Events that came with a picture, at once or later."""
    reviews: dict[str, str] = field(default_factory=dict)
    """What was said last of an event that somebody had looked at."""
    twice: int = 0
    """Tiles whose number had come before."""
    disordered: int = 0
    """Tiles whose number was below one that had come before."""
    anew: int = 0
    """How often it was told to read the page anew, for it was too far behind."""
    place: int = 0
    """The number in the feed that it had last."""
    lags_ms: list[int] = field(default_factory=list)
    """From when an event happened to when its tile came, of each tenth that is not late."""
    connects: int = 0
    beats: int = 0
    troubles: list[tuple[float, str]] = field(default_factory=list)
    """When what a beat says of troubles changed, in seconds since 1970, and to what."""
    heard_s: float = 0.0
    """When the last word came, in seconds since 1970."""
    silent_s: float = 0.0
    """The longest time without a word."""
    over: bool = False
    """It was told that nobody is logged in."""


class Follower:
    """One console."""

    def __init__(self, port: int, cookie: str) -> None:
        self.notes = FollowerNotes()
        self._port, self._cookie = port, cookie
        self._place: FeedPlace | None = None
        self._last_id, self._retry_s = "", 1.5
        self._seen: set[str] = set()
        self._pictured: set[str] = set()

    async def follow(self) -> None:
        """For ever, or until it is told that it is logged in no more."""
        self.notes.heard_s = time.time()
        while not self.notes.over:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                async for kind, number, data in self._words():
                    self._hear(kind, number, data)
            await asyncio.sleep(self._retry_s)

    async def _words(self) -> AsyncIterator[tuple[str, str, str]]:
        """What comes over one connection: kind, id and data of each event."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
        try:
            last = f"Last-Event-ID: {self._last_id}\r\n" if self._last_id else ""
            head = f"GET /feed HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/event-stream\r\n"
            writer.write(f"{head}Cookie: ngatu={self._cookie}\r\n{last}\r\n".encode())
            status = (await asyncio.wait_for(reader.readline(), SILENT_S)).split()
            while (await reader.readline()).strip():
                pass
            if status[1:2] == [b"401"]:
                self.notes.over = True
            if status[1:2] != [b"200"]:
                return
            self.notes.connects += 1
            text = ""
            while size := int((await asyncio.wait_for(reader.readline(), SILENT_S)).strip() or b"0", 16):
                text += (await reader.readexactly(size)).decode()
                await reader.readexactly(2)
                while "\n\n" in text:
                    block, _, text = text.partition("\n\n")
                    yield self._event(block)
        finally:
            writer.close()

    def _event(self, block: str) -> tuple[str, str, str]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "retry" in fields:
            self._retry_s = int(fields["retry"]) / 1000
        return fields.get("event", ""), fields.get("id", ""), fields.get("data", "{}")

    def _hear(self, kind: str, number: str, data: str) -> None:
        notes, now_s = self.notes, time.time()
        notes.silent_s = max(notes.silent_s, now_s - notes.heard_s)
        notes.heard_s = now_s
        self._last_id = number or self._last_id
        place = FeedPlace.read(number) if number else None
        if kind == "tile" and place is not None:
            self._tile(place, json.loads(data))
        elif kind == "review":
            changed = json.loads(data)
            notes.reviews[changed["key"]] = changed["reviewed"]
        elif kind == "beat":
            self._beat(json.loads(data), now_s)
        elif kind == "again":
            notes.anew += 1
            self._last_id = ""
        elif kind == "over":
            notes.over = True
        self._place = place or self._place

    def _tile(self, place: FeedPlace, tile: dict[str, Any]) -> None:
        notes, key = self.notes, tile["key"]
        notes.tiles += 1
        notes.place = place.event
        if notes.tiles % 10 == 0 and not tile["is_late"]:
            notes.lags_ms.append(round(time.time() * 1000) - tile["at_ms"])
        if self._place is not None:
            notes.twice += place.event == self._place.event
            notes.disordered += place.event < self._place.event
        if key not in self._seen:
            self._seen.add(key)
            notes.keys.append(key)
            notes.places.append(place.event)
        if tile["picture"] and key not in self._pictured:
            self._pictured.add(key)
            notes.pictured.append(key)
        notes.reviews[key] = tile["reviewed"]

    def _beat(self, beat: dict[str, Any], now_s: float) -> None:
        notes = self.notes
        notes.beats += 1
        said = beat.get("trouble", "")
        if said != (notes.troubles[-1][1] if notes.troubles else ""):
            notes.troubles.append((now_s, said))


async def _all(port: int, cookies: Sequence[str]) -> None:
    followers = [Follower(port, cookie) for cookie in cookies]
    tasks = [asyncio.create_task(each.follow()) for each in followers]
    asks = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asks), sys.stdin)
    while line := await asks.readline():
        stated = [asdict(each.notes) for each in followers]
        if line.strip() == b"brief":
            stated = [{**each, "keys": len(each["keys"]), **{name: [] for name in LONG}} for each in stated]
        print(json.dumps(stated), flush=True)
    for task in tasks:
        task.cancel()


class Followers:
    """The process, for who plays a trial."""

    def __init__(self, port: int, cookies: Sequence[str]) -> None:
        words = [sys.executable, "-m", "tests.acceptance.duty_room.followers", str(port), *cookies]
        self.count = len(cookies)
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def notes(self) -> list[FollowerNotes]:
        """What each has by now."""
        return [FollowerNotes(**each) for each in self._ask("all")]

    def numbers(self) -> list[int]:
        """Of how many events each has heard by now."""
        return [each["keys"] for each in self._ask("brief")]

    def until_all_follow(self) -> None:
        """Wait until each has heard a beat."""
        until(lambda: all(each["beats"] for each in self.brief()), WAIT_S, "all consoles follow")

    def brief(self) -> list[dict[str, Any]]:
        """The notes without the events themselves: of these the number is in `keys`."""
        return self._ask("brief")

    def _ask(self, what: str) -> list[dict[str, Any]]:
        assert self._process.stdin and self._process.stdout
        with self._lock:
            self._process.stdin.write(f"{what}\n")
            self._process.stdin.flush()
            return list(json.loads(self._process.stdout.readline()))


if __name__ == "__main__":
    asyncio.run(_all(int(sys.argv[1]), sys.argv[2:]))
