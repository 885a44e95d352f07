"""What every page stands on: the configuration, two engines of the store, people, and the feed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.translatable import restored
from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.access.audit_watch import AuditWatch
from station.access.log_in import LogIn
from station.access.passwords import HashCost, Passwords
from station.access.sessions import Sessions
from station.boxes.orders import OrderDesk
from station.boxes.plans import Plans
from station.boxes.pressing import pressing
from station.boxes.wall import BoxWall
from station.config import StationConfig, WebSettings
from station.footage.custody import CustodyBook
from station.handover.dossier import Dossiers
from station.province.desk import away_communes, opened_to, reading, writing
from station.province.requests.book import RequestBook
from station.province.requests.packages import ArrivedPackages
from station.province.requests.pictures import RequestedPictures
from station.review.open_alerts import open_total
from station.store.blobs import BLOBS
from station.store.database import StoreError, current_version, engine_of, in_words, url_of
from station.store.pictures.rows import KeptPictures
from station.web.feed import EventFeed
from station.web.render import Templates
from station.web.tiles import Tiles
from station.web.under_way import AnswersUnderWay

MOST_VIEWS: Final = 200
MOST_SESSIONS: Final = 8
"""Of one account: the desk, the wall, a phone, and what somebody forgot."""


class PicturesByHash(Protocol):
    """Pictures by their hash."""

    def read(self, sha256: str) -> bytes | None:
        """The picture as it came; None: there is none.

        Raises:
            StoreError, OSError: it cannot be read.
        """
        ...


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
    log_in: LogIn
    audit: AuditLog
    audit_watch: AuditWatch
    feed: EventFeed
    pictures: PicturesByHash
    """Those that boxes sent; at the province those that came on request."""
    boxes: BoxWall
    orders: OrderDesk
    plans: Plans
    templates: Templates
    custody: CustodyBook
    dossiers: Dossiers
    """Packages of footage that were looked at lately, judged."""
    tiles: Tiles
    views: dict[str, tuple[Engine, BoxWall]] = field(default_factory=dict)
    """At the province: what may be read by whom these communes are open to, and their boxes."""
    intake: dict[str, str] = field(default_factory=dict)
    """How the intake goes, by the station: `failing` says why nothing is kept at present, `away` why no broker
    is there."""
    ended: threading.Event = field(default_factory=threading.Event)
    under_way: AnswersUnderWay = field(default_factory=AnswersUnderWay)

    @classmethod
    def opened(cls, config: StationConfig, cost: HashCost | None = None) -> DutyConsole:
        """All parts; `cost` is that of a password, where it is another than the usual one.

        Raises:
            StoreError: the store cannot be used, or is of another version.
        """
        web = config.web or WebSettings()
        url = url_of(config.database, config.state_dir)
        of_province = web.scope == "province"
        reads, writes = (
            (reading(url), writing(url)) if of_province else (engine_of(url, writes=False), engine_of(url))
        )
        try:
            with (writes if of_province else reads).connect() as connection, connection.begin():
                current_version(connection)
        except (SQLAlchemyError, StoreError) as error:
            reads.dispose()  # whoever tries again opens it again
            writes.dispose()
            if isinstance(error, StoreError):
                raise
            raise in_words(error, url) from error
        templates = Templates(ZoneInfo(web.time_zone))
        passwords = Passwords(cost)
        audit = AuditLog(writes, config.state_dir, reads)
        accounts = Accounts(writes, audit, reads, passwords)
        custody = CustodyBook(config.state_dir)
        pictures = KeptPictures(reads, config.state_dir / BLOBS)
        sessions = Sessions(writes, web.idle_min * 60.0, web.life_h * 3600.0, MOST_SESSIONS, reads)
        return cls(
            config=config,
            web=web,
            reads=reads,
            writes=writes,
            accounts=accounts,
            sessions=sessions,
            log_in=LogIn(writes, sessions, audit, reads, passwords),
            audit=audit,
            audit_watch=AuditWatch(audit),
            feed=EventFeed(reads),
            pictures=pictures,
            boxes=BoxWall(reads, config.commune),
            orders=OrderDesk(config, web.command_key, pictures),
            plans=Plans(writes, reads),
            templates=templates,
            custody=custody,
            dossiers=Dossiers(custody),
            tiles=Tiles(templates),
        )

    @property
    def of_province(self) -> bool:
        """Whether it shows many communes, and what their stations sent up; else all of one."""
        return self.web.scope == "province"

    def open_to(self, communes: str) -> DutyConsole:
        """At the province: the same for somebody to whom these communes are open (station/province/desk.py)."""
        view = self.views.get(communes)
        if view is None:
            if len(self.views) >= MOST_VIEWS:
                self.views.clear()
            reads = opened_to(self.reads, communes)
            view = self.views[communes] = reads, BoxWall(reads, None, away=partial(away_communes, reads))
        return replace(self, reads=view[0], boxes=view[1], pictures=RequestedPictures(view[0]))

    @property
    def requests(self) -> RequestBook:
        """At the province: what is asked of communes, as far as they are open to whom this is."""
        return RequestBook(self.reads, self.audit, self.web.command_key)

    @property
    def packages(self) -> ArrivedPackages:
        """At the province: footage that came of it."""
        return ArrivedPackages(self.reads)

    def pressing_numbers(self) -> dict[str, int]:
        """How many alerts are open, and how much of boxes and cameras needs help: open, needing.

        Raises:
            StoreError: the store cannot be read.
        """
        return {"open": open_total(self.reads), "needing": len(pressing(self.boxes.now().boxes))}

    @property
    def zone(self) -> ZoneInfo:
        """By which moments are shown."""
        return self.templates.zone

    @property
    def now_ms(self) -> int:
        """By this machine's clock."""
        return round(time.time() * 1000)

    @property
    def url(self) -> str:
        """What is typed into a browser."""
        return f"{self.web.address.rstrip('/')}/"

    def hear(self, intake: Mapping[str, Any]) -> None:
        """How the intake goes, as its process put it (agent.translatable.plain)."""
        self.intake = {name: restored(text) for name, text in intake.items() if text is not None}

    def end(self) -> None:
        """The station ends: screens that follow are let go."""
        self.ended.set()
        self.feed.close()

    def close(self) -> None:
        """Let go of the store."""
        self.end()
        self.reads.dispose()
        self.writes.dispose()
