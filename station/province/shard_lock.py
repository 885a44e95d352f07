"""One worker for each shard: a lock in PostgreSQL that goes with the connection over which all is written.

Invariant: who has lost the lock can write nothing. Lock and transactions share one connection, so they end
together; a second worker gets the lock only once the first one's connection is gone at the server.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from agent.translatable import tr
from station.store.database import StoreError, in_words

T = TypeVar("T")

_TAKE: Final = text("select pg_try_advisory_lock(:key)")
_SET_UP: Final = (
    # Whose machine died without a word is noticed by the server within some ten seconds.
    "set tcp_keepalives_idle = 3",
    "set tcp_keepalives_interval = 2",
    "set tcp_keepalives_count = 3",
    "set tcp_user_timeout = 10000",
    "set idle_in_transaction_session_timeout = '60s'",
    # What a worker asks for it asks for by key. Of a table that is still small the planner would rather read
    # the whole for each batch, an analysed one or not.
    "set enable_seqscan = off",
    "set enable_hashjoin = off",
    "set enable_mergejoin = off",
)


class LockLost(StoreError):
    """The connection with the lock is gone, or there is none."""


class ShardLock:
    """The lock of one shard, and the connection that holds it; used by one thread."""

    def __init__(self, engine: Engine, shard: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(sha256(f"ngatu-province/{shard}".encode()).digest()[:8], signed=True)
        self._connection: Connection | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours, as far as anybody knows."""
        return self._connection is not None

    def take(self) -> bool:
        """Whether it is ours now; False: another worker has it.

        Raises:
            StoreError: the database cannot be asked.
        """
        if self._connection is not None:
            return True
        connection: Connection | None = None
        try:
            connection = self._engine.connect()
            with connection.begin():
                for each in _SET_UP:
                    connection.execute(text(each))
                taken = bool(connection.scalar(_TAKE, {"key": self._key}))
        except SQLAlchemyError as error:
            _drop(connection)
            raise in_words(error, self._engine.url) from error
        if not taken:
            _drop(connection)
            return False
        self._connection = connection
        return True

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Do it in one transaction, if the lock is ours.

        Raises:
            LockLost: it is not, any more.
            SQLAlchemyError: the database refuses; the lock is still ours.
        """
        if self._connection is None:
            raise LockLost(tr("this worker does not have its shard"), tr("it waits until it has it again"))
        try:
            with self._connection.begin():
                return job(self._connection)
        except DBAPIError as error:
            if error.connection_invalidated or self._connection.invalidated:
                self.release()
                raise LockLost(in_words(error, self._engine.url).what, tr("it is asked again")) from error
            raise

    def release(self) -> None:
        """Let go of it; safe to call twice."""
        connection, self._connection = self._connection, None
        _drop(connection)


def _drop(connection: Connection | None) -> None:
    """End the connection at the server, and with it the lock: a pool would keep both."""
    if connection is not None:
        with suppress(SQLAlchemyError):
            connection.invalidate()
            connection.close()
