"""benchmarks.province.real.commune, and intake beside it"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import NgatuError
from benchmarks.province.costs import Curve
from benchmarks.province.real import commune
from benchmarks.province.real.intake import DrivenIntake, Handed
from benchmarks.province.traffic import commune_plan
from station.ingest.settings import SubscriberSettings
from tests.support.brokers import Mosquitto
from tests.support.told_events import COMMUNE

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(300)]


def test_what_an_event_costs_grows_with_its_batch_and_less_than_it(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commune, "SIZES", (1, 30))

    found = commune.commune_costs(start_mosquitto(), tmp_path, lambda _: None, 0.1)

    station = found.station
    assert isinstance(station.written, Curve)
    assert 0 < station.deliver_s.of(1, 1) < station.deliver_s.of(30, 30) < 30 * station.deliver_s.of(1, 1)
    assert 0 < station.written.of(1, 1) < station.written.of(30, 30) < 30 * station.written.of(1, 1)
    assert all(each > 0 for each in (station.wake_s, station.read_s, found.broker_s, found.box_bytes))
    assert 12_000 < found.picture_bytes < found.event_bytes
    assert 14_000 < found.kept_bytes < 60_000


def test_a_look_of_the_uplink_with_alerts_costs_more_than_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commune, "ALERTS", (0, 1, 4))

    found = commune.uplink_costs(tmp_path, lambda _: None, 0.2)

    assert 0 < found.turn_s.of(0) < found.turn_s.of(4)
    assert 300 < found.envelope_bytes.of(2) < found.envelope_bytes.of(8) < 4 * found.envelope_bytes.of(2)


def test_a_handler_that_keeps_nothing_is_an_error_and_no_cost(
    start_mosquitto: Callable[..., Mosquitto],
) -> None:
    class FullDisk:
        def commit(self, _messages: object) -> None:
            raise NgatuError("the disk is full", "free some space")

    settings = SubscriberSettings(port=start_mosquitto().port, communes=(COMMUNE,), receipts=True)
    driven = DrivenIntake(settings, FullDisk())

    with pytest.raises(NgatuError, match="nothing was kept: the disk is full"):
        driven.hand_over(commune_plan([0.0], 1), 3, Handed(3), lambda: 0.0)
    driven.close()
