"""The queue of alerts that a shift works off, and what is made of each event.

What is sent names the step that whoever decided has seen last, so that of two at once the second is told what
the first said; the page for that has everything he wrote, and he decides again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.lookup.cards import cards_of
from station.lookup.places import read_places
from station.lookup.words import what_words
from station.review.open_alerts import AlertPlace, AlertWish, OpenAlert, OpenCount
from station.review.queue import EventUnknown, ReviewOvertaken, ReviewQueue
from station.review.standing import Reviewer, ReviewKey, Standing
from station.review.states import MAX_NOTE, STATE_WORDS, ReviewRefused, ReviewState, by_whom
from station.web.pages.entry import inside
from station.web.review_sheet import sheet_of, state_words, step_of
from station.web.visitor import Officer, Visitor, wants_page

router = APIRouter()
BESIDE: Final = 12
"""Alerts that follow, beside the one that is looked at."""
KNOWN: Final = 50
"""Newest open alerts that are no news to the page: of those before them nothing is."""
LISTED: Final = 20
"""Cameras and rules of which it is said how many are open."""
Word = Annotated[str, Query(max_length=4096)]
Text = Annotated[str, Form(max_length=4096)]


@dataclass(frozen=True, slots=True)
class QueueWish:
    """Which part of the queue is worked off."""

    box: str = ""
    camera: str = ""
    rule: str = ""
    only_new: bool = False

    @property
    def wish(self) -> AlertWish:
        """As the queue is asked."""
        boxes, cameras, rules = ((each,) if each else () for each in (self.box, self.camera, self.rule))
        return AlertWish(boxes, cameras, rules, self.only_new)

    def href(self, **more: object) -> str:
        """The page of it, at some place."""
        said = {"box": self.box, "camera": self.camera, "rule": self.rule, "new": "1" if self.only_new else ""}
        words = {name: str(value) for name, value in {**said, **more}.items() if value}
        return "/review" + (f"?{urlencode(words)}" if words else "")

    def is_of(self, count: OpenCount) -> bool:
        """Whether it is the part that this counts."""
        return (self.box, self.camera, self.rule) == (count.box, count.camera, count.rule)


@router.get("/review")
def review_page(
    visitor: Officer,
    after: Word = "",
    at: Word = "",
    box: Word = "",
    camera: Word = "",
    rule: Word = "",
    done: Word = "",
    new: bool = False,
) -> HTMLResponse:
    """The alert that is next, and those that follow; `after` and `at` are places in the queue."""
    wanted, queue = QueueWish(box, camera, rule, new), ReviewQueue(visitor.console.reads)
    head = visitor.console.feed.place()  # before the alerts are read: what comes meanwhile is sent once more
    place, itself = AlertPlace.read(at or after), bool(at)
    found = queue.open_alerts(wanted.wish, place, BESIDE + 1, itself=itself)
    from_the_top = not found and place is not None
    if from_the_top:
        found = queue.open_alerts(wanted.wish, None, BESIDE + 1)
    counts = queue.open_counts()
    sheet = sheet_of(visitor, found[0].key) if found else None
    if sheet is not None:
        visitor.note(AuditVerb.VIEW_EVENT, _subject(sheet.card.box, sheet.card.event_id), at="review")
    here = found[0].place if found else None
    newest = queue.open_alerts(wanted.wish, None, 1)
    known = queue.open_alerts(limit=KNOWN)
    return visitor.page(
        "review.html",
        sheet=sheet,
        place=here,
        following=_tiles(visitor, wanted, found[1:]),
        standing=_standing(visitor, counts, wanted),
        wanted=wanted,
        passed=wanted.href(after=here or ""),
        next=wanted.href(after=here or "", done=f"{here.box_id}/{here.event_id}" if here else ""),
        from_the_top=from_the_top,
        done=_done(visitor, done),
        head=head,
        newest=newest[0].place.began_ms if newest else 0,
        known=[f"{each.place.box_id}/{each.place.event_id}" for each in known],
        since=known[-1].place.began_ms if len(known) == KNOWN else 0,
        most=MAX_NOTE,
        problem=None,
        note="",
        words=state_words,
        by_whom=by_whom,
    )


@router.get("/review/counts")
def review_counts(
    visitor: Officer, box: Word = "", camera: Word = "", rule: Word = "", new: bool = False
) -> dict[str, Any]:
    """How many are open now, for a page that stays open while others work."""
    counts = ReviewQueue(visitor.console.reads).open_counts()
    return _standing(visitor, counts, QueueWish(box, camera, rule, new))


@router.get("/events/{box}/{event_id}/review")
def one_page(visitor: Officer, box: str, event_id: str) -> HTMLResponse:
    """What was made of one event, step by step, and what may become of it."""
    key = _key(visitor, box, event_id)
    visitor.note(AuditVerb.VIEW_EVENT, _subject(box, event_id), at="review")
    return _one(visitor, key)


@router.post("/events/{box}/{event_id}/review")
def review_event(
    request: Request,
    visitor: Officer,
    box: str,
    event_id: str,
    step: Text = "",
    state: Text = "",
    reason: Text = "",
    label: Text = "",
    note: Text = "",
    change: Annotated[int, Form(ge=0)] = 0,
    next: Text = "",  # noqa: A002 (its name in the form)
) -> Response:
    """Take a step with an event; back to `next`, or the new standing as JSON.

    409: somebody else was faster, and nothing was changed; 422: the step is not possible.
    """
    key = _key(visitor, box, event_id)
    queue = ReviewQueue(visitor.console.reads, visitor.console.writes)
    by = Reviewer(visitor.account.login, visitor.account.name)
    try:
        wanted, why, which = step_of(step, state, reason, label)
        standing = queue.mark(key, wanted, by, seen=change, note=note, reason=why, right_label=which)
    except (ReviewOvertaken, ReviewRefused, EventUnknown) as error:
        return _refused(request, visitor, key, error, note, next)
    detail = {
        "state": str(wanted),
        "reason": why,
        "right_label": which,
        "note": standing.note or note.strip(),
        "change": standing.change_id,
    }
    visitor.note(
        AuditVerb.REVIEW, _subject(box, event_id), **{name: each for name, each in detail.items() if each}
    )
    visitor.console.feed.ring()
    if wants_page(request):
        return RedirectResponse(inside(next) if next else request.url.path, 303)
    return JSONResponse(_said(standing, visitor.language))


def _refused(
    request: Request, visitor: Visitor, key: ReviewKey, error: NgatuError, note: str, onward: str
) -> Response:
    status = 409 if isinstance(error, ReviewOvertaken) else 422
    if wants_page(request):
        return _one(
            visitor, key, status, problem=error, note=note[:MAX_NOTE], onward=inside(onward or "/review")
        )
    said = {
        name: translated(text or "", visitor.language)
        for name, text in (("error", error.what), ("hint", error.hint))
    }
    now = {"now": _said(error.standing, visitor.language)} if isinstance(error, ReviewOvertaken) else {}
    return JSONResponse({**said, **now}, status)


def _one(
    visitor: Visitor,
    key: ReviewKey,
    status: int = 200,
    *,
    problem: NgatuError | None = None,
    note: str = "",
    onward: str = "/review",
) -> HTMLResponse:
    sheet = sheet_of(visitor, key)
    if sheet is None:
        raise HTTPException(404)
    values = {"sheet": sheet, "next": onward, "most": MAX_NOTE, "problem": problem, "note": note}
    words = {"words": state_words, "by_whom": by_whom, "states": STATE_WORDS}
    return visitor.page("review_one.html", status, **words, **values)


def _said(standing: Standing, language: str) -> dict[str, Any]:
    by = standing.by.name if standing.by is not None and standing.state is not ReviewState.NEW else ""
    words = translated(state_words(standing.state, standing.reason, standing.right_label), language)
    return {
        "state": str(standing.state),
        "reason": standing.reason,
        "right_label": standing.right_label,
        "words": words,
        "by": by,
        "note": standing.note,
        "at_ms": standing.changed_ms,
        "change": standing.change_id,
    }


def _key(visitor: Visitor, box: str, event_id: str) -> ReviewKey:
    desk = visitor.console
    key = ReviewQueue(desk.reads).key_of(desk.config.commune, box, event_id)
    if key is None:
        raise HTTPException(404)
    return key


def _subject(box: str, event_id: str) -> str:
    return f"{box}/{event_id}"


def _tiles(visitor: Visitor, wanted: QueueWish, alerts: Sequence[OpenAlert]) -> list[dict[str, Any]]:
    """Those that follow, each with the way to it in the queue."""
    cards = {card.key: card for card in cards_of(visitor.console.reads, [each.key for each in alerts])}
    return [
        {
            **visitor.console.tiles.of(cards[each.key], visitor.language),
            "href": wanted.href(at=each.place),
            "what": translated(what_words(cards[each.key]), visitor.language),
            "who": "",
        }
        for each in alerts
        if each.key in cards
    ]


def _standing(visitor: Visitor, counts: Sequence[OpenCount], wanted: QueueWish) -> dict[str, Any]:
    """How many are open, in the words of the page."""
    number, language = sum(each.number for each in counts), visitor.language
    untouched = sum(each.number - each.seen for each in counts)
    return {
        "number": number,
        "open": translated(tr("{n} open", n=number), language),
        "open_class": "tag alert" if number else "tag good",
        "new": translated(tr("{n} not taken yet", n=untouched), language) if number else "",
        "title": f"{translated(tr('Alerts'), language)} ({number})",
        "counts": _counted(visitor, counts, wanted)[:LISTED],
    }


def _counted(visitor: Visitor, counts: Sequence[OpenCount], wanted: QueueWish) -> list[dict[str, Any]]:
    """How many are open of what, those with most first, by the names that people gave."""
    with visitor.console.reads.connect() as connection, connection.begin():
        places = read_places(connection, {each.box_id for each in counts})
    return [
        {
            "key": f"{each.box_id}/{each.camera}/{each.rule}",
            "where": f"{places[each.box_id].title} · {places[each.box_id].camera_title(each.camera)}",
            "rule": places[each.box_id].rule_title(each.camera, each.rule),
            "number": each.number,
            "seen": each.seen,
            "on": "true" if wanted.is_of(each) else "",
            "href": QueueWish(each.box, each.camera, each.rule, wanted.only_new).href(),
        }
        for each in sorted(counts, key=lambda it: -it.number)
    ]


def _done(visitor: Visitor, said: str) -> dict[str, Any] | None:
    """What was judged just now, so that it can be taken back."""
    box_id, _, event_id = said.partition("/")
    if not (box_id.isascii() and box_id.isdigit() and len(box_id) < 10):
        return None
    sheet = sheet_of(visitor, (int(box_id), event_id))
    if sheet is None or sheet.standing.by is None or sheet.standing.by.login != visitor.account.login:
        return None
    place = AlertPlace(sheet.card.began_ms, *sheet.key)
    words = state_words(sheet.standing.state, sheet.standing.reason, sheet.standing.right_label)
    return {"sheet": sheet, "words": words, "place": place}
