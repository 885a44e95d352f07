"""The station as a service: every part, in the order in which it starts."""

from __future__ import annotations

import signal
from contextlib import closing

import structlog

from agent import log as lines
from station.audit.picture_scan import PictureScan
from station.config import StationConfig
from station.ingest.subscriber import Subscriber
from station.store.database import claimed, engine_of, shown, url_of
from station.store.store import BLOBS, Store

log = structlog.get_logger("station.service")


def run(config: StationConfig, for_s: float | None = None) -> None:
    """Take in what the commune's boxes tell, until a signal says stop, or for so many seconds.

    Raises:
        StoreError: the store cannot be used.
        BrokerRefused: the broker refuses the station at its first connection.
    """
    lines.configure(config.log.level, config.log.format)
    url = url_of(config.database, config.state_dir)
    scan = PictureScan(engine_of(url, writes=False), config.state_dir / BLOBS, config.pictures.look_s)
    with (
        claimed(config.state_dir),
        closing(
            Store(
                engine_of(url),
                config.state_dir,
                config.ingest.gap_after_s,
                quota=config.quota,
                duties=[scan.tell],
            )
        ) as store,
        closing(scan),
    ):
        scan.start()
        subscriber = Subscriber(config.subscriber(), store)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: subscriber.stop())
        log.info("started", commune=config.commune, store=shown(url))
        subscriber.run(for_s)
        counters = subscriber.counters
        log.info("stopped", kept=counters.committed, receipted=counters.receipted, repeated=counters.duplicates)
