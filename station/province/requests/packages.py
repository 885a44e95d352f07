"""Footage that came on request, for whoever may see its commune: the file as the commune handed it up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from station.store.database import in_words

AT_ONCE: Final = 32
"""Pieces that are read in one transaction: 3 MiB."""
_FIND: Final = text(
    "select file_name, file_bytes, file_sha256 from seen.request where id = :id and complete_ms is not null "
    "and exists (select from seen.request_piece where request_id = request.id)"
)
_READ: Final = text(
    "select data from seen.request_piece where request_id = :id and number >= :number "
    "order by number limit :most"
)


@dataclass(frozen=True, slots=True)
class ArrivedPackage:
    """A file that is here whole, with the hash that its station announced."""

    request_id: str
    name: str
    size_bytes: int
    sha256: str


class ArrivedPackages:
    """For any number of threads; the engine says to whom which commune is open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, request_id: str) -> ArrivedPackage | None:
        """What came by a request; None: there is none for him, or not all of it is here.

        Raises:
            StoreError: the database cannot be read.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                row = connection.execute(_FIND, {"id": request_id}).first()
        except SQLAlchemyError as error:
            raise in_words(error, self._engine.url) from error
        return None if row is None else ArrivedPackage(request_id, *row)

    def blocks(self, package: ArrivedPackage) -> Iterator[bytes]:
        """Its bytes, some at a time.

        They end early where it is deleted meanwhile: whoever fetches it sees that by the number promised.

        Raises:
            StoreError: the database cannot be read.
        """
        number, left = 0, package.size_bytes
        while left > 0:
            asked = {"id": package.request_id, "number": number, "most": AT_ONCE}
            try:
                with self._engine.connect() as connection, connection.begin():
                    found = [bytes(each) for each in connection.scalars(_READ, asked)]
            except SQLAlchemyError as error:
                raise in_words(error, self._engine.url) from error
            if not found:
                return
            number += len(found)
            for data in found:
                left -= len(data)
                yield data
