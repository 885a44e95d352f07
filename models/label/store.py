"""Every picture's labels on the disk: SQLite in the folder itself, so that each stroke is there or is not.

Invariants
1. What `save` has returned from is on the disk, after kill -9 and after a power cut.
2. A sheet is saved only over the version that its writer has seen: two tabs never overwrite each other unseen.
3. Proposals never become labels here, and come only to a picture that nobody has touched.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.errors import ModelError
from agent.translatable import tr
from models.label.sheet import DrawnBox, LabelSheet, ProposedBox

FILE = "labels.sqlite3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pictures (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL DEFAULT '', taken TEXT NOT NULL DEFAULT '',
  condition TEXT NOT NULL DEFAULT '', width INTEGER NOT NULL DEFAULT 0, height INTEGER NOT NULL DEFAULT 0,
  fault TEXT NOT NULL DEFAULT '', gone INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'open',
  boxes TEXT NOT NULL DEFAULT '[]', proposals TEXT NOT NULL DEFAULT '[]', proposed_by TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS by_revision ON pictures (revision);
"""
_SUMMARY = (
    "id, name, camera, fault, state, json_array_length(boxes) AS boxes,"
    " json_array_length(proposals) AS proposals, revision"
)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture with its labels, and the version that a change must name."""

    id: int
    name: str
    camera: str
    taken: datetime | None
    condition: str
    width: int
    height: int
    fault: str
    """Why it cannot be shown; empty where it can."""
    sheet: LabelSheet
    proposed_by: str
    """Hash of the model that has looked; empty where none has."""
    version: int


class StaleSheet(Exception):
    """Somebody else has saved this picture meanwhile."""


class LabelStore:
    """The labels of one folder. May be called from many threads."""

    def __init__(self, folder: Path) -> None:
        """Open it, or begin one.

        Raises:
            ModelError: it cannot be written, or is no such file.
        """
        self.path = folder / FILE
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        try:
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._connection.close()
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> ModelError:
        return ModelError(
            tr("{path}: cannot be opened: {error}", path=self.path, error=error),
            tr("The folder must be writable; what is labelled is kept in this file."),
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    # ---------------------------------------------------------------------------------- facts

    def fact(self, name: str) -> str:
        """What was noted under this name; empty where nothing was."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row["value"]) if row else ""

    def note(self, name: str, value: str) -> None:
        """Note something about the set."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # ---------------------------------------------------------------------------------- pictures

    def names(self) -> dict[str, bool]:
        """Every picture that was ever here, and whether it can be shown."""
        with self._lock:
            rows = self._connection.execute("SELECT name, fault FROM pictures").fetchall()
        return {row["name"]: not row["fault"] for row in rows}

    def take_in(self, rows: Iterable[PictureRow]) -> None:
        """Add pictures, or bring what is known of their files up to date; labels that are here stay."""
        values = [
            (row.name, row.camera, row.taken.isoformat() if row.taken else "", row.condition, row.width,
             row.height, row.fault, row.sheet.state, _dumped(row.sheet.boxes), _dumped(row.sheet.proposals))
            for row in rows
        ]  # fmt: skip
        with self._lock, self._transaction():
            self._connection.executemany(
                "INSERT INTO pictures (name, camera, taken, condition, width, height, fault, state, boxes,"
                " proposals) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " width = excluded.width, height = excluded.height, fault = excluded.fault",
                values,
            )

    def keep_only(self, names: Sequence[str]) -> None:
        """Hide what is not among these names: its file is gone. It comes back with the file."""
        with self._lock, self._transaction():
            self._connection.execute("UPDATE pictures SET gone = 1")
            self._connection.executemany(
                "UPDATE pictures SET gone = 0 WHERE name = ?", [(name,) for name in names]
            )

    def summaries(self, since: int = -1) -> list[dict[str, Any]]:
        """How each picture stands that was changed after this revision, in the order of their names."""
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_SUMMARY} FROM pictures WHERE NOT gone AND revision > ? ORDER BY name",  # noqa: S608
                (since,),
            ).fetchall()
        return [dict(row) for row in rows]

    def picture(self, number: int) -> PictureRow | None:
        """One picture; None where there is none of this number."""
        found = self._rows("id = ?", number)
        return found[0] if found else None

    def done(self) -> list[PictureRow]:
        """What somebody has looked at and called done, in the order of names."""
        return self._rows("state = 'done' AND fault = ''")

    def without_proposals(self, model: str, first: int = 0) -> PictureRow | None:
        """The next picture that nobody has touched and this model has not seen; `first` goes before others.

        Boxes that it came with are not of whoever labels: of the rest of such a picture nothing is said.
        """
        found = self._rows(
            "version = 0 AND state = 'open' AND fault = '' AND proposed_by <> ?",
            model, order=f"id <> {int(first)}, name LIMIT 1",
        )  # fmt: skip
        return found[0] if found else None

    # ---------------------------------------------------------------------------------- changes

    def save(self, number: int, sheet: LabelSheet, version: int) -> int:
        """Put a sheet in the place of the version that its writer saw; the new version.

        Raises:
            StaleSheet: that is not the version here.
        """
        with self._lock, self._transaction():
            changed = self._connection.execute(
                "UPDATE pictures SET state = ?, boxes = ?, proposals = ?, version = version + 1,"
                " revision = (SELECT max(revision) + 1 FROM pictures) WHERE id = ? AND version = ?",
                (sheet.state, _dumped(sheet.boxes), _dumped(sheet.proposals), number, version),
            ).rowcount
        if not changed:
            raise StaleSheet
        return version + 1

    def propose(self, number: int, model: str, proposals: Sequence[ProposedBox]) -> None:
        """Lay proposals beside a picture, if nobody has touched it meanwhile."""
        with self._lock, self._transaction():
            self._connection.execute(
                "UPDATE pictures SET proposals = ?, proposed_by = ?,"
                " revision = (SELECT max(revision) + 1 FROM pictures) WHERE id = ? AND version = 0",
                (_dumped(proposals), model, number),
            )

    @property
    def revision(self) -> int:
        """Counts the changes of the whole set."""
        with self._lock:
            return int(
                self._connection.execute("SELECT max(0, max(revision)) FROM pictures").fetchone()[0] or 0
            )

    # ---------------------------------------------------------------------------------- inside

    def _rows(self, where: str, *values: Any, order: str = "name") -> list[PictureRow]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT * FROM pictures WHERE NOT gone AND {where} ORDER BY {order}",  # noqa: S608
                values,
            ).fetchall()
        return [_row(row) for row in rows]

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection)


class _Transaction:
    """All of it or nothing; a fault of the disk is told in a line."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as fault:
                self._connection.execute("ROLLBACK")
                raise ModelError(
                    tr("nothing was saved: {error}", error=fault), tr("Make room on the disk.")
                ) from fault
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _dumped(boxes: Sequence[DrawnBox]) -> str:
    return json.dumps([box.model_dump() for box in boxes], ensure_ascii=False, separators=(",", ":"))


def _row(row: sqlite3.Row) -> PictureRow:
    sheet = LabelSheet.model_validate(
        {"state": row["state"], "boxes": json.loads(row["boxes"]), "proposals": json.loads(row["proposals"])}
    )
    return PictureRow(
        id=row["id"], name=row["name"], camera=row["camera"],
        taken=datetime.fromisoformat(row["taken"]) if row["taken"] else None, condition=row["condition"],
        width=row["width"], height=row["height"], fault=row["fault"], sheet=sheet,
        proposed_by=row["proposed_by"], version=row["version"],
    )  # fmt: skip
