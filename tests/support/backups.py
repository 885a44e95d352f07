"""Stores that are copied and brought back: their configurations, and all that they hold."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, create_engine, text

from station.backup.take import Taken, take
from station.config import StationConfig, parse
from station.ingest.inbound import InboundMessage
from station.store.database import engine_of, url_of
from station.store.store import Store
from tests.support.kept_pictures import pictures_on

TABLES = (
    "box",
    "stream",
    "span",
    "message",
    "event_revision",
    "event",
    "picture",
    "blob",
    "conflict",
    "quarantine",
)


BLOB = "sha256, size_bytes, received_ms"
"""Of a picture, but for its place."""


def config(state_dir: Path, url: URL | None = None, more: str = "") -> StationConfig:
    """A station's, with its store in that folder, and its tables in that database if one is named."""
    lines = ["commune: hai-ninh", f"state_dir: {state_dir}", more]
    if url is not None:
        place = url.set(drivername="postgresql").render_as_string(hide_password=False)
        lines.append(f"database: {{url: '{place}'}}")
    return parse("\n".join(lines).encode(), "station.yaml")


def own_database(server: URL) -> URL:
    """An empty database of its own: what dumps a database dumps all of it."""
    name = f"d{uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"create database {name}"))
    finally:
        engine.dispose()
    return server.set(database=name)


def opened(settings: StationConfig, **more: Any) -> Store:
    """The store of a station."""
    return Store(engine_of(url_of(settings.database, settings.state_dir)), settings.state_dir, **more)


def keep(settings: StationConfig, *batches: list[InboundMessage], **more: Any) -> None:
    """Have a store keep these, batch by batch."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with closing(opened(settings, **more)) as store:
        for batch in batches:
            store.commit(batch)


def held(settings: StationConfig) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that holds what came, and the bytes of every picture, wherever they lie."""
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    try:
        with engine.connect() as connection:
            rows = {
                name: sorted(
                    (tuple(row) for row in connection.execute(text(f"select {columns} from {name}"))), key=repr
                )
                for name, columns in ((name, "*" if name != "blob" else BLOB) for name in TABLES)
            }
    finally:
        engine.dispose()
    return rows | {"files": sorted(pictures_on(settings.state_dir / "blobs").items())}


def took(settings: StationConfig, folder: Path, **more: Any) -> Taken:
    """A backup, in silence."""
    return take(settings, folder, lambda *_: None, **more)
