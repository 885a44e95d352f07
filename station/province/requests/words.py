"""Requests to communes as people read them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from agent.translatable import tr
from agent.wire.words import named
from station.province.requests.book import AskedRequest
from station.province.requests.footage import SPOILED
from station.uplink.requests.order import RequestKind, RequestReason

KIND_WORDS: Final[Mapping[str, str]] = {
    RequestKind.PICTURE: tr("a picture of an event"),
    RequestKind.EVENTS: tr("informative events"),
    RequestKind.FOOTAGE: tr("footage"),
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
    RequestReason.NOT_KEPT: tr("it is no longer kept there, or never came from the box"),
    RequestReason.TOO_LARGE: tr("it is larger than the commune's station may send, or the province takes"),
    RequestReason.NO_CAMERA: tr("there is no such camera there"),
    RequestReason.TOO_LONG: tr("the clip is longer than the commune's station allows"),
    RequestReason.BOX_AWAY: tr("the box is not connected to the commune's station, or does not answer"),
    RequestReason.BOX_SENDS: tr("the box has been asked, and the commune's station waits for its footage"),
    RequestReason.BOX_REFUSED: tr(
        "the box refused: the camera is not recorded, or nothing of that time is there"
    ),
    RequestReason.BOX_FAILED: tr("the box could not send the footage"),
    RequestReason.NO_PROOF: tr("the commune's station has the footage, and could not judge or play it"),
    SPOILED: tr("what came is not what was asked for, or not what the commune's station announced"),
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
        deleted = tr("came at {at}, and was deleted here since", at=at)
        return tr("came at {at}", at=at) if request.is_here else deleted
    if request.state in ("refused", "failed"):
        why = reason_words(request.reason)
        return (
            tr("refused: {why}", why=why) if request.state == "refused" else tr("did not come: {why}", why=why)
        )
    if request.pieces:
        return _arriving_words(request)
    if request.state == "asked":
        return _asked_words(request, now_ms, moment)
    return _accepted_words(request, now_ms, moment) if request.state == "accepted" else _done_words(request)


def _accepted_words(request: AskedRequest, now_ms: int, moment: Callable[[int], str]) -> str:
    at = moment(request.heard_ms or now_ms)
    if request.reason:
        return tr("accepted, as heard at {at}: {why}", at=at, why=reason_words(request.reason))
    return tr("at the commune's station since {at}; it is on its way", at=at)


def _done_words(request: AskedRequest) -> str:
    if request.kind == RequestKind.EVENTS:
        went, are = (request.counts.get(name, 0) for name in ("went", "are"))
        return tr("the commune's station has sent {went:,} of {are:,}; look them up", went=went, are=are)
    return tr("sent by the commune's station, and not all of it is here yet")


def _arriving_words(request: AskedRequest) -> str:
    """Of footage of which something is here."""
    here, every = request.pieces, request.all_pieces or 0
    if here == every:
        return tr("all of it is here, and is being checked")
    return tr("on its way: {here:,} of {every:,} parts are here", here=here, every=every)


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
