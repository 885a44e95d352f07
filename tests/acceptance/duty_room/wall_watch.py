"""Who looks at a wall in a browser again and again and holds it against the store: what it shows must be so.

A wall may be as old as its beat, and for as long as it takes it to notice that none comes; then it says so.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from agent.health_findings import HEALTH_LATE_S
from agent.language import translated
from station.boxes.findings import BoxVerdict
from station.boxes.state_words import BOX_STATES, box_words
from station.review.states import ReviewState
from station.store.schema import LATE_MS
from station.web.pages.wall import ALERTS, BEAT_S
from station.web.render import Templates
from station.web.tiles import reviewed_words
from tests.acceptance.faults.stage import Receiver

TEMPLATES = Templates(ZoneInfo("Asia/Ho_Chi_Minh"))
NOTICES_S = 12.0
"""So long a wall waits for a beat before it says that it hears nothing."""
OLD_S = BEAT_S + NOTICES_S + 3.0
"""What a wall shows may be as old, where it does not say that it hears nothing; 3 s are the machine's."""
FRESH_S = 60.0
SHOWN = 60
DENSE_S = 3.0
"""How the boxes stood is known only as far as somebody looked so often."""
A_LOOK = 1
"""So many alerts at most are settled, or opened again, between two looks: what stood between is not seen."""
BEGAN = "coalesce(start_ms + clock_offset_ms, start_ms)"
"""In SQL: when an event began, by all that is known."""

SPEAKS = translated(BOX_STATES["online"], "vi")
"""The word of a box that is connected and not silent."""

_LOOK = r"""
() => {
  const tiles = (place) => [...document.querySelectorAll(`${place} .tile`)].map((each) => ({
    key: each.dataset.key,
    at_ms: Number(each.dataset.at),
    is_open: each.classList.contains("is-alert"),
    is_late: each.classList.contains("is-late"),
    late: each.querySelector(".late").hidden ? "" : each.querySelector(".late").textContent,
    reviewed: each.querySelector(".reviewed").textContent,
    has_picture: Boolean(each.querySelector("img")),
  }));
  const pulse = document.getElementById("pulse");
  return {
    tiles: tiles("#tiles"), alerts: tiles("#alerts"), open: Number(document.getElementById("open").textContent),
    is_good: pulse.classList.contains("good"), pulse: pulse.textContent,
    boxes: [...document.querySelectorAll("#boxes li")].map((each) => ({
      device: each.querySelector("a").getAttribute("href").split("/").pop(),
      mark: each.className, state: each.querySelector(".state").textContent,
    })),
    fresh: (window.freshTiles ?? []).splice(0),
  };
}
"""
NOTE_FRESH = r"""
window.freshTiles = [];
document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("tiles");
  if (!list) return;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const each of addedNodes) {
      if (!each.classList || !each.classList.contains("is-fresh")) continue;
      freshTiles.push({ key: each.dataset.key, old_ms: Date.now() - Number(each.dataset.at) });
    }
  }).observe(list, { childList: true });
});
"""


@dataclass(frozen=True, slots=True)
class StoreAt:
    """The store at one moment."""

    at_s: float
    late: dict[str, bool]
    """Of each event whether it is no news."""
    review: dict[str, str]
    """The words of its review; what nobody has looked at is left out."""
    is_settled: dict[str, bool]
    """Of each event that somebody has looked at."""
    alerts: frozenset[str]
    pictured: frozenset[str]
    open: int
    boxes: dict[str, tuple[str | None, int]]
    """State, and when the station heard of it or of how the box is, whichever came later."""

    @classmethod
    def of(cls, station: Receiver, at_s: float) -> StoreAt:
        """As it is now."""
        events = station.rows(
            f"select box_id || '/' || event_id, first_received_ms - {BEGAN} > {LATE_MS} or replayed, "
            "severity = 'alert', settled_ms is null, blob.sha256 is not null "
            "from event left join blob on blob.sha256 = thumbnail_sha256"
        )
        reviews = [
            (key, ReviewState(state), name, at_ms)
            for key, state, name, at_ms in station.rows(
                "select box_id || '/' || event_id, state, name, changed_ms from review"
            )
        ]
        boxes = station.rows(
            "select device, state, max(coalesce(state_ms, 0), coalesce(health_ms, 0)) from box"
        )
        return cls(
            at_s=at_s,
            late={key: bool(late) for key, late, *_ in events},
            review={
                key: reviewed_words(TEMPLATES, str(state), name, at_ms, "vi")
                for key, state, name, at_ms in reviews
                if state is not ReviewState.NEW  # what is open again shows nothing, as before
            },
            is_settled={key: state.is_final for key, state, *_ in reviews},
            alerts=frozenset(key for key, _, is_alert, *_ in events if is_alert),
            pictured=frozenset(key for key, _, _, _, is_here in events if is_here),
            open=sum(is_alert and is_unsettled for _, _, is_alert, is_unsettled, _ in events),
            boxes={device: (state, heard_ms) for device, state, heard_ms in boxes},
        )

    def shows(self, key: str) -> tuple[str, bool]:
        """What a tile says of an event: of its review, and whether it is open."""
        is_open = key in self.alerts and not self.is_settled.get(key, False)
        return self.review.get(key, ""), is_open


