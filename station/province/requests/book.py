"""Requests as the console writes and reads them: signed here, carried by the worker, answered by the station.

Invariants
1. What is asked stands in the console's log in the transaction in which it becomes a request: neither is there
   without the other.
2. Only a commune that is open to whoever asks is asked, and only what he can see of it.
3. One account asks MOST_A_DAY times in a day at most, and once for what is under way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, Row, text
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import NgatuError
from agent.translatable import tr
from agent.wire.signature import private_key
from station.access.audit_entry import Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.command import new_command
from station.store.database import in_words
from station.uplink.requests.answer import pieces_in
from station.uplink.requests.order import (
    MAX_WORDS,
    EventsArgs,
    FootageArgs,
    PictureArgs,
    RequestArgs,
    RequestKind,
    digest_of,
    written,
)

LIFE_MS: Final = 86_400_000
"""So long a station may be away before a request is too late."""
DAY_MS: Final = 86_400_000
MOST_A_DAY: Final = 100
SHOWN: Final = 20
LISTED: Final = 200
_OPEN: Final = text("select id, shard from seen.open_commune where name = :commune")
_TODAY: Final = text("select count(*) from seen.request_form where login = :login and asked_ms >= :since_ms")
_UNDER_WAY: Final = text(
    "select id from seen.request where commune_id = :commune_id and kind = :kind and device = :device "
    "and about = :about and wanted_sha256 is not distinct from :wanted and expires_ms > :now_ms "
    "and (state in ('asked', 'accepted') or state = 'done' and complete_ms is null and kind <> 'events') "
    "limit 1"
)
_PUT: Final = text(
    "insert into seen.request_form values (:id, :commune_id, :shard, :kind, :body, :sha256, :device, :about, "
    ":wanted, :login, :name, :purpose, :asked_ms, :expires_ms)"
)
_COLUMNS: Final = (
    "request.*, open_commune.name as commune, "
    "(case when kind = 'footage' then exists (select from seen.request_piece where request_id = request.id) "
    "else exists (select from seen.picture where picture.sha256 = wanted_sha256) end) as is_here, "
    "(select count(*) from seen.request_piece where request_id = request.id) as pieces"
)
_LATEST: Final = text(
    f"select {_COLUMNS} from seen.request "  # noqa: S608 – words of our own
    "join seen.open_commune on open_commune.id = request.commune_id order by asked_ms desc limit :most"
)
_OF: Final = text(
    f"select {_COLUMNS} from seen.request "  # noqa: S608 – words of our own
    "join seen.open_commune on open_commune.id = request.commune_id "
    "where open_commune.name = :commune and kind = :kind and device = :device and about = :about "
    "order by asked_ms desc limit :most"
)


@dataclass(frozen=True, slots=True)
class RequestAbout:
    """What a request is about, by which the console finds it again."""

    kind: RequestKind
    commune: str
    device: str
    """The box, or '' of several."""
    subject: str
    """An event's id, or what was asked of a span."""
    wanted_sha256: str | None = None

    @property
    def in_the_log(self) -> str:
        """As the subject of an entry, by the names that the console has for boxes."""
        if self.kind == RequestKind.FOOTAGE:
            return f"{self.commune}.{self.device}/{json.loads(self.subject)['camera']}"
        return f"{self.commune}.{self.device}/{self.subject}" if self.device else self.commune


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """A request as it stands."""

    id: str
    commune: str
    kind: str
    device: str
    about: str
    wanted_sha256: str | None
    name: str
    """Of who asked."""
    purpose: str
    asked_ms: int
    expires_ms: int
    sent_ms: int | None
    state: str
    """asked, or what the station said: accepted, refused, failed, done."""
    reason: str | None
    heard_ms: int | None
    counts: dict[str, int]
    complete_ms: int | None
    """When all that it brings was here."""
    is_here: bool
    """The picture that was asked for is here, by this request or another; of footage, some of it."""
    file_name: str | None = None
    """Of footage, once its first piece is here."""
    file_bytes: int | None = None
    file_sha256: str | None = None
    pieces: int = 0
    """Of footage: so many are here."""

    @property
    def all_pieces(self) -> int | None:
        """Of its footage; None: nobody has said so yet."""
        return None if self.file_bytes is None else pieces_in(self.file_bytes)

    def is_under_way(self, now_ms: int) -> bool:
        """Whether something may still come of it."""
        if self.state in ("refused", "failed") or self.complete_ms is not None:
            return False
        return self.state == "accepted" or now_ms < self.expires_ms


