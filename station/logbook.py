"""What `ngatu watch --store` kept in a file, when it still was a station: read, and never written.

The file has three tables. `received` has a row for each number of a stream, with the bytes of all but events
and pictures; these are in `event`, without a number but for the one in their JSON, and in `picture`, by their
hash. Files from before receipts proved anything have no digests.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from agent.errors import NgatuError
from agent.translatable import tr
from agent.wire.channels import MessageKind
from agent.wire.topics import Topics, suffix
from agent.wire.topics import read as read_topic
from station.ingest.inbound import InboundMessage, read

_TABLES = {
    "event": {"commune", "device", "camera", "id", "payload"},
    "received": {"commune", "device", "stream", "seq", "suffix", "raw"},
    "picture": {"commune", "device", "sha256", "event_id", "kind", "jpeg"},
}
_BY_NUMBER = """
create temp table numbered as
    select commune, device, json_extract(payload, '$.stream') as stream, json_extract(payload, '$.seq') as seq,
        payload
    from event;
create index temp.by_number on numbered (commune, device, stream, seq);
create temp table pictured as select commune, device, event_id, kind, sha256, rowid as place from picture;
create index temp.by_event on pictured (commune, device, event_id, kind, place);
"""
_PICTURES_OF = """
select sha256 from pictured where commune = ? and device = ? and event_id is ? and kind is ? order by place
"""
_REVISIONS = "select payload from event where commune = ? and device = ? and id = ? order by revision"
_SHOWN_AS = {"thumbnail": "image", "scene": "scene"}
"""Kind of a picture -> the field of its event that names it."""


class Logbook:
    """One such file, open for reading; beside it nothing is written.

    Raises:
        NgatuError: the file cannot be read, or is none of those.
    """

    def __init__(self, path: Path) -> None:
        self.skipped: list[str] = []
        """Messages that are not whole in the file: box, stream and number."""
        self._path = path
        try:
            self._db = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
            try:
                columns = {table: self._columns(table) for table in _TABLES}
                _is_one(columns, path)
                self._db.executescript(_BY_NUMBER)
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise self._fault(error) from error
        self._digest = "digest" if "digest" in columns["received"] else "null"
        self._used: set[tuple[str, str, str]] = set()

    def __len__(self) -> int:
        """How many numbers it has."""
        (count,) = self._db.execute("select count(*) from received").fetchone()
        return int(count)

    def messages(self) -> Iterator[InboundMessage]:
        """Each as it came, in the order of its number; last the pictures that came without one (MQTT 3.1.1).

        Raises:
            NgatuError: the file is damaged.
        """
        try:
            yield from self._numbered()
            yield from self._unnumbered()
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """End the use of the file."""
        self._db.close()

    def _numbered(self) -> Iterator[InboundMessage]:
        seen = Counter[tuple[str, ...]]()
        query = (
            f"select commune, device, stream, seq, suffix, raw, {self._digest} from received "  # noqa: S608
            "order by commune, device, stream, seq"
        )
        for commune, device, stream, seq, below, raw, digest in self._db.execute(query):
            place = commune, device, stream, below
            body = self._body(place, seq, digest, seen[place]) if raw is None else bytes(raw)
            seen[place] += raw is None
            properties = {"stream": stream, "seq": str(seq)}
            message = None if body is None else _message(commune, device, below, body, properties)
            if message is None or digest not in (None, message.digest) or message.seq != seq:
                self.skipped.append(f"{commune}/{device} {stream}/{seq}")
            else:
                yield message

    def _body(self, place: tuple[str, str, str, str], seq: int, digest: str | None, nth: int) -> bytes | None:
        """Of an event, or of a picture: of several of one event and kind the `nth`, as they came."""
        commune, device, stream, below = place
        kind, names = read_topic("box", below)
        if kind is MessageKind.EVENT:
            query = "select payload from numbered where commune = ? and device = ? and stream = ? and seq = ?"
            found = self._db.execute(query, (commune, device, stream, seq)).fetchone()
            return None if found is None else str(found[0]).encode()
        sha256 = digest
        if sha256 is None:
            hashes = self._named(commune, device, names.get("event_id"), names.get("kind"))
            sha256 = hashes[nth] if nth < len(hashes) else None
        if sha256 is not None:
            self._used.add((commune, device, sha256))
        return self._picture(commune, device, sha256)

    def _named(self, commune: str, device: str, event_id: str | None, kind: str | None) -> list[str]:
        """Hashes of an event's pictures of one kind, each once: as its messages name them, then as they came.

        The same picture may have come for another event as well, and lies in the file once.
        """
        field = _SHOWN_AS.get(kind or "", "")
        rows = self._db.execute(_REVISIONS, (commune, device, event_id))
        named = ((json.loads(row[0]).get(field) or {}).get("sha256") for row in rows)
        came = (row[0] for row in self._db.execute(_PICTURES_OF, (commune, device, event_id, kind)))
        hashes = dict.fromkeys([*named, *came])
        return [each for each in hashes if each and self._picture(commune, device, each) is not None]

    def _unnumbered(self) -> Iterator[InboundMessage]:
        query = (
            "select picture.commune, picture.device, event_id, picture.kind, sha256, min(camera) from picture "
            "join event on event.commune = picture.commune and event.device = picture.device "
            "and event.id = event_id where picture.kind is not null group by picture.rowid"
        )
        for commune, device, event_id, kind, sha256, camera in self._db.execute(query):
            if (commune, device, sha256) not in self._used:
                below = suffix(MessageKind.IMAGE, camera=camera, event_id=event_id, kind=kind)
                jpeg = self._picture(commune, device, sha256)
                message = None if jpeg is None else _message(commune, device, below, jpeg, {})
                if message is not None:
                    yield message

    def _picture(self, commune: str, device: str, sha256: str | None) -> bytes | None:
        query = "select jpeg from picture where commune = ? and device = ? and sha256 = ?"
        found = self._db.execute(query, (commune, device, sha256)).fetchone()
        return None if found is None else bytes(found[0])

    def _columns(self, table: str) -> set[str]:
        return {row[1] for row in self._db.execute(f"pragma table_info({table})")}

    def _fault(self, error: sqlite3.Error) -> NgatuError:
        return NgatuError(
            tr("{path}: {error}", path=self._path, error=error),
            tr("is it there, whole, and may this user read it?"),
        )


def _is_one(columns: dict[str, set[str]], path: Path) -> None:
    if any(not wanted <= columns[table] for table, wanted in _TABLES.items()):
        hint = tr("name the file that `ngatu watch --store` was told")
        raise NgatuError(tr("{path} is no file of `ngatu watch --store`", path=path), hint)


def _message(
    commune: str, device: str, below: str, body: bytes, properties: dict[str, str]
) -> InboundMessage | None:
    try:
        return read(Topics(commune, device).below(below), body, properties)
    except NgatuError:  # a name that no box has
        return None
