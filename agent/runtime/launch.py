"""From a configuration to a box at work, and from a signal to its orderly end."""

from __future__ import annotations

import faulthandler
from contextlib import suppress
from pathlib import Path

import structlog

from agent import log
from agent.clock import SystemClock
from agent.config import last_good
from agent.config.last_good import Chosen
from agent.errors import NgatuError
from agent.host import relaunch
from agent.host.core_dump import forbid_core_dumps
from agent.runtime.app import Agent
from agent.runtime.parts import AGAIN, Onlooker
from agent.stop_signals import StopSignals

logger = structlog.get_logger(__name__)


def run(path: Path, duration_s: float | None = None, onlooker: Onlooker | None = None) -> int:
    """Be the box until a signal says stop, the station restarts it, or so many seconds are over; the exit code.

    A restart that the station orders is systemd's, or, started by hand, a start of this same process anew: then
    this does not return. `onlooker` is shown what the cameras see.

    Raises:
        NgatuError: the configuration is wrong, or a part could not be built.
    """
    forbid_core_dumps()
    clock = SystemClock()
    began = clock.now()
    agent, chosen = build(last_good.choose(path), onlooker)
    signals = StopSignals(agent.stop.set)
    try:
        agent.run(duration_s, lambda: last_good.keep(chosen))
        if agent.exit_code != AGAIN or relaunch.is_service():
            return agent.exit_code
        left_s = None if duration_s is None else duration_s - clock.now().since(began)
        if signals.release() or (left_s is not None and left_s <= 0):
            return 0  # whoever wants it to end is obeyed, also while it was about to begin anew
        relaunch.again(left_s)
    finally:
        signals.ignore()


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
