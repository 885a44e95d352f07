"""benchmarks.province.rounds, and real/turns, real/runs and real/sender beneath it"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.province import check, traffic
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.real import calibration, turns
from benchmarks.province.real.runs import RunningProgram, running_station
from benchmarks.province.rounds import CheckedProgram, in_rounds
from benchmarks.province.traffic import Sending, commune_plan
from tests.support.brokers import Mosquitto

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.mark.usefixtures("hardly_any_rest")
def test_a_station_is_seen_and_tried_in_turns_and_its_medians_are_held_against_those_of_the_model(
    start_mosquitto: Callable[..., Mosquitto],
    tmp_path: Path,
    times: ServiceTimes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic, "LASTS_S", (0.1, 0.2))
    monkeypatch.setattr(check, "SHARES", (0.02, 0.05))
    monkeypatch.setattr(calibration, "SHARES", (0.01,))
    monkeypatch.setattr(turns, "PASSES", 2)
    started, said, streams = list[str](), list[str](), list[str]()

    def few(moments: object, seed: int) -> list[Sending]:
        plan = commune_plan([0.1, 0.2, 0.9], seed)
        streams.append(dict(plan[0].user)["stream"])
        return plan

    @contextmanager
    def start(folder: Path, trace: Path | None) -> Iterator[RunningProgram]:
        started.append("seen" if trace else "tried")
        folder.mkdir()
        broker = start_mosquitto("max_queued_messages 100000", "max_inflight_messages 500")
        with running_station(broker, folder, trace) as program:
            yield program

    station = CheckedProgram("station", start, few, messages=3.0)
    found = in_rounds(station, times, tmp_path, said.append, rounds=3)

    assert started == ["seen", *["seen", "tried"] * 3]
    first, *rounds = [at for at, each in enumerate(said) if "round" in each or "first look" in each]
    assert [each.split()[1] for each in said[first + 1 : rounds[0]]] == ["seen"]
    assert [said[at] for at in rounds] == [f"station, round {number} of 3" for number in (1, 2, 3)]
    turned = [each.split(" at ") for each in said[rounds[0] + 1 : rounds[1]]]
    assert [how for how, _ in turned] == [
        f"station, {how}" for how in ("seen", "tried", "tried", "tried", "seen", "tried")
    ]
    low, high, rates = turned[0][1], turned[2][1], [rate for _, rate in turned]
    assert rates == [low, rates[1], high, high, low, rates[1]], "up, and down again"
    assert len(set(streams)) == len(streams) >= 19, "no message may come twice"
    assert [row["figure"] for row in found.rows] == 3 * list(check.FIGURES)
    assert [row["of the most"] for row in found.rows[:: len(check.FIGURES)]] == ["2%", "5%", "1%"]
    assert [row["what"] for row in found.rows[:: len(check.FIGURES)]] == ["station", "station", "station, seen"]
    for row in found.rows:
        assert isinstance(row["model"], float) and row["model"] > 0
        each = sorted(map(float, str(row["each round"]).replace("(", "").replace(")", "").split()[::2]))
        assert row["real"] == each[1] > 0
    assert found.held_bytes > 10e6
    assert found.costs.phases is not None and len(found.costs.phases.ways) == 1