class RequestBook:
    """For many threads; `reads` is the engine of somebody to whom some communes are open."""

    def __init__(self, reads: Engine, audit: AuditLog, key: Path | None) -> None:
        self._reads, self._audit, self._key = reads, audit, key

    @property
    def can_ask(self) -> bool:
        """Whether this console has a key to sign with."""
        return self._key is not None

    def ask_picture(self, actor: Actor, commune: str, args: PictureArgs, now_ms: int) -> str:
        """Ask for a picture of an event; the request's id, or that of one that is under way.

        Raises:
            NgatuError: there is no key, the commune is not open, or too much was asked today; nothing is asked.
            StoreError: it cannot be written.
        """
        about = RequestAbout(RequestKind.PICTURE, commune, args.device, args.event_id, args.sha256)
        return self._ask(actor, about, args, now_ms, {"sha256": args.sha256})

    def ask_events(self, actor: Actor, commune: str, args: EventsArgs, now_ms: int) -> str:
        """Ask for the ends of events of severity info, as `ask_picture`.

        Raises:
            NgatuError, StoreError: as `ask_picture`.
        """
        subject = args.model_dump_json(exclude={"purpose"})
        cameras = [f"{commune}.{each.device}/{each.camera}" for each in args.cameras]
        note = {"cameras": cameras, "since_ms": args.from_ms, "until_ms": args.to_ms}
        return self._ask(actor, RequestAbout(RequestKind.EVENTS, commune, "", subject), args, now_ms, note)

    def ask_footage(self, actor: Actor, commune: str, args: FootageArgs, now_ms: int) -> str:
        """Ask for a clip of a camera's footage, as `ask_picture`.

        Raises:
            NgatuError, StoreError: as `ask_picture`.
        """
        subject = args.model_dump_json(exclude={"purpose", "device"})
        note = {
            "camera": args.camera, "case": args.case_number, "since_ms": args.from_ms, "until_ms": args.to_ms,
        }  # fmt: skip
        about = RequestAbout(RequestKind.FOOTAGE, commune, args.device, subject)
        return self._ask(actor, about, args, now_ms, note)

    def latest(self) -> list[AskedRequest]:
        """Of all kinds, the newest first.

        Raises:
            StoreError: the database cannot be read.
        """
        return [_asked(row) for row in self._read(_LATEST, {"most": LISTED})]

    def of_event(self, commune: str, device: str, event_id: str) -> list[AskedRequest]:
        """Requests for its pictures, the newest first.

        Raises:
            StoreError: the database cannot be read.
        """
        where = {"commune": commune, "device": device, "about": event_id, "kind": RequestKind.PICTURE}
        return [_asked(row) for row in self._read(_OF, where | {"most": SHOWN})]

    def _ask(
        self, actor: Actor, about: RequestAbout, args: RequestArgs, now_ms: int, note: dict[str, Any]
    ) -> str:
        if self._key is None:
            raise NgatuError(tr("this console has no key to ask stations with"), tr("set web.command_key"))
        key = private_key(self._key)
        found = next(iter(self._read(_OPEN, {"commune": about.commune})), None)
        if found is None:
            what = tr("{commune} is not open to you", commune=about.commune)
            raise NgatuError(what, tr("ask your administrator"))
        row = {
            "commune_id": found.id, "shard": found.shard, "kind": str(about.kind), "device": about.device,
            "about": about.subject, "wanted": about.wanted_sha256, "now_ms": now_ms,
        }  # fmt: skip
        if known := next(iter(self._read(_UNDER_WAY, row)), None):
            return str(known.id)
        issuer = f"{actor.name} ({actor.login})"[:MAX_WORDS]
        command = new_command(args.model_dump(mode="json"), issuer=issuer, life_s=LIFE_MS / 1000)
        body = written(command, about.kind, found.shard, about.commune, key)
        row |= {
            "id": command.id, "body": body, "sha256": digest_of(about.kind, body), "login": actor.login,
            "name": actor.name, "purpose": args.purpose, "asked_ms": now_ms, "expires_ms": now_ms + LIFE_MS,
        }  # fmt: skip
        self._put_down(actor, about, row, note)
        return command.id

    def _put_down(self, actor: Actor, about: RequestAbout, row: dict[str, Any], note: dict[str, Any]) -> None:
        """Invariants 1 and 3."""
        now_ms = row["asked_ms"]
        with self._audit.transaction() as transaction:
            today = {"login": actor.login, "since_ms": now_ms - now_ms % DAY_MS}
            if (transaction.connection.scalar(_TODAY, today) or 0) >= MOST_A_DAY:
                what = tr("you have asked {number} times today: that is all", number=MOST_A_DAY)
                raise NgatuError(what, tr("ask tomorrow, or at the commune"))
            transaction.connection.execute(_PUT, row)
            detail = {"asked": row["kind"], "purpose": row["purpose"], "request": row["id"]}
            transaction.note(actor, AuditVerb.ASK_COMMUNE, about.in_the_log, detail | note)

    def _read(self, query: Any, where: dict[str, Any]) -> Sequence[Row[Any]]:
        try:
            with self._reads.connect() as connection, connection.begin():
                return connection.execute(query, where).all()
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error


def _asked(row: Row[Any]) -> AskedRequest:
    names = AskedRequest.__dataclass_fields__
    return AskedRequest(
        **{name: json.loads(row.counts) if name == "counts" else row._mapping[name] for name in names}
    )
