"""Requests to communes as people read them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from agent.translatable import tr
from agent.wire.words import named
from station.province.requests.book import AskedRequest
from station.province.requests.incoming import SPOILED
from station.uplink.requests.order import RequestKind, RequestReason

KIND_WORDS: Final[Mapping[str, str]] = {
    RequestKind.PICTURE: tr("a picture of an event"),
    RequestKind.EVENTS: tr("informative events"),
}
"""What was asked for."""
REASON_WORDS: Final[Mapping[str, str]] = {
    RequestReason.NOT_ALLOWED: tr("the commune's station does not allow this kind of request"),
    RequestReason.MALFORMED: tr("the commune's station does not understand the request"),
    RequestReason.LATE: tr("the commune's station could not do it in time"),
    RequestReason.EARLY: tr("the clocks of province and commune differ by more than five minutes"),
    RequestReason.OVER_QUOTA: tr("more was asked of this commune today than its station allows"),
    RequestReason.NO_EVENT: tr("this event is no longer kept there"),
    RequestReason.NO_PICTURE: tr("no message of this event names this picture there"),
    RequestReason.NOT_KEPT: tr("the picture is no longer kept there, or never came from the box"),
    RequestReason.TOO_LARGE: tr("the picture is larger than the commune's station sends"),
    RequestReason.NO_CAMERA: tr("there is no such camera there"),
    SPOILED: tr("what came is not the picture that was asked for"),
}
"""Why nothing came."""
ANSWER_WORDS: Final[Mapping[str, str]] = {
    "accepted": tr("accepted"),
    "refused": tr("refused"),
    "unsigned": tr("not heeded: the province had not signed it"),
}
"""What a station's log says of a request."""


def state_words(request: AskedRequest, now_ms: int, moment: Callable[[int], str]) -> str:
    """How it stands, in a sentence."""
    if request.complete_ms is not None:
        at = moment(request.complete_ms)
        return (
            tr("came at {at}", at=at)
            if request.is_here
            else tr("came at {at}, and was deleted here since", at=at)
        )
    if request.state == "asked":
        return _asked_words(request, now_ms, moment)
    if request.state == "accepted":
        at = moment(request.heard_ms or now_ms)
        return tr("at the commune's station since {at}; it is on its way", at=at)
    if request.state == "done" and request.kind == RequestKind.EVENTS:
        went, are = (request.counts.get(name, 0) for name in ("went", "are"))
        return tr("the commune's station has sent {went:,} of {are:,}; look them up", went=went, are=are)
    if request.state == "done":
        return tr("sent by the commune's station, and not all of it is here yet")
    why = reason_words(request.reason)
    return tr("refused: {why}", why=why) if request.state == "refused" else tr("did not come: {why}", why=why)


def _asked_words(request: AskedRequest, now_ms: int, moment: Callable[[int], str]) -> str:
    until = moment(request.expires_ms)
    if now_ms >= request.expires_ms:
        return tr("no answer came in time")
    if request.sent_ms is None:
        return tr("asked, and not sent yet; it counts until {until}", until=until)
    return tr("asked, and no answer yet; it counts until {until}", until=until)


def tone_of(request: AskedRequest, now_ms: int) -> str:
    """How its state is marked: info, warn or ''."""
    if request.complete_ms is not None:
        return "info" if request.is_here else ""
    return "info" if request.is_under_way(now_ms) else "warn"


def reason_words(reason: str | None) -> str:
    """Why; a word of a newer station stays as it came."""
    return named(REASON_WORDS, reason) if reason else tr("nobody said why")
