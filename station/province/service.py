"""A worker of the province as a service: it waits for its shard, and serves it while it has it."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from agent import log as lines
from agent.stop_signals import StopSignals
from station.ingest.subscriber import Subscriber
from station.province.inbound import STATIONS
from station.province.settings import ProvinceConfig
from station.province.store import ProvinceStore, upgrade
from station.store.database import StoreError, engine_of, shown, url_of

log = structlog.get_logger("station.province.service")

ASK_S: Final = 1.0
"""How often a worker that waits asks for its shard."""


class ShardWorker:
    """One life of a worker."""

    def __init__(self, config: ProvinceConfig) -> None:
        self._config = config
        self._stop = threading.Event()
        self._subscriber: Subscriber | None = None

    def stop(self) -> None:
        """End `run` soon; from any thread or from a signal handler."""
        self._stop.set()
        self._lose()

    def run(self, for_s: float | None = None) -> None:
        """Serve the shard until `stop`, or for so many seconds.

        Raises:
            StoreError: the database cannot be used at the start.
            BrokerRefused: the broker refuses the worker at its first connection.
        """
        config = self._config
        ends_s = time.monotonic() + for_s if for_s is not None else float("inf")
        engine = engine_of(url_of(config.database, Path()))
        try:
            upgrade(engine)
        except StoreError:
            engine.dispose()
            raise
        kept = ProvinceStore(
            engine,
            config.shard,
            config.retention_months,
            on_lost=self._lose,
            quota=config.quota,
            picture_days=config.requests.picture_days,
            max_footage_bytes=config.requests.max_footage_bytes,
        )
        with closing(kept) as store:
            while self._has_turn(store, ends_s):
                self._subscriber = Subscriber(
                    config.subscriber(), store, lives=store, take_over=True, dialect=STATIONS
                )
                if not self._stop.is_set():
                    log.info("shard_taken", shard=config.shard, store=shown(engine.url))
                    gc.collect()
                    gc.freeze()
                    self._subscriber.run(None if for_s is None else ends_s - time.monotonic())
                if store.lock.held:
                    return
                log.warning("shard_lost", shard=config.shard, hint="another worker has it; this one waits")

    def _has_turn(self, store: ProvinceStore, ends_s: float) -> bool:
        """Wait for the shard; False: the end came first."""
        waited, trouble = False, None
        while not self._stop.is_set() and time.monotonic() < ends_s:
            try:
                if store.lock.take():
                    return True
                trouble = None
                if not waited:
                    log.info("shard_waits", shard=self._config.shard)
                waited = True
            except StoreError as error:
                if trouble is None:
                    log.warning("province_store_away", why=error.what)
                trouble = error.what
            self._stop.wait(ASK_S)
        return False

    def _lose(self) -> None:
        if self._subscriber is not None:
            self._subscriber.stop()


def run(config: ProvinceConfig, for_s: float | None = None) -> None:
    """Serve a shard until a signal says stop.

    Raises:
        StoreError: the database cannot be used.
        BrokerRefused: the broker refuses the worker at its first connection.
    """
    lines.configure(config.log.level, config.log.format)
    worker = ShardWorker(config)
    StopSignals(worker.stop)
    worker.run(for_s)
