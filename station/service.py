"""The station as a service: every part, in the order in which it starts."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import structlog

from agent import log as lines
from agent.errors import NgatuError
from agent.stop_signals import StopSignals
from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.audit.integrity import StoreCheck
from station.audit.picture_scan import PictureScan
from station.backup.due import BackupWatch
from station.backup.journal import BackupJournal, forget_run
from station.backup.restore import refuse_half
from station.boxes.blind_watch import BlindWatch
from station.config import StationConfig
from station.counting.upkeep import StoreUpkeep
from station.footage import identity as identities
from station.footage.arrival.intake import FootageIntake
from station.footage.custody import CustodyBook
from station.footage.desk import FootageDesk
from station.footage.heard import heard_links
from station.ingest.rivals import Lives
from station.ingest.subscriber import Subscriber
from station.retention.worker import RetentionWatch
from station.store.blobs import BLOBS
from station.store.database import claimed, engine_of, shown, url_of
from station.store.store import Store
from station.store.wal.checkpoint import LogCheckpoint
from station.uplink.settings import UplinkSettings
from station.web.process import ScreenProcess

log = structlog.get_logger("station.service")


LIVES = "lives"
"""File of `state_dir` with the sessions that this station had at the broker."""


def run(
    config: StationConfig,
    for_s: float | None = None,
    *,
    take_over: bool = False,
    on_screen: Callable[[str, str | None], None] = lambda _url, _password: None,
) -> None:
    """Take in what the commune's boxes tell, until a signal says stop, or for so many seconds.

    Another station of the commune is waited for, unless `take_over` says that it is to be replaced.
    `on_screen` hears where the screen is, if there is one, and the password of the first administrator, who is
    made now if nobody has an account.

    Raises:
        StoreError: the store cannot be used.
        NgatuError: another file of its folder cannot be.
        BrokerRefused: the broker refuses the station at its first connection.
    """
    lines.configure(config.log.level, config.log.format)
    url = url_of(config.database, config.state_dir)
    scan = PictureScan(engine_of(url, writes=False), config.state_dir / BLOBS, config.pictures.look_s)
    check = StoreCheck(engine_of(url, writes=False))
    retention = RetentionWatch(config.retention, url, config.state_dir, lambda: check.sound)
    blind = BlindWatch(engine_of(url, writes=False), config.commune)
    upkeep, checkpoint = StoreUpkeep(url), LogCheckpoint(url)
    with (
        claimed(config.state_dir),
        ExitStack() as left,
        closing(open_store(config, left, scan.tell, check.tell, retention.tell, blind.tell)) as store,
        closing(scan),
        closing(check),
        closing(retention),
        closing(blind),
        closing(upkeep),
        closing(checkpoint),
    ):
        for beside in (scan, check, retention, blind, upkeep, checkpoint):
            beside.start()
        lives = Lives(config.state_dir / LIVES)
        subscriber = Subscriber(config.subscriber(), store, lives=lives, take_over=take_over)
        StopSignals(subscriber.stop)
        if config.web is not None:
            open_screen(config, left, subscriber, on_screen)
        if config.uplink is not None:
            open_uplink(config, config.uplink, left)
        gc.collect()
        gc.freeze()  # what the start has made stays: no later collection need look at it
        log.info("started", commune=config.commune, store=shown(url))
        subscriber.run(for_s)
        counters = subscriber.counters
        log.info("stopped", kept=counters.committed, receipted=counters.receipted, repeated=counters.duplicates)


def open_store(config: StationConfig, left: ExitStack, *more_duties: Callable[[Store], None]) -> Store:
    """The store with what else is done in its turn; what must be closed after it is left to `left`.

    Raises:
        StoreError: the store cannot be used, or a restore has left it half.
    """
    refuse_half(config.state_dir)
    duties = list(more_duties)
    reads = engine_of(url_of(config.database, config.state_dir), writes=False)
    left.callback(reads.dispose)
    heard = partial(heard_links, reads)
    desk = FootageDesk(identities.path_of(config), CustodyBook(config.state_dir), heard)
    left.enter_context(closing(desk))
    more: dict[str, Any] = {"footage": FootageIntake(config.state_dir, config.footage.max_bytes, desk.put)}
    desk.start()
    if config.backup.folder is not None:
        duties.append(BackupWatch(config.backup, config.state_dir).tell)
    if config.backup.folder is not None and config.backup.journal:
        goes_on = config.backup.journal_away == "go_on"
        journal = left.enter_context(
            closing(BackupJournal(config.backup.folder, config.state_dir, goes_on=goes_on))
        )
        duties.append(journal.tell)  # the last: what it raises ends the turn
        more["journal"] = journal.append
    else:
        forget_run(config.state_dir)
    gap_after_s, quota = config.ingest.gap_after_s, config.quota
    engine = engine_of(url_of(config.database, config.state_dir))
    return Store(engine, config.state_dir, gap_after_s, quota=quota, duties=duties, **more)


def open_screen(
    config: StationConfig, left: ExitStack, subscriber: Subscriber, on_screen: Callable[[str, str | None], None]
) -> None:
    """Start the screen's process beside this one; where nobody has an account yet, the first is made."""
    assert config.web is not None
    writes = engine_of(url_of(config.database, config.state_dir))
    try:
        password = Accounts(writes, AuditLog(writes, config.state_dir)).first_administrator()
    finally:
        writes.dispose()
    on_screen(config.web.address, password)
    left.enter_context(closing(ScreenProcess(config, subscriber.standing))).start()


def open_uplink(config: StationConfig, settings: UplinkSettings, left: ExitStack) -> None:
    """Tell the province beside the service, which does not wait for it and goes on where that cannot be."""
    # Here: a station without one needs neither outbox nor forwarder.
    from station.uplink.requests.opened import open_desk  # noqa: PLC0415
    from station.uplink.uplink import Uplink  # noqa: PLC0415

    url = url_of(config.database, config.state_dir)
    reads, writes = engine_of(url, writes=False), engine_of(url)
    left.callback(reads.dispose)
    left.callback(writes.dispose)
    desk = None
    try:
        desk = open_desk(settings, config.commune, config.state_dir, reads, writes, station=config)
    except NgatuError as error:
        log.error("requests_off", why=error.what, hint=error.hint)  # noqa: TRY400  (it says all)
    try:
        uplink = left.enter_context(
            closing(Uplink(settings, config.commune, config.state_dir, reads, requests=desk))
        )
    except NgatuError as error:
        log.error("uplink_off", why=error.what, hint=error.hint)  # noqa: TRY400  (it says all)
    else:
        uplink.start()