@dataclass
class WallWatch:
    """One wall, and what was wrong with it."""

    page: Page
    station: Receiver
    looks: int = 0
    silent: int = 0
    """Looks at which the wall said that it hears nothing."""
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    _past: deque[StoreAt] = field(default_factory=deque)
    _down_s: float | None = None
    _disturbed_s: float = 0.0
    _lacking_s: float | None = None
    """Since when the wall shows fewer open alerts than it has room for and there are."""

    def look(self) -> None:
        """Hold what it shows now against the store of now and of the time for which it may be old."""
        before_s = time.time()
        try:
            shown = self.page.evaluate(_LOOK)
        except BrowserError:  # it is just being loaded
            return
        store = StoreAt.of(self.station, time.time())
        self._past.append(store)
        while self._past and self._past[0].at_s < before_s - OLD_S - 5:
            self._past.popleft()
        self.looks += 1
        self.silent += not shown["is_good"]
        for what, example in self._wrong(shown, store, before_s):
            self.faults[what] += 1
            self.examples.setdefault(what, example)

    def is_disturbed(self) -> None:
        """Something is done to box, link or broker: how a box stands may change and back between two looks."""
        self._disturbed_s = time.time()

    def is_down(self, *, yes: bool) -> None:
        """The station is not there, or is again."""
        self._down_s = (self._down_s or time.time()) if yes else None

    def _wrong(self, shown: dict[str, Any], store: StoreAt, now_s: float) -> Iterator[tuple[str, str]]:
        past = [each for each in self._past if each.at_s >= now_s - OLD_S]
        # Nobody looked while a part was killed: what stood then is not known, and a wall may still show it.
        is_known = len(past) > 1 and past[0].at_s < now_s - OLD_S + 3
        if self._down_s and now_s - self._down_s > NOTICES_S + BEAT_S and shown["is_good"]:
            yield "it says that it receives while the station is away", shown["pulse"]
        for tile in (*shown["tiles"], *shown["alerts"]):
            yield from self._tile(tile, store, past, judges=shown["is_good"] and is_known)
        for name in ("tiles", "alerts"):
            keys = [tile["key"] for tile in shown[name]]
            if len(keys) != len(set(keys)):
                yield "a tile stands twice", str(Counter(keys).most_common(1))
            moments = [tile["at_ms"] for tile in shown[name]]
            if moments != sorted(moments, reverse=True):
                yield "an older tile stands before a newer one", name
        for fresh in shown["fresh"]:
            if store.late.get(fresh["key"]):
                yield "what came late looks new", fresh["key"]
            if fresh["old_ms"] > (FRESH_S + 5) * 1000:
                yield "what happened long ago looks new", f"{fresh['old_ms'] / 1000:.0f} s"
        apart_s = (after.at_s - before.at_s for before, after in pairwise(past))
        if shown["is_good"] and is_known and max(apart_s) < DENSE_S:
            yield from self._standing(shown, past, now_s)

    def _tile(
        self, tile: dict[str, Any], store: StoreAt, past: Sequence[StoreAt], *, judges: bool
    ) -> Iterator[tuple[str, str]]:
        key = tile["key"]
        if key not in store.late:
            yield "a tile is no event of the store", key
            return
        if tile["is_late"] != bool(tile["late"]):
            yield "a tile says two things of being late", key
        known = [each for each in (*past, store) if key in each.late]
        if tile["is_late"] not in {each.late[key] for each in known}:
            yield f"a tile {'is late and does not say so' if store.late[key] else 'says late and is not'}", key
        if not judges:
            return
        shows = (tile["reviewed"], tile["is_open"])
        stood = {each.shows(key) for each in known}
        if key not in past[0].late:
            stood.add(("", key in store.alerts))  # it was kept since, and nobody had looked at it at first
        if shows not in stood:
            yield "a tile shows another review than the store", f"{key}: {shows}, not {store.shows(key)}"
        if all(key in each.pictured for each in past) and not tile["has_picture"]:
            yield "a tile lacks its picture", key

    def _standing(
        self, shown: dict[str, Any], past: Sequence[StoreAt], now_s: float
    ) -> Iterator[tuple[str, str]]:
        least, most = min(each.open for each in past), max(each.open for each in past)
        if not least - A_LOOK <= shown["open"] <= most + A_LOOK:
            yield "another number of open alerts than in the store", f"{shown['open']}, not {least} to {most}"
        if len(shown["alerts"]) >= min(ALERTS, least):
            self._lacking_s = None  # where one is settled the wall asks for the next
        else:
            self._lacking_s = self._lacking_s or now_s
        if self._lacking_s and now_s - self._lacking_s > OLD_S:
            yield "open alerts are left out", f"{len(shown['alerts'])} of {least} to {most}"
        for box in shown["boxes"] if now_s - self._disturbed_s > OLD_S else ():
            device = box["device"]
            stood = {_stands(*each.boxes[device], each.at_s) for each in past if device in each.boxes}
            if box["state"] not in stood:
                yield "a box stands otherwise than in the store", f"{box}, not {stood}"
            if box["state"] != SPEAKS and box["mark"] != BoxVerdict.BROKEN:
                yield "a box that does not speak is not marked as needing help", str(box)

    def ends_with(self, keys: Sequence[str]) -> list[str]:
        """What is wrong once all is quiet: these must be its tiles."""
        shown = [tile["key"] for tile in self.page.evaluate(_LOOK)["tiles"]]
        lacking = len(set(keys) - set(shown))
        return [f"{lacking} of the newest {len(keys)} events are not on the wall"] if lacking else []

    def __str__(self) -> str:
        said = f"{self.looks} looks at the wall, {self.silent} while it said that it hears nothing"
        if not self.faults:
            return f"{said}: all was so"
        wrong = (f"{count} x {what} ({self.examples[what]})" for what, count in self.faults.items())
        return f"{said}: {'; '.join(wrong)}"


def _stands(state: str | None, heard_ms: int, at_s: float) -> str:
    """As a wall says it."""
    is_silent = state == "online" and at_s - heard_ms / 1000 > HEALTH_LATE_S
    return translated(box_words(state, is_silent=is_silent), "vi")
