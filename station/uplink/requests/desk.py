"""The station's desk for requests of the province: heard, judged, written down, done, answered.

Invariants
1. Nothing is done that the key of the configuration has not signed for this commune, that it does
   not allow, or that is late; and nothing twice.
2. Nothing leaves before who asked, what for and what was decided stand in the station's audit log, on disk.
3. Each request that is genuine is answered, unless more came today than may: by the uplink's outbox, which
   forgets an answer on the worker's receipt only.
4. What nobody has signed is answered with nothing, for it proves no id; it is noted, an hour's first few only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.core.types import Instant
from agent.errors import NgatuError, WireError
from agent.wire.message import Priority
from station.access.audit_entry import OF_THE_PROVINCE, Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.uplink.envelope import UpItem
from station.uplink.requests.answer import answer_item
from station.uplink.requests.effect import RequestEffect
from station.uplink.requests.journal import HEARD, OpenRequest, RequestJournal
from station.uplink.requests.order import (
    WAITS,
    EventsArgs,
    FootageArgs,
    PictureArgs,
    ProvinceRequest,
    RequestArgs,
    RequestReason,
    read_request,
    untimely,
)
from station.uplink.settings import RequestSettings

log = structlog.get_logger("station.uplink.requests.desk")

LOOK_S: Final = 5.0
"""Between two looks at what is under way; what comes is looked at at once."""
FALSE_ONES: Final = 20
"""Requests that nobody has signed: so many are noted in an hour."""
HOUR_S: Final = 3600.0

Put = Callable[[Sequence[UpItem], Priority], None]
"""Into the uplink's outbox; it returns once they are on its disk."""


