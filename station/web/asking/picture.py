"""At the province: asking a commune's station for the pictures of an event, and how that stands."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from pydantic import ValidationError
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr
from station.lookup.cards import EventCard, EventKey
from station.lookup.event import event_key
from station.province.requests.words import state_words, tone_of
from station.store.database import StoreError
from station.store.schema import event
from station.uplink.requests.order import MAX_WORDS, PictureArgs
from station.web.asking.footage import form_for
from station.web.visitor import Officer, Turned, Visitor

router = APIRouter()
VIEWS: Final = {"thumbnail": tr("the best picture of it"), "scene": tr("the whole view of the camera")}
Words = Annotated[str, Form(max_length=MAX_WORDS)]


@router.post("/events/{box}/{event_id}/ask")
def ask_page(
    visitor: Officer, box: str, event_id: str, view: Words = "thumbnail", purpose: Words = ""
) -> Response:
    """Put the request down, sign it and leave it to the worker."""
    desk = visitor.console
    key = event_key(desk.reads, box, event_id)
    digest = None if key is None else named_pictures(visitor, key).get(view)
    if digest is None:
        raise HTTPException(404)
    commune, _, device = box.partition(".")
    try:
        args = PictureArgs(purpose=purpose, device=device, event_id=event_id, sha256=digest)
    except ValidationError:
        what = tr("say what it is for, in three letters at least")
        raise Turned(422, what, tr("go back and mend them")) from None
    try:
        desk.requests.ask_picture(visitor.actor, commune, args, desk.now_ms)
    except StoreError:
        raise
    except NgatuError as error:
        raise Turned(409, error.what, error.hint or "") from None
    return RedirectResponse(f"/events/{box}/{event_id}#asked", 303)


def named_pictures(visitor: Visitor, key: EventKey) -> dict[str, str]:
    """Hashes of the pictures that messages of an event name, by what they show."""
    columns = event.c.thumbnail_sha256.label("thumbnail"), event.c.scene_sha256.label("scene")
    query = select(*columns).where(event.c.box_id == key[0], event.c.event_id == key[1])
    with visitor.console.reads.connect() as connection, connection.begin():
        row = connection.execute(query).first()
    return {} if row is None else {name: digest for name, digest in row._mapping.items() if digest}


def asked_of(visitor: Visitor, card: EventCard) -> dict[str, Any]:
    """What the page of an event says of its pictures: what may be asked for, and what was asked."""
    desk, now_ms, say = visitor.console, visitor.console.now_ms, visitor.language
    named = named_pictures(visitor, card.key)
    here = {digest for digest in (card.thumbnail, card.scene) if digest}
    commune, _, device = card.box.partition(".")
    asked = desk.requests.of_event(commune, device, card.event_id)
    moment = partial(desk.templates.moment, say)
    views = {digest: name for name, digest in named.items()}
    open_ones = {each.wanted_sha256 for each in asked if each.is_under_way(now_ms)}
    return {
        "footage": form_for(card) if desk.requests.can_ask else None,
        "can_ask": desk.requests.can_ask,
        "views": {name: VIEWS[name] for name, digest in named.items() if digest not in here | open_ones},
        "most": MAX_WORDS,
        "rows": [
            {
                "what": translated(VIEWS.get(views.get(each.wanted_sha256 or "", ""), tr("a picture")), say),
                "state": translated(state_words(each, now_ms, moment), say),
                "tone": tone_of(each, now_ms),
                "asked_ms": each.asked_ms,
                "name": each.name,
                "purpose": each.purpose,
            }
            for each in asked
        ],
    }
