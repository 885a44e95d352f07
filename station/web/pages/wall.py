"""The wall: events as they come, and what says that it is alive.

A screen is sent each event once it is kept, with its number; after a break it says its last number and gets the
rest. A beat every few seconds says what time it is, how many alerts are open and how each box stands: a wall
that hears none says so.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, StreamingResponse

from agent.errors import NgatuError
from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from station.boxes.finding_words import VERDICTS
from station.boxes.findings import JudgedBox
from station.boxes.pressing import Pressing, pressing
from station.boxes.state_words import box_words
from station.lookup.cards import EventCard, cards_of
from station.lookup.newest import newest_keys
from station.review.queue import ReviewQueue
from station.review.standing import ReviewStep
from station.review.states import ReviewState
from station.web.feed import EventFeed, FeedItem, FeedPlace, FeedRun
from station.web.tiles import reviewed_words
from station.web.under_way import AnswerKind, UnderWay
from station.web.visitor import Officer, Visitor, counted, for_people

router = APIRouter()
SHOWN: Final = 60
"""Tiles of a wall."""
ALERTS: Final = 12
"""Open alerts beside them."""
MOST_WRONG: Final = 6
"""Things that the strip names; it says how many there are in all."""
BEAT_S: Final = 4.0
MOST_FEEDS: Final = AnswerKind.FEED.value.of_one
WITHOUT: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Connection": "close"}
"""A proxy must not collect what is sent; and a feed that is ended takes its connection with it."""


@router.get("/")
def wall(visitor: Officer, kiosk: bool = False, only: str = "") -> HTMLResponse:
    """The newest events; what follows comes over `/feed`."""
    desk = visitor.console
    place = (
        desk.feed.place()
    )  # before the events are read: what comes meanwhile is sent once more, never left out
    cards = cards_of(desk.reads, newest_keys(desk.reads, SHOWN, _now_ms()))
    tiles = [desk.tiles.of(each, visitor.language) for each in cards]
    if only == "alerts":
        tiles = [tile for tile in tiles if tile["is_alert"]]
    alerts = _open_alerts(visitor)
    return visitor.page(
        "wall.html",
        tiles=tiles,
        alerts=alerts,
        beat=_beat(visitor),
        head=place,
        kiosk=kiosk,
        most_screens=MOST_FEEDS,
        shown=SHOWN,
        only="alerts" if only == "alerts" else "",
    )


@router.get("/feed")
async def feed(visitor: Officer, request: Request, after: str = "") -> StreamingResponse:
    """What follows a place, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    `after` is the id that a screen had last, or the number of an event; `Last-Event-ID` counts more.
    """
    now = await run_in_threadpool(visitor.console.feed.place)
    last = FeedPlace.read(request.headers.get("last-event-id", ""), now.step)
    place = last or FeedPlace.read(after, now.step) or now
    answer = counted(request, visitor.account.login, AnswerKind.FEED)
    return StreamingResponse(_sent(visitor, place, answer), media_type="text/event-stream", headers=WITHOUT)


async def _sent(visitor: Visitor, place: FeedPlace, answer: UnderWay) -> AsyncIterator[str]:
    following = visitor.console.feed
    yield "retry: 1500\n\n"
    with following.bell() as bell:
        beat_s, answer.wake = 0.0, bell.set
        while not following.closed:
            bell.clear()
            if answer.is_ended:
                yield _message("crowded", "{}")
                return
            run = await _next(following, place)
            if run is None:
                yield _message("again", "{}")
                return
            for item in run.items:
                yield _said(visitor, item)
            place = run.place
            is_whole = not run.items or place == following.head  # else a beat would say that all of it is here
            if is_whole and time.monotonic() - beat_s >= BEAT_S:
                beat_s = time.monotonic()
                beat = await run_in_threadpool(_beat_for, visitor)
                yield _message("over", "{}") if beat is None else _message("beat", json.dumps(beat))
                if beat is None:
                    return
            if not run.items:
                await _rings(bell, BEAT_S - (time.monotonic() - beat_s))


async def _next(following: EventFeed, place: FeedPlace) -> FeedRun | None:
    run = following.at_hand(place)
    if run is not None:
        return run
    try:
        return await run_in_threadpool(following.behind, place)
    except NgatuError:  # the beat says so; the screen keeps its place
        return FeedRun((), place)


def _said(visitor: Visitor, item: FeedItem) -> str:
    if isinstance(item.said, EventCard):
        return _message("tile", visitor.console.tiles.sent(item.said, visitor.language), item.place)
    changed = json.dumps(_changed(item.said, visitor), ensure_ascii=False)
    return _message("review", changed, item.place)


async def _rings(bell: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(max(0.05, within_s)):
            await bell.wait()
    except TimeoutError:
        return


def _message(kind: str, data: str, place: FeedPlace | None = None) -> str:
    line = "" if place is None else f"id: {place}\n"
    return f"{line}event: {kind}\ndata: {data}\n\n"


def _beat_for(visitor: Visitor) -> dict[str, Any] | None:
    """The beat; None: he is logged in no longer. A wall that is looked at counts as used."""
    try:
        if visitor.console.sessions.find(visitor.token) is None:
            return None
    except NgatuError as error:
        return _troubled(visitor, error)
    return _beat(visitor)


def _beat(visitor: Visitor) -> dict[str, Any]:
    """That the wall is alive, and what it stands on."""
    desk, now_ms = visitor.console, _now_ms()
    try:
        open_alerts, boxes = desk.feed.open_alerts(), desk.boxes.now().boxes
    except NgatuError as error:
        return _troubled(visitor, error)
    away, wrong = desk.intake.get("away", ""), pressing(boxes)
    return _moment(visitor, now_ms) | {
        "open": open_alerts,
        "boxes": _boxes(boxes, wrong, visitor),
        "wrong": _wrong(wrong, visitor),
        "trouble": _unkept(visitor),
        "away": translated(away, visitor.language),
    }


@router.get("/standing")
def standing(visitor: Officer) -> dict[str, Any]:
    """For pages that do not follow: what every screen must say at once, and whether one more may follow."""
    room = visitor.console.under_way.has_room(visitor.account.login, AnswerKind.FEED)
    try:
        numbers = visitor.console.pressing_numbers()
    except NgatuError:  # then the numbers stay as they were
        numbers = {}
    return {"unkept": _unkept(visitor), "room": room, **numbers}


@router.get("/open-alerts")
def open_alerts(visitor: Officer) -> dict[str, Any]:
    """The newest open alerts, for a wall whose list has gaps: some were settled, or one is open again."""
    return {"alerts": _open_alerts(visitor)}


def _unkept(visitor: Visitor) -> str:
    """That nothing new is kept at present, and why; empty: all is."""
    why = visitor.console.intake.get("failing")
    return translated(tr("Nothing new is kept at present: {why}", why=why), visitor.language) if why else ""


def _troubled(visitor: Visitor, error: NgatuError) -> dict[str, Any]:
    what, hint = for_people(error)
    said = joined(": ", filter(None, (what, hint)))
    return _moment(visitor, _now_ms()) | {"trouble": translated(said, visitor.language), "away": ""}


def _moment(visitor: Visitor, now_ms: int) -> dict[str, Any]:
    templates = visitor.console.templates
    return {"now_ms": now_ms, "clock": templates.clock(now_ms), "day": templates.day(now_ms)}


def _boxes(judged: Sequence[JudgedBox], wrong: Sequence[Pressing], visitor: Visitor) -> list[dict[str, Any]]:
    """Each with its state, as its own page says it; what needs help first, also where it is connected."""
    needing = {each.device for each in wrong}
    boxes = [_box(each, visitor) | {"needs": each.standing.device in needing} for each in judged]
    return sorted(boxes, key=lambda box: (box["speaks"], not box["needs"], box["title"].casefold()))


def _box(judged: JudgedBox, visitor: Visitor) -> dict[str, Any]:
    box = judged.standing
    return {
        "title": printable(box.title),
        "href": f"/boxes/{quote(box.device, safe='')}",
        "speaks": box.is_online and not judged.is_silent,
        "verdict": str(judged.verdict),
        "verdict_words": translated(VERDICTS[judged.verdict], visitor.language),
        "state": translated(box_words(box.state, is_silent=judged.is_silent), visitor.language),
        "heard": visitor.console.templates.moment(visitor.language, box.word_ms),
        "heard_ms": box.word_ms,
    }


def _wrong(found: Sequence[Pressing], visitor: Visitor) -> dict[str, Any]:
    """What keeps somebody from seeing, for the strip that every wall has above all else."""
    language, moment = visitor.language, visitor.console.templates.moment
    if not found:
        words = tr("No box and no camera needs help.")
    else:
        words = tr("needs help now") if len(found) == 1 else tr("need help now")
    return {
        "look": "needing ill" if found else "needing",
        "number": str(len(found)) if found else "",
        "words": translated(words, language),
        "all": [{"key": printable(each.key), "device": each.device} for each in found],
        "things": [
            {
                "key": printable(each.key),
                "href": f"/boxes/{quote(each.device, safe='')}",
                "box": printable(each.box),
                "what": printable(translated(each.what, language)),
                "since": translated(tr("since {at}", at=moment(language, each.since_ms)), language)
                if each.since_ms is not None
                else "",
            }
            for each in found[:MOST_WRONG]
        ],
    }


def _changed(step: ReviewStep, visitor: Visitor) -> dict[str, Any]:
    """What a tile says once somebody took this step."""
    templates, language, name = visitor.console.templates, visitor.language, step.by.name
    return {
        "key": f"{step.box_id}/{step.event_id}",
        "is_open": not step.state.is_final,
        "is_untaken": step.state is ReviewState.NEW,
        "by": name,
        "reviewed": ""
        if step.state is ReviewState.NEW
        else reviewed_words(templates, str(step.state), name, step.changed_ms, language),
    }


def _open_alerts(visitor: Visitor) -> list[dict[str, Any]]:
    desk = visitor.console
    keys = [
        (each.place.box_id, each.place.event_id) for each in ReviewQueue(desk.reads).open_alerts(limit=ALERTS)
    ]
    cards: list[EventCard] = cards_of(desk.reads, keys)
    return [desk.tiles.of(each, visitor.language) for each in cards]


def _now_ms() -> int:
    return round(time.time() * 1000)
