"""How far each webhook is, kept in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, select
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words
from station.store.schema import webhook
from station.store.statements.inserts import insert_once

MAX_TROUBLE_CHARS = 300


@dataclass(frozen=True, slots=True)
class HookProgress:
    """How far one is."""

    name: str
    begun_ms: int
    feed_id: int
    """All up to it was delivered, or given up."""
    delivered: int = 0
    given_up: int = 0
    """After days without success, or because it had gone out of the feed before."""
    delivered_ms: int | None = None
    failing_ms: int | None = None
    """Since when the next one has not been taken; None: it goes on."""
    trouble: str | None = None
    """Why, in words; English."""


class HookBook:
    """Rows of the table."""

    def __init__(self, writes: Engine) -> None:
        self._engine = writes

    def begin(self, name: str, feed_id: int, now_ms: int) -> HookProgress:
        """How far this one is; one that is new begins after `feed_id`.

        Raises:
            StoreError: the store cannot be read or written.
        """
        row = {"name": name, "begun_ms": now_ms, "feed_id": feed_id, "delivered": 0, "given_up": 0}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert_once(connection, webhook), [row])
                found = connection.execute(select(webhook).where(webhook.c.name == name)).one()
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error
        return _progress(found)

    def keep(self, progress: HookProgress) -> None:
        """Note how far it is; on disk when it returns.

        Raises:
            StoreError: the store cannot be written.
        """
        values = {
            "feed_id": progress.feed_id,
            "delivered": progress.delivered,
            "given_up": progress.given_up,
            "delivered_ms": progress.delivered_ms,
            "failing_ms": progress.failing_ms,
            "trouble": progress.trouble and progress.trouble[:MAX_TROUBLE_CHARS],
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(webhook.update().where(webhook.c.name == progress.name).values(values))
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error

    def every(self) -> tuple[HookProgress, ...]:
        """All that there ever were, by name.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                rows = connection.execute(select(webhook).order_by(webhook.c.name)).all()
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error
        return tuple(map(_progress, rows))


def _progress(row: Row[Any]) -> HookProgress:
    return HookProgress(**row._mapping)
