"""benchmarks.intake, benchmarks.intake_sender"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL

from benchmarks import intake
from benchmarks.filled_store import lay_segments
from station.store.database import engine_of, upgrade
from tests.support.brokers import MOSQUITTO


@pytest.mark.long
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not here")
def test_each_event_has_its_receipt_and_its_cost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Over a copy of a store, with the lengths of its segments."""
    engine = engine_of(URL.create("sqlite", database=str(tmp_path / "station.db")))
    upgrade(engine)
    engine.dispose()
    lay_segments(tmp_path, 3)
    monkeypatch.setattr(intake, "STORE", str(tmp_path / "station.db"))
    monkeypatch.setattr(intake, "ROUNDS", 1)
    monkeypatch.setattr(intake, "SECONDS", 2.0)
    monkeypatch.setattr(intake, "SETTLE_S", 0.1)
    monkeypatch.setattr(intake, "CALM", 0.5)
    monkeypatch.setattr(intake, "RATES", (20.0,))

    rows = list(intake.measured_on("SQLite", {"now": intake.HERE}, lambda _: None))

    (row,) = rows
    assert (row["database"], row["state"], row["without receipt"]) == ("SQLite", "now", 0)
    for name in ("events a second", "CPU an event, ms", "receipt p95, ms", "written an event, kB"):
        value = row[name]
        assert isinstance(value, int | float)
        assert value > 0
