"""Pictures that came on request, by their hash, for whoever may see their commune."""

from __future__ import annotations

from hashlib import sha256 as sha256_of

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words

_READ = text("select data from seen.picture where sha256 = :sha256 limit 1")


class RequestedPictures:
    """For any number of threads; the engine says to whom which commune is open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, sha256: str) -> bytes | None:
        """The picture as it came; None: there is none for him, or its bytes are others now.

        Raises:
            StoreError: the database cannot be read.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                found = connection.scalar(_READ, {"sha256": sha256})
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error
        data = None if found is None else bytes(found)
        return data if data is not None and sha256_of(data).hexdigest() == sha256 else None
