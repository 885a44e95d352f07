"""What an authority has signed and revoked: a file that only grows, one JSON line per act.

Invariants
1. A certificate is written down, and that is on the disk, before it leaves: none exists that cannot be revoked.
2. Nothing is ever changed or taken out: the file is opened for appending, and synced after each line.
3. A line that a crash cut short was never answered: it is no act, and is cut off before the next one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from agent.errors import NgatuError
from fleet.whole_file import ROOM, in_words, sync_folder

Kind = Literal["box", "station", "operator", "broker", "screen"]
Reason = Literal["unspecified", "keyCompromise", "superseded", "cessationOfOperation"]
KINDS: tuple[Kind, ...] = get_args(Kind)
REASONS: tuple[Reason, ...] = get_args(Reason)
_WHOLE = "take the whole folder of the authority from your copy"


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate and what became of it."""

    serial: int
    kind: Kind
    name: str
    begins: datetime
    ends: datetime
    revoked: datetime | None = None
    reason: Reason | None = None
    key: str = ""
    """The sha256 of the public key, in hex; empty: signed before keys were written down."""

    def good(self, now: datetime) -> bool:
        """Neither revoked nor over."""
        return self.revoked is None and now < self.ends


class CertificateIndex:
    """The file; one program at a time writes to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """An empty one.

        Raises:
            FileExistsError: there is one.
        """
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        sync_folder(self.path.parent)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other program out while the block runs: numbers are given out in it."""
        with in_words(self.path, _WHOLE):
            file = self.path.open("rb")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def issued(self) -> list[Issued]:
        """Every certificate in the order of signing.

        Raises:
            NgatuError: there is no file, or a line that is not the last cannot be read.
        """
        by_serial: dict[int, Issued] = {}
        for number, line in self._lines():
            with self._readable(number):
                _take(json.loads(line), by_serial)
        return list(by_serial.values())

    def crl_number(self) -> int:
        """Number of the last list of the revoked; 0: there was none."""
        last = 0
        for number, line in self._lines():
            with self._readable(number):
                act = json.loads(line)
                last = max(last, int(act["number"])) if act["did"] == "crl" else last
        return last

    def note_issue(self, each: Issued, now: datetime) -> None:
        """A certificate is about to leave."""
        self._append({
            "at": now.isoformat(), "did": "issue", "serial": f"{each.serial:x}", "kind": each.kind,
            "name": each.name, "begins": each.begins.isoformat(), "ends": each.ends.isoformat(),
            "key": each.key,
        })  # fmt: skip

    def note_revocation(self, serial: int, reason: Reason, now: datetime) -> None:
        """A certificate is not to be believed from now on."""
        self._append({"at": now.isoformat(), "did": "revoke", "serial": f"{serial:x}", "reason": reason})

    def note_crl(self, number: int, now: datetime) -> None:
        """A list of the revoked is about to be written."""
        self._append({"at": now.isoformat(), "did": "crl", "number": number})

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with in_words(self.path, _WHOLE):
            *whole, _cut_short = self.path.read_bytes().split(b"\n")  # invariant 3
        yield from enumerate(whole, start=1)

    @contextmanager
    def _readable(self, number: int) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError):  # no JSON, another's, or of a certificate that is not in it
            raise NgatuError(
                f"{self.path}:{number}: this line cannot be read",
                "the file only ever grows: take it from your copy of the authority's folder",
            ) from None

    def _append(self, act: dict[str, str | int]) -> None:
        with in_words(self.path, ROOM), self.path.open("r+b") as file:
            whole = file.read().rpartition(b"\n")
            file.truncate(len(whole[0]) + len(whole[1]))  # invariant 3
            file.seek(0, os.SEEK_END)
            file.write(json.dumps(act).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())  # invariants 1 and 2


def _take(act: dict[str, Any], by_serial: dict[int, Issued]) -> None:
    """What an act has changed."""
    if act["did"] == "issue":
        each = Issued(
            int(act["serial"], 16), act["kind"], act["name"],
            datetime.fromisoformat(act["begins"]), datetime.fromisoformat(act["ends"]),
            key=act.get("key", ""),
        )  # fmt: skip
        by_serial[each.serial] = each
    elif act["did"] == "revoke":
        before = by_serial[int(act["serial"], 16)]
        by_serial[before.serial] = Issued(**{
            **asdict(before), "revoked": datetime.fromisoformat(act["at"]), "reason": act["reason"],
        })  # fmt: skip
