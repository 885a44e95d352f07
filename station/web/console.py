"""What every page stands on: the configuration, two engines of the store, people, and the feed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.access.sessions import Sessions
from station.config import StationConfig, WebSettings
from station.store.blobs import BLOBS
from station.store.database import current_version, engine_of, url_of
from station.web.feed import EventFeed
from station.web.render import Templates


@dataclass(slots=True)
class DutyConsole:
    """The screen's parts; one in a process, used by many threads."""

    config: StationConfig
    web: WebSettings
    reads: Engine
    writes: Engine
    """For accounts, sessions, audit entries, reviews and plans; never for what boxes said."""
    accounts: Accounts
    sessions: Sessions
    audit: AuditLog
    feed: EventFeed
    templates: Templates
    intake: dict[str, Any] = field(default_factory=dict)
    """How the intake goes, by the station: `failing` says why nothing is kept at present."""
    ended: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def opened(cls, config: StationConfig) -> DutyConsole:
        """All parts.

        Raises:
            StoreError: the store cannot be used, or is of another version.
        """
        web = config.web or WebSettings()
        url = url_of(config.database, config.state_dir)
        reads, writes = engine_of(url, writes=False), engine_of(url)
        with reads.connect() as connection, connection.begin():
            current_version(connection)
        return cls(
            config=config,
            web=web,
            reads=reads,
            writes=writes,
            accounts=Accounts(writes),
            sessions=Sessions(writes, idle_s=web.idle_min * 60.0, life_s=web.life_h * 3600.0),
            audit=AuditLog(writes, config.state_dir),
            feed=EventFeed(reads),
            templates=Templates(ZoneInfo(web.time_zone)),
        )

    @property
    def blobs(self) -> Path:
        """The folder of pictures."""
        return self.config.state_dir / BLOBS

    @property
    def zone(self) -> ZoneInfo:
        """By which moments are shown."""
        return self.templates.zone

    @property
    def url(self) -> str:
        """What is typed into a browser."""
        host = f"[{self.web.host}]" if ":" in self.web.host else self.web.host
        return (self.web.public_url or f"http://{host}:{self.web.port}").rstrip("/") + "/"

    def hear(self, intake: dict[str, Any]) -> None:
        """How the intake goes."""
        self.intake = intake

    def end(self) -> None:
        """The station ends: screens that follow are let go."""
        self.ended.set()
        self.feed.close()

    def close(self) -> None:
        """Let go of the store."""
        self.end()
        self.reads.dispose()
        self.writes.dispose()
