"""How long a box waits before it asks a broker again; pure but for chance.

A district whose power comes back must not storm its broker: each wait is drawn anew, and from zero on.
"""

from __future__ import annotations

import random
from typing import Final

from agent.errors import BrokerRefused, DeliveryError
from agent.mqtt.settings import BrokerSettings
from agent.transport import errors

NEXT_S: Final = 5.0
"""Longest wait before the next node of a cluster: two hundred boxes come to it at forty a second."""
TAKEN_FIRST_S: Final = 30.0
TAKEN_S: Final = 300.0
"""Two users of one id would otherwise throw each other out for ever; but a second one is to be told soon."""


def pause_s(
    settings: BrokerSettings, why: DeliveryError, failures: int, *, taken_lately: bool = False
) -> float:
    """Seconds until the next node is asked: soon, unless all of them have been; of one node, as `wait_s`."""
    nodes = len(settings.addresses)
    if nodes == 1 or isinstance(why, errors.SessionTaken | errors.VersionRefused):
        return wait_s(settings, why, failures, taken_lately=taken_lately)
    if (failures + 1) % nodes:
        return random.uniform(0.0, min(NEXT_S, settings.backoff_min_s))  # noqa: S311
    return wait_s(settings, why, failures // nodes)


def wait_s(settings: BrokerSettings, why: DeliveryError, failures: int, *, taken_lately: bool = False) -> float:
    """Seconds until the next attempt, with full jitter: a district that comes back storms no broker.

    `taken_lately` says of a taken session that it has been taken before.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if isinstance(why, errors.SessionTaken):
        return (TAKEN_S if taken_lately else TAKEN_FIRST_S) * random.uniform(0.8, 1.2)  # noqa: S311  no secret hangs on it
    if isinstance(why, errors.VersionRefused) and failures == 0:
        return 0.0
    longest = min(settings.backoff_max_s, settings.backoff_min_s * 2 ** min(failures, 16))
    if isinstance(why, BrokerRefused):
        longest = settings.backoff_max_s
    return random.uniform(0.0, longest)  # noqa: S311
