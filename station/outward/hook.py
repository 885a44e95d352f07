"""One webhook at work, in a thread of its own.

Invariants
1. Its messages are tried in the order in which the station kept them; none before the one before it was taken
   or given up. So one that is away delays itself alone, and what waits is in the store, not in memory.
2. What was taken is noted within SAVE_S, and what was not is not noted: after a crash those of the last second
   may come again, under the same id; none is missing.
3. A message is given up only once it is older than `patience_h` and the other side still takes none, or when it
   had left the feed before; both are counted and logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Engine
from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_exponential, wait_random

from agent.errors import NgatuError
from station.outward.calls import CallFailed, Find, HookCaller, HookGone, addresses
from station.outward.feed import OutEvent, after, head
from station.outward.notice import notice, wants
from station.outward.progress import HookBook, HookProgress
from station.outward.settings import WebhookSettings
from station.outward.signing import headers, key_of
from station.store.database import StoreError

log = structlog.get_logger("station.outward.hook")

LOOK_S: Final = 0.5
SAVE_S: Final = 1.0
AGAIN_S: Final = 10.0
"""After the store, or the secret, could not be read."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 3600.0
AT_ONCE: Final = 100
_HOUR_MS: Final = 3_600_000.0


class HookStopped(Exception):
    """The station ends."""


class Hook:
    """One webhook, from `start` to `close`."""

    def __init__(
        self,
        settings: WebhookSettings,
        engines: tuple[Engine, Engine],
        console_url: str,
        *,
        find: Find = addresses,
        first_wait_s: float = FIRST_WAIT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`engines` read and write the store."""
        self._settings, self._console_url, self._now = settings, console_url, now
        self._reads, writes = engines
        self._book = HookBook(writes)
        self._caller = HookCaller(settings, find)
        self._closing = threading.Event()
        self._wait = wait_exponential(first_wait_s, LONGEST_WAIT_S) + wait_random(0, first_wait_s)
        self._thread = threading.Thread(target=self._run, name=f"hook-{settings.name}", daemon=True)
        self._state = HookProgress(settings.name, 0, 0)
        self._kept: HookProgress | None = None
        self._kept_s = 0.0

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """A call that is under way is cut off, and tried again by the next life."""
        self._closing.set()
        self._caller.interrupt()

    def close(self, within_s: float = 2.0) -> None:
        """End it."""
        self.ask_to_end()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._work()
            except HookStopped:
                break
            except HookGone as error:
                log.error("webhook_gone", hook=self._settings.name, why=error.what)  # noqa: TRY400
                break
            except (NgatuError, OSError, KeyError) as error:  # its secret, or the store
                log.warning("webhook_waits", hook=self._settings.name, why=str(error))
                self._closing.wait(AGAIN_S)
        self._caller.close()

    def _work(self) -> None:
        """Deliver until the end."""
        key = key_of(self._settings.secret.read())
        self._state = self._book.begin(self._settings.name, head(self._reads), self._now_ms())
        try:
            while not self._closing.is_set():
                before = self._state.feed_id
                batch = after(self._reads, before, AT_ONCE)
                self._give_up(batch.lost)
                for out in batch.events:
                    if wants(self._settings, out):
                        self._one(out, key)
                    self._step(feed_id=out.feed_id)
                self._step(feed_id=batch.last)
                if batch.last == before:
                    self._closing.wait(LOOK_S)
        finally:
            self._keep()

    def _one(self, out: OutEvent, key: bytes) -> None:
        """Deliver one, or give it up.

        Raises:
            HookStopped, HookGone: it is to be tried by the next life.
        """
        body = notice(out, self._console_url)

        def over(_seen: RetryCallState | None) -> bool:
            return self._now_ms() - out.received_ms > self._settings.patience_h * _HOUR_MS

        def call() -> None:
            if self._closing.is_set():
                raise HookStopped
            self._caller.call(body, headers(key, out.id, int(self._now()), body))

        if self._state.failing_ms is not None and over(None):
            self._give_up(1)  # one was tried in vain just now: not each of very many
            return
        trying = Retrying(
            retry=retry_if_exception(_again),
            wait=self._wait,
            stop=over,
            after=lambda seen: self._failed(seen.outcome.exception() if seen.outcome else None),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            trying(call)
        except HookGone as error:
            self._failed(error)
            raise
        except CallFailed:
            self._give_up(1)
            return
        if self._state.failing_ms is not None:
            log.info("webhook_goes_on", hook=self._state.name)
        delivered = self._state.delivered + 1
        self._step(delivered=delivered, delivered_ms=self._now_ms(), failing_ms=None, trouble=None)

    def _give_up(self, number: int) -> None:
        if number:
            why = self._state.trouble or "it was away for too long"
            log.warning("webhook_gave_up", hook=self._state.name, messages=number, why=why)
            self._step(given_up=self._state.given_up + number)

    def _failed(self, error: BaseException | None) -> None:
        why = error.what if isinstance(error, NgatuError) else type(error).__name__
        if self._state.failing_ms is None:
            log.warning("webhook_fails", hook=self._state.name, why=why)
        self._step(failing_ms=self._state.failing_ms or self._now_ms(), trouble=str(why))
        self._keep()  # whoever looks is to see it

    def _step(self, **changed: Any) -> None:
        """How far it is now; kept within SAVE_S (invariant 2): not each has a second of the disk."""
        self._state = replace(self._state, **changed)
        if time.monotonic() - self._kept_s >= SAVE_S:
            self._keep()

    def _keep(self) -> None:
        if self._state == self._kept:
            return
        try:
            self._book.keep(self._state)
        except StoreError as error:  # what was taken comes again, at worst
            log.warning("webhook_progress_not_kept", hook=self._state.name, why=error.what)
            return
        self._kept, self._kept_s = self._state, time.monotonic()

    def _sleep(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise HookStopped

    def _now_ms(self) -> int:
        return round(self._now() * 1000)


def _again(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and not isinstance(error, HookGone)
