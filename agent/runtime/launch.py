"""From a configuration to a box at work, and from a signal to its orderly end."""

from __future__ import annotations

import faulthandler
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import structlog

from agent import log
from agent.clock import SystemClock
from agent.config import last_good
from agent.config.last_good import Chosen
from agent.errors import NgatuError
from agent.host.core_dump import forbid_core_dumps
from agent.host.supervise import Stop
from agent.runtime.app import Agent
from agent.runtime.parts import Onlooker

logger = structlog.get_logger(__name__)


def run(path: Path, duration_s: float | None = None, onlooker: Onlooker | None = None) -> int:
    """Be the box until SIGTERM or SIGINT, until the station restarts it, or for so many seconds; the exit code.

    `onlooker` is shown what the cameras see.

    Raises:
        NgatuError: the configuration is wrong, or a part could not be built.
    """
    forbid_core_dumps()
    agent, chosen = build(last_good.choose(path), onlooker)
    heed_signals(agent.stop)
    try:
        agent.run(duration_s, lambda: last_good.keep(chosen))
        return agent.exit_code
    finally:
        # The interpreter gives signals their deadly default back while it takes itself down, but not these.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


def build(chosen: Chosen, onlooker: Onlooker | None = None) -> tuple[Agent, Chosen]:
    """An agent by this configuration, or by the last good one if no agent can be built by this.

    Raises:
        NgatuError: a part could not be built.
    """
    log.configure(chosen.config.log.level, chosen.config.log.format)
    with suppress(RuntimeError, ValueError, OSError):  # a standard error that is no file
        faulthandler.enable()  # systemd's watchdog ends with SIGABRT: then the log says where each thread hung
    if chosen.refused is not None:
        logger.error("config_refused", why=chosen.refused, hint="the last good configuration is used")
    try:
        return Agent(chosen.config, SystemClock(), chosen=chosen, onlooker=onlooker), chosen
    except NgatuError as error:
        kept = last_good.last_good(chosen.path, error, chosen.data)
        if kept is None or chosen.refused is not None:
            raise
        return build(kept, onlooker)


def heed_signals(stop: Stop) -> None:
    """From now on SIGTERM and SIGINT set `stop`, however many of them come; for the main thread of a program.

    A thread does it: an Event is not made to be set by a handler, which runs between any two steps of the very
    thread that waits for it, and could wait for itself for ever.
    """
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)

    def listen() -> None:
        while ear.recv(16):
            stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    signal.set_wakeup_fd(mouth.detach(), warn_on_full_buffer=False)  # detached: it lives as long as the process
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)  # the wake-up byte is what counts
