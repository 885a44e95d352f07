"""An event as a tile: its words in the language of whoever looks, on the page and in what it is sent."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

import structlog

from agent.core.types import Severity
from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from agent.wire.words import DETAILS, DIRECTIONS, LABELS, named
from station.handover.recognised import recognised
from station.lookup.cards import EventCard
from station.lookup.words import kind_word
from station.review.states import STATE_WORDS, by_whom
from station.web.render import Templates

log = structlog.get_logger("station.web.tiles")

STATES: Final = ("new", "seen")
"""Reviews that leave an alert open."""


class Tiles:
    """Makes tiles; the same event in the same language only once a day: a moment of another day names it."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._made_lately = lru_cache(maxsize=4096)(self._made)
        self._sent_lately = lru_cache(maxsize=4096)(self._sent)

    def of(self, card: EventCard, language: str) -> dict[str, Any]:
        """The values of a tile: texts to be shown as they are, and addresses of ours."""
        return self._made_lately(card, language, self._templates.today())

    def sent(self, card: EventCard, language: str) -> str:
        """The same as JSON, for a screen that follows."""
        return self._sent_lately(card, language, self._templates.today())

    def _sent(self, card: EventCard, language: str, today: str) -> str:
        return json.dumps(self._made_lately(card, language, today), ensure_ascii=False)

    def _made(self, card: EventCard, language: str, _today: str) -> dict[str, Any]:
        try:
            return self._whole(card, language)
        except Exception as error:  # a mistake of ours about one event must not hide all others
            log.exception("tile_failed", box=card.box, id=card.event_id, error=type(error).__name__)
            return self._bare(card, language)

    def _bare(self, card: EventCard, language: str) -> dict[str, Any]:
        """That there is an event, when it came and from which box."""
        is_alert = card.severity == str(Severity.ALERT)
        return {
            "key": f"{card.box_id}/{card.event_id}",
            "href": address_of(card),
            "what": translated(tr("an event that cannot be shown here"), language),
            "who": "",
            "where": card.box,
            "at_ms": card.received_ms,
            "clock": self._templates.clock(card.received_ms),
            "moment": self._templates.moment(language, card.received_ms),
            "is_alert": is_alert,
            "is_open": is_alert and card.review in STATES,
            "is_untaken": is_alert and card.review == "new",
            "is_late": False,
            "late": "",
            "picture": None,
            "review": card.review,
            "reviewed": "",
        }

    def _whole(self, card: EventCard, language: str) -> dict[str, Any]:
        late = card.is_old_news
        is_alert = card.severity == str(Severity.ALERT)
        return {
            "key": f"{card.box_id}/{card.event_id}",
            "href": address_of(card),
            "what": translated(what_of(card), language),
            "who": translated(who_of(card), language),
            "where": place_of(card),
            "at_ms": card.began_ms,
            "clock": self._templates.clock(card.began_ms),
            "moment": self._templates.moment(language, card.began_ms),
            "is_alert": is_alert,
            "is_open": is_alert and card.review in STATES,
            "is_untaken": is_alert and card.review == "new",
            "is_late": late,
            "late": translated(late_of(self._templates, card, language), language) if late else "",
            "picture": f"/pictures/{card.thumbnail}" if card.thumbnail else None,
            "review": card.review,
            "reviewed": reviewed_of(self._templates, card, language),
        }


def address_of(card: EventCard) -> str:
    """Where the whole event is shown."""
    return f"/events/{quote(card.box, safe='')}/{quote(card.event_id, safe='')}"


def what_of(card: EventCard) -> str:
    """What happened, such as "wrong way" or "line, in"."""
    return joined(", ", filter(None, (kind_word(card.kind), named(DIRECTIONS, card.direction or ""))))


def who_of(card: EventCard) -> str:
    """Whom it is about, such as "motorcycle, 2 riders"; empty: nobody."""
    label = named(LABELS, card.label) if card.label else _said(card.detail or "")
    riders = tr("{n} riders", n=card.riders) if card.riders > 1 else ""
    return joined(", ", filter(None, (label, riders)))


def _said(detail: str) -> str:
    """What a box says of itself and its cameras: English on the wire, whoever reads it here."""
    return DETAILS.get(detail) or recognised(detail)


def place_of(card: EventCard) -> str:
    """Where, by the names that people gave."""
    if card.camera == "box":
        return card.box_title
    return f"{card.box_title} · {card.camera_title}"


def late_of(templates: Templates, card: EventCard, language: str) -> str:
    """That it is no news: when it came, with the day where that is not today."""
    return tr("came only at {at}", at=templates.moment(language, card.received_ms))


def reviewed_of(templates: Templates, card: EventCard, language: str) -> str:
    """What became of it, by whom and when; empty: nobody has taken it."""
    if card.review == "new" or card.reviewed_by is None:
        return ""
    return reviewed_words(templates, card.review, card.reviewed_by, card.reviewed_ms, language)


def reviewed_words(templates: Templates, state: str, name: str, at_ms: int | None, language: str) -> str:
    """As "being worked on – Trần Văn Bình, since 02:13:05": who has an alert is never a guess."""
    whose = by_whom(state, printable(name), templates.moment(language, at_ms))
    words = translated(STATE_WORDS.get(state, state), language)
    return f"{words} – {translated(whose, language)}"
