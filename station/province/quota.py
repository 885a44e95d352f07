"""How much is taken of one commune in a day, so that none fills the province's disk or takes the time of all.

Invariants
1. What is kept of a commune in a day of UTC is no more than its quota, by bytes and by items, and a quarter
   more of what it says of itself.
2. What is refused has no receipt: it waits in the outbox of the station's uplink, and comes again.
3. What is used is written in the transaction that keeps it: a worker that takes over gives no second quota.
4. What holds no alert may use three quarters: a flood of anything else leaves alerts their room.

Bytes are those of an envelope unpacked, and ROW_BYTES for each item: the wire says little of a disk.
What a station says of itself (state, hello, seals of its uplink) counts too, and may use a quarter more than
all: so a commune over its quota can be seen, and who makes up lives and streams without end is bounded as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from station.ingest.inbound import InboundMessage
from station.province.inbound import UpMessage
from station.province.settings import ROW_BYTES, CommuneQuota
from station.uplink.envelope import ENVELOPE, ItemKind

SHARE_WITHOUT_ALERT: Final = 0.75
SHARE_OF_ITSELF: Final = 1.25
_ALERT: Final = re.compile(rb'"severity" ?: ?"alert"')
_LOAD: Final = text(
    "select commune.name, size_bytes, items, refused, refused_bytes from commune_usage "
    "join commune on commune.id = commune_id where commune.name = any(:communes) and day = :day"
)
_WRITE: Final = text(
    "insert into commune_usage (commune_id, day, size_bytes, items, refused, refused_bytes, refused_ms) "
    "select commune.id, used.day, used.size_bytes, used.items, used.refused, used.refused_bytes, :refused_ms "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as used(commune text, day integer, size_bytes bigint, "
    "items bigint, refused bigint, refused_bytes bigint) join commune on commune.name = used.commune "
    "on conflict (commune_id, day) do update set size_bytes = excluded.size_bytes, "
    "items = excluded.items, refused = excluded.refused, refused_bytes = excluded.refused_bytes, "
    "refused_ms = coalesce(excluded.refused_ms, commune_usage.refused_ms)"
)


@dataclass(slots=True)
class CommuneDay:
    """What a commune has used on one day."""

    day: int
    """Since 1970."""
    size_bytes: int = 0
    items: int = 0
    refused: int = 0
    """Envelopes; one that came again is counted again."""
    refused_bytes: int = 0


class CommuneUsage:
    """What each commune has used today; `load` those of a batch before anything is asked about them."""

    def __init__(self, settings: CommuneQuota) -> None:
        self._settings = settings
        self._used: dict[str, CommuneDay] = {}
        self._refused: dict[str, int] = {}
        """Since the last report."""

    def forget(self) -> None:
        """Read it again: a transaction failed, and what it charged is not so."""
        self._used.clear()

    def load(self, connection: Connection, messages: Iterable[InboundMessage], day: int) -> None:
        """Read what these communes have used."""
        names = {message.device for message in messages}
        lacking = sorted(name for name in names if name not in self._used or self._used[name].day != day)
        if not lacking:
            return
        self._used |= {name: CommuneDay(day) for name in lacking}
        for name, *figures in connection.execute(_LOAD, {"communes": lacking, "day": day}):
            self._used[name] = CommuneDay(day, *figures)

    def lacks(self, messages: Iterable[InboundMessage], day: int) -> bool:
        """Whether something must be loaded first."""
        names = {message.device for message in messages}
        return any(name not in self._used or self._used[name].day != day for name in names)

    def is_full(self, commune: str, size_bytes: int, day: int) -> bool:
        """Whether no envelope is taken today, whatever is in it; what is refused is counted."""
        used = self._used.get(commune)
        if used is None or used.day != day:
            return False
        is_full = used.items >= self._settings.items_per_day or (
            used.size_bytes + ROW_BYTES >= self._settings.bytes_per_day
        )
        if is_full:
            self._refuse(commune, size_bytes)
        return is_full

    def admitted(self, messages: Sequence[InboundMessage], day: int) -> list[InboundMessage]:
        """Those for which there is room, the first ones first; what is refused is counted."""
        found, wanted = list[InboundMessage](), dict[str, CommuneDay]()
        for message in messages:
            size_bytes, items = cost_of(message)
            want = wanted.setdefault(message.device, CommuneDay(day))
            if not items or self._has_room(message, want, size_bytes, items):
                found.append(message)
                want.size_bytes += size_bytes
                want.items += items
            else:
                self._refuse(message.device, size_bytes)
        return found

    def charge(self, messages: Iterable[InboundMessage]) -> set[str]:
        """They are kept, if the transaction ends well; else `forget`. Whose they are."""
        charged = set[str]()
        for message in messages:
            size_bytes, items = cost_of(message)
            if items:
                used = self._used[message.device]
                used.size_bytes += size_bytes
                used.items += items
                charged.add(message.device)
        return charged

    def charge_conflicts(self, conflicts: Iterable[tuple[str, int]]) -> set[str]:
        """The same for what is kept beside the first: commune and bytes of each."""
        charged = set[str]()
        for commune, size_bytes in conflicts:
            used = self._used[commune]
            used.size_bytes += size_bytes + ROW_BYTES
            used.items += 1
            charged.add(commune)
        return charged

    def write(self, connection: Connection, communes: Iterable[str], refused_ms: int | None = None) -> None:
        """Write down what these have used (invariant 3)."""
        rows = [
            {"commune": commune} | {name: getattr(self._used[commune], name) for name in CommuneDay.__slots__}
            for commune in sorted(communes)
        ]
        if rows:
            connection.execute(_WRITE, {"rows": json.dumps(rows), "refused_ms": refused_ms})

    def report(self, connection: Connection, day: int, now_ms: int) -> list[tuple[str, dict[str, object]]]:
        """What the operator must hear of whom something was refused since the last report."""
        refused, self._refused = self._refused, {}
        known = [name for name in refused if name in self._used and self._used[name].day == day]
        self.write(connection, known, now_ms)
        hint = "what has no receipt waits at the station and comes on another day; raise quota, or look there"
        return [
            ("commune_over_quota", {"commune": commune, "envelopes": refused[commune], "hint": hint})
            for commune in sorted(refused)
        ]

    def _has_room(self, message: InboundMessage, want: CommuneDay, size_bytes: int, items: int) -> bool:
        used = self._used[message.device]
        share = SHARE_OF_ITSELF
        if message.suffix == ENVELOPE or message.problem is not None:
            share = 1.0 if holds_alert(message) else SHARE_WITHOUT_ALERT
        return (
            used.size_bytes + want.size_bytes + size_bytes <= share * self._settings.bytes_per_day
            and used.items + want.items + items <= share * self._settings.items_per_day
        )

    def _refuse(self, commune: str, size_bytes: int) -> None:
        self._refused[commune] = self._refused.get(commune, 0) + 1
        used = self._used[commune]
        used.refused += 1
        used.refused_bytes += size_bytes


def cost_of(message: InboundMessage) -> tuple[int, int]:
    """Bytes and items that it is charged for; what is no envelope that can be read is one item."""
    if isinstance(message, UpMessage) and message.envelope is not None:
        items = message.envelope.items
        size_bytes = 0
        for each in items:
            size_bytes += each.cost_bytes
        return size_bytes + max(1, len(items)) * ROW_BYTES, max(1, len(items))
    return (len(message.raw) + ROW_BYTES, 1) if message.raw else (0, 0)


def holds_alert(message: InboundMessage) -> bool:
    """Whether an event of severity alert lies in it, by its bytes as boxes write them."""
    if not isinstance(message, UpMessage) or message.envelope is None:
        return False
    return any(each.kind == ItemKind.EVENT and _ALERT.search(each.raw) for each in message.envelope.items)
