"""Requests of a province as its console writes them, and a station's desk driven by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.core.types import Instant
from agent.errors import WireError
from agent.wire.message import Priority
from agent.wire.payloads import CommandPayload
from agent.wire.signature import private_key
from station.access.audit_entry import ConsoleEntry
from station.access.audit_log import AuditLog, AuditQuery
from station.config import StationConfig
from station.uplink.envelope import ItemKind, UpItem
from station.uplink.requests.answer import RequestAnswer, SentPiece, read_answer, read_piece
from station.uplink.requests.desk import RequestDesk
from station.uplink.requests.opened import open_desk
from station.uplink.requests.order import ProvinceRequest, RequestKind, read_request, written
from station.uplink.settings import RequestSettings, UplinkSettings
from tests.support.province_keys import key_pair
from tests.support.stores import Place
from tests.support.told_events import COMMUNE

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
PICTURE: dict[str, Any] = {"purpose": "tin báo 12/2026", "device": "north-01", "event_id": "e-1"}


def command(number: int = 1, at: datetime = NOW, life_s: float = 3600.0, **args: Any) -> CommandPayload:
    """A request, not signed yet."""
    return CommandPayload(
        id=f"r-{number}", issued_at=at, expires_at=at + timedelta(seconds=life_s), issuer="Lan (lan)", args=args
    )


def signed(
    asked: CommandPayload,
    kind: RequestKind = RequestKind.PICTURE,
    shard: str = "s01",
    commune: str = COMMUNE,
    key: Ed25519PrivateKey = KEY,
) -> bytes:
    """As it goes out."""
    return written(asked, kind, shard, commune, key)


def as_read(
    asked: CommandPayload, kind: RequestKind = RequestKind.PICTURE, key: Ed25519PrivateKey = KEY
) -> ProvinceRequest:
    """As the station takes it."""
    return read_request(kind, signed(asked, kind, key=key), False, "s01", COMMUNE, key.public_key())


@dataclass
class DrivenDesk:
    """A station's desk over a store; what it puts into the outbox lies here."""

    place: Place
    allowed: tuple[str, ...] = ("picture", "events")
    more: dict[str, Any] = field(default_factory=dict)
    station: StationConfig | None = None
    """By which boxes are asked for footage."""
    now: datetime = NOW
    put: list[UpItem] = field(default_factory=list)
    acked: int = 0
    has_room: bool = True
    outbox: str = "u-1"
    dies: bool = False
    """The next time that something is put into the outbox."""

    def __post_init__(self) -> None:
        self.key, public = key_pair(self.place.folder, "province")
        self.settings = UplinkSettings(
            shard="s01", requests=RequestSettings(key=public, allowed=self.allowed, **self.more)
        )
        self.desk = self.opened()

    def opened(self) -> RequestDesk:
        """One life of it."""
        engine = self.place.engine
        desk = open_desk(self.settings, COMMUNE, self.place.folder, engine, engine, self.instant, self.station)
        assert desk is not None
        return desk

    def again(self) -> None:
        """The station was started again."""
        self.desk.close()
        self.desk = self.opened()

    def instant(self) -> Instant:
        """This moment."""
        return Instant(self.now.timestamp(), self.now.timestamp())

    def hear(self, body: bytes, kind: str = "picture", *, retained: bool = False) -> None:
        """A message comes, and the desk has its turn."""
        self.desk.heard(f"ngatu-up/v1/s01/{COMMUNE}/command/{kind}", body, retained, self._ack)
        self.turn()

    def ask(self, number: int = 1, kind: RequestKind = RequestKind.PICTURE, **args: Any) -> bytes:
        """A request of the province comes; the bytes that came."""
        body = signed(command(number, self.now, **args), kind, key=private(self.key))
        self.hear(body, kind)
        return body

    def turn(self) -> bool:
        """Later; whether there is more at once."""
        self.now += timedelta(seconds=10)
        return self.desk.turn(self._put, lambda: self.has_room, self.instant(), self.outbox)

    def answers(self) -> list[RequestAnswer]:
        """What was answered, in its order."""
        return [read_answer(each.raw) for each in self.put if each.kind == ItemKind.ANSWER]

    def pieces(self) -> list[SentPiece]:
        """Parts of files that went."""
        return [read_piece(each.raw) for each in self.put if each.kind == ItemKind.PIECE]

    def events(self) -> list[bytes]:
        """Events that went."""
        return [each.raw for each in self.put if each.kind == ItemKind.EVENT]

    def said(self) -> list[tuple[str, str | None]]:
        """States and reasons of the answers."""
        return [(str(each.state), each.reason) for each in self.answers()]

    def log(self) -> list[ConsoleEntry]:
        """The station's audit log, oldest first."""
        return list(AuditLog(self.place.engine, self.place.folder).every(AuditQuery()))[::-1]

    def _ack(self) -> None:
        self.acked += 1

    def _put(self, items: Sequence[UpItem], _priority: Priority) -> None:
        if self.dies:
            self.dies = False
            raise OSError("the outbox's disk")
        self.put += items


def private(path: Path) -> Ed25519PrivateKey:
    """The key in a file."""
    return private_key(path)


def is_heeded(body: bytes, kind: str = "picture", shard: str = "s01", commune: str = COMMUNE) -> bool:
    """Whether a station takes it for one of the province."""
    with suppress(WireError):
        read_request(kind, body, False, shard, commune, KEY.public_key())
        return True
    return False