class RequestDesk:
    """For one commune; `heard` is called by the forwarder's thread, all else by the uplink's."""

    def __init__(
        self,
        settings: RequestSettings,
        shard: str,
        commune: str,
        key: Ed25519PublicKey,
        journal: RequestJournal,
        audit: AuditLog,
        effects: Mapping[str, RequestEffect],
        now: Callable[[], Instant],
        ends: Callable[[], None] = lambda: None,
    ) -> None:
        """`ends` is called when it is closed: what the effects do beside it ends then."""
        self._ends = ends
        self._settings, self._shard, self._commune, self._key = settings, shard, commune, key
        self._journal, self._audit, self._effects, self._now = journal, audit, effects, now
        self._due_s = 0.0
        self._waits: dict[str, tuple[float, RequestReason | None]] = {}
        """Until when one that cannot be done yet is left alone, and why it waits."""
        self._false_lock = threading.Lock()
        self._false: list[str] = []
        """Why requests that nobody has signed were not heeded; to be noted."""
        self._false_hour, self._false_count = -1, 0
        self._is_full_said = -1

    @property
    def kinds(self) -> frozenset[str]:
        """Of requests that it can do, whether or not the configuration allows them."""
        return frozenset(self._effects)

    # ---------------------------------------------------------------------------------- the forwarder's thread

    def heard(self, topic: str, payload: bytes, retained: bool, ack: Callable[[], None]) -> None:
        """A message has come below `command/`; `ack` tells the broker that it need not send it again."""
        now = self._now()
        kind = topic.rpartition("/")[2]
        try:
            request = read_request(kind, payload, retained, self._shard, self._commune, self._key)
        except WireError as error:
            self._disregard(error.what, now)
        else:
            self._take(request, now)
        ack()

    def _take(self, request: ProvinceRequest, now: Instant) -> None:
        now_ms = round(now.wall_s * 1000)
        try:
            taken = self._journal.take(request, now_ms, 2 * self._settings.requests_per_day)
        except NgatuError as error:  # the worker sends it again
            log.error("request_not_noted", id=request.id, why=error.what, hint=error.hint)  # noqa: TRY400
            return
        if taken == "full" and self._is_full_said != now_ms // 86_400_000:
            self._is_full_said = now_ms // 86_400_000
            hint = "far more than may is asked today: nothing of it is done or answered. Who has the key?"
            log.error("requests_flood", hint=hint)
        if taken == "other":
            self._disregard(f"the id {request.id} was another request's", now)
        self._due_s = 0.0

    def _disregard(self, why: str, now: Instant) -> None:
        hour = int(now.wall_s // HOUR_S)
        with self._false_lock:
            if hour != self._false_hour:
                self._false_hour, self._false_count = hour, 0
            self._false_count += 1
            if self._false_count > FALSE_ONES:
                return
            self._false.append(why)
        hint = "who may publish below command/ of this commune? is uplink.requests.key the province's?"
        log.warning("request_false", why=why, hint=hint)

    # ------------------------------------------------------------------------------------- the uplink's thread

    def turn(self, put: Put, has_room: Callable[[], bool], now: Instant, outbox: str) -> bool:
        """Judge what has come, do what is accepted as far as there is room; whether there is more at once.

        `outbox` names the life of the outbox into which it is put.

        Raises:
            NgatuError, SQLAlchemyError, OSError: log, store, journal or outbox cannot be used now.
        """
        self._note_false_ones()
        if now.mono_s < self._due_s:
            return False
        self._due_s = now.mono_s + LOOK_S
        now_ms = round(now.wall_s * 1000)
        self._journal.belong_to(outbox)
        for each in self._journal.open():
            if each.state == HEARD:
                self._judge(each, now_ms)
        self._answer(put, now_ms)
        is_more = False
        for each in self._journal.open():
            if has_room() and now.mono_s >= self._waits.get(each.request.id, (0.0, None))[0]:
                is_more = self._carry_on(each, put, now) or is_more
        self._answer(put, now_ms)
        if is_more:
            self._due_s = 0.0
        return is_more

    def close(self) -> None:
        """Let go of the journal."""
        self._ends()
        self._journal.close()

    def _note_false_ones(self) -> None:
        while self._false:
            detail = {"answer": "unsigned", "cause": self._false[0]}
            self._audit.note(Actor("", "", "", OF_THE_PROVINCE), AuditVerb.PROVINCE_REQUEST, "", detail)
            with self._false_lock:
                self._false.pop(0)

    def _judge(self, each: OpenRequest, now_ms: int) -> None:
        """Invariants 1 and 2."""
        request, why = each.request, self._barred(each, now_ms)
        actor = Actor("", request.issuer, "", OF_THE_PROVINCE)
        detail = {
            "asked": request.kind,
            "purpose": request.purpose,
            "answer": "refused" if why else "accepted",
            "cause": why,
            "request": request.id,
        } | _wanted(request.args)
        self._audit.note(actor, AuditVerb.PROVINCE_REQUEST, _subject(request.args), detail)
        self._journal.judge(request.id, why, now_ms)

    def _barred(self, each: OpenRequest, now_ms: int) -> RequestReason | None:
        request = each.request
        late = untimely(request, now_ms)
        if late is not None:
            return late
        if request.kind not in self._settings.allowed or request.kind not in self._effects:
            return RequestReason.NOT_ALLOWED
        if request.args is None:
            return RequestReason.MALFORMED
        if each.nth > self._settings.requests_per_day:
            return RequestReason.OVER_QUOTA
        return None

    def _carry_on(self, each: OpenRequest, put: Put, now: Instant) -> bool:
        """The next step of it; whether there is another one at once."""
        request, now_ms = each.request, round(now.wall_s * 1000)
        _, why = self._waits.pop(request.id, (0.0, None))
        effect = self._effects.get(request.kind)
        if effect is None:  # an older version than the one that accepted it
            self._journal.end(request.id, RequestReason.NOT_ALLOWED, now_ms)
            return False
        if not each.mark and now_ms >= request.expires_ms:  # invariant 1
            self._journal.end(request.id, why or RequestReason.LATE, now_ms)
            return False
        part = effect.part(request, each.mark)
        used = self._journal.used(now_ms).size_bytes
        if part.items and used + part.size_bytes > self._settings.bytes_per_day:
            self._journal.end(request.id, RequestReason.OVER_QUOTA, now_ms)
            return False
        if part.items:
            put(part.items, effect.priority)
        if part.items or part.mark != each.mark:
            self._journal.advance(request.id, part.mark, part.size_bytes, now_ms)
        if part.is_last:
            self._journal.end(request.id, part.reason, now_ms, part.files, part.counts)
        elif not part.items:
            self._waits[request.id] = now.mono_s + part.wait_s, part.reason
            if part.reason in WAITS:
                self._journal.wait(request.id, part.reason, now_ms)
        return bool(part.items) and not part.is_last

    def _answer(self, put: Put, now_ms: int) -> None:
        """Invariant 3."""
        while answers := self._journal.due():
            put([answer_item(each, self._commune) for each in answers], Priority.EVENT)
            self._journal.handed(answers, now_ms)


def _subject(args: RequestArgs | None) -> str:
    match args:
        case PictureArgs():
            return f"{args.device}/{args.event_id}"
        case EventsArgs():
            return " ".join(f"{each.device}/{each.camera}" for each in args.cameras)
        case FootageArgs():
            return f"{args.device}/{args.camera}"
    return ""


def _wanted(args: RequestArgs | None) -> dict[str, object]:
    match args:
        case PictureArgs():
            return {"sha256": args.sha256}
        case EventsArgs():
            return {"since_ms": args.from_ms, "until_ms": args.to_ms}
        case FootageArgs():
            return {"case": args.case_number, "since_ms": args.from_ms, "until_ms": args.to_ms}
    return {}
