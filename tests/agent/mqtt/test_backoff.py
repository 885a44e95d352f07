"""agent.mqtt.backoff"""

from __future__ import annotations

import random

from agent.errors import BrokerRefused, BrokerUnreachable
from agent.mqtt.backoff import NEXT_S, pause_s, wait_s
from agent.mqtt.settings import BrokerSettings
from agent.transport import errors


def test_a_node_that_is_gone_is_left_soon_and_a_cluster_that_is_gone_is_asked_slowly() -> None:
    random.seed(3)
    settings = BrokerSettings(hosts=("south", "west"))
    why = BrokerUnreachable("gone")
    waits = [[pause_s(settings, why, failures) for _ in range(200)] for failures in range(9)]
    assert all(max(waits[n]) <= NEXT_S for n in (0, 1, 3, 4, 6, 7))
    assert max(waits[2]) > NEXT_S
    assert max(waits[8]) > 2 * max(waits[2])


def test_two_hundred_boxes_do_not_storm_a_broker_that_comes_back() -> None:
    """Promise P12: at most 40 connections a second, and all back within 120 s; here by arithmetic."""
    random.seed(12)
    settings, why = BrokerSettings(), BrokerUnreachable("gone")
    away_s = 30.0
    back: list[float] = []
    for _ in range(200):
        moment, failures = 0.0, 0
        while moment < away_s or not failures:
            moment += wait_s(settings, why, failures)
            failures += 1
        back.append(moment)
    peak = max(sum(second <= moment < second + 1 for moment in back) for second in range(200))
    assert peak <= 40
    assert max(back) <= away_s + 120


def test_after_a_short_restart_the_peak_is_bounded_too() -> None:
    random.seed(12)
    back = [wait_s(BrokerSettings(), BrokerUnreachable("gone"), 0) for _ in range(200)]
    assert max(sum(second <= moment < second + 1 for moment in back) for second in range(200)) <= 40


def test_a_taken_session_backs_off_for_half_a_minute_and_then_for_minutes() -> None:
    why = errors.SessionTaken("taken")
    assert 24 <= wait_s(BrokerSettings(), why, 0) <= 36
    assert wait_s(BrokerSettings(), why, 0, taken_lately=True) >= 240


def test_refusals_are_retried_slowly_and_versions_at_once() -> None:
    random.seed(1)
    refused = [wait_s(BrokerSettings(), BrokerRefused("no"), 0) for _ in range(100)]
    assert max(refused) > 30
    assert wait_s(BrokerSettings(), errors.VersionRefused("5"), 0) == 0
