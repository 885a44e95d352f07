"""The wall: events as they come, and what says that it is alive.

A screen is sent each event once it is kept, with its number; after a break it says its last number and gets the
rest. A beat every few seconds says what time it is, how many alerts are open and how each box stands: a wall
that hears none says so.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, StreamingResponse

from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr
from station.access.sessions import LiveSession
from station.lookup.cards import EventCard, cards_of
from station.lookup.newest import BoxBeat, box_beats, newest_keys
from station.review.queue import ReviewQueue
from station.review.standing import ReviewStep
from station.review.states import STATE_WORDS, ReviewState
from station.web.visitor import Officer, Visitor

router = APIRouter()
SHOWN: Final = 60
"""Tiles of a wall."""
ALERTS: Final = 12
"""Open alerts beside them."""
BEAT_S: Final = 4.0
WITHOUT: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""A proxy must not collect what is sent."""
SILENT_MS: Final = 180_000
"""A box says how it is every minute: who said nothing for so long is not heard."""
BOX_STATES: Final = {"online": tr("online"), "offline": tr("not connected"), "stopped": tr("switched off")}
SILENT: Final = tr("not heard")


@router.get("/")
def wall(visitor: Officer, kiosk: bool = False, only: str = "") -> HTMLResponse:
    """The newest events; what follows comes over `/feed`."""
    desk = visitor.console
    head = desk.feed.head  # before the events are read: what comes meanwhile is sent once more, never left out
    cards = cards_of(desk.reads, newest_keys(desk.reads, SHOWN, _now_ms()))
    tiles = [desk.tiles.of(each, visitor.language) for each in cards]
    alerts = _open_alerts(visitor)
    return visitor.page(
        "wall.html",
        tiles=tiles,
        alerts=alerts,
        beat=_beat(visitor),
        head=head,
        kiosk=kiosk,
        shown=SHOWN,
        only="alerts" if only == "alerts" else "",
    )


@router.get("/feed")
async def feed(visitor: Officer, request: Request, after: int = 0) -> StreamingResponse:
    """Events after a number, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    last = request.headers.get("last-event-id", "")
    at = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else after
    return StreamingResponse(_sent(visitor, at), media_type="text/event-stream", headers=WITHOUT)


async def _sent(visitor: Visitor, at: int) -> AsyncIterator[str]:
    desk = visitor.console
    yield "retry: 1500\n\n"
    with desk.feed.bell() as bell:
        beat_s, queue = 0.0, ReviewQueue(desk.reads)
        step = await run_in_threadpool(queue.newest_change)
        while not desk.feed.closed:
            bell.clear()
            items = desk.feed.after(at)
            if items is None:
                yield _message("again", {}, desk.feed.head)
                return
            for item in items:
                yield _message("tile", desk.tiles.of(item.card, visitor.language), item.id)
                at = item.id
            for change in await run_in_threadpool(queue.changes_after, step):
                yield _message("review", _changed(change, visitor.language))
                step = change.id
            if time.monotonic() - beat_s >= BEAT_S:
                beat_s = time.monotonic()
                if await run_in_threadpool(_session, visitor) is None:
                    yield _message("over", {})
                    return
                yield _message("beat", await run_in_threadpool(_beat, visitor))
            if not items:
                await _rings(bell, BEAT_S - (time.monotonic() - beat_s))


async def _rings(bell: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(max(0.05, within_s)):
            await bell.wait()
    except TimeoutError:
        return


def _message(kind: str, data: object, number: int | None = None) -> str:
    place = "" if number is None else f"id: {number}\n"
    return f"{place}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _session(visitor: Visitor) -> LiveSession | None:
    """Who follows is still logged in, and a wall that is looked at counts as used."""
    return visitor.console.sessions.find(visitor.token)


def _beat(visitor: Visitor) -> dict[str, Any]:
    """That the wall is alive, and what it stands on."""
    desk, now_ms = visitor.console, _now_ms()
    try:
        boxes = box_beats(desk.reads)
        open_count = sum(each.number for each in ReviewQueue(desk.reads).open_counts())
    except NgatuError as error:
        trouble = translated(error.what, visitor.language)
        return {"now_ms": now_ms, "clock": desk.templates.clock(now_ms), "trouble": trouble}
    said = [_box(each, now_ms, visitor) for each in boxes]
    failing = desk.intake.get("failing")
    return {
        "now_ms": now_ms,
        "clock": desk.templates.clock(now_ms),
        "open": open_count,
        "boxes": said,
        "heard": max((each.heard_ms for each in boxes), default=None),
        "trouble": translated(str(failing), visitor.language) if failing else "",
        "away": translated(str(desk.intake["away"]), visitor.language) if desk.intake.get("away") else "",
    }


def _box(beat: BoxBeat, now_ms: int, visitor: Visitor) -> dict[str, Any]:
    well = beat.state == "online" and now_ms - beat.heard_ms < SILENT_MS
    state = BOX_STATES.get(beat.state or "", SILENT) if beat.state != "online" or well else SILENT
    return {
        "title": beat.title,
        "href": f"/boxes/{beat.device}",
        "well": well,
        "state": translated(state, visitor.language),
        "heard": visitor.console.templates.moment(visitor.language, beat.heard_ms),
    }


def _changed(step: ReviewStep, language: str) -> dict[str, Any]:
    """What a tile says once somebody took this step."""
    state = translated(STATE_WORDS[step.state], language)
    return {
        "key": f"{step.box_id}/{step.event_id}",
        "is_open": not step.state.is_final,
        "is_untaken": step.state is ReviewState.NEW,
        "reviewed": "" if step.state is ReviewState.NEW else f"{state} · {step.by.name}",
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
