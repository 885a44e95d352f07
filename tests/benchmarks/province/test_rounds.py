"""benchmarks.province.rounds, and real/turns, real/runs and real/sender beneath it"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

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
    monkeypatch.setattr(check, "SHARES", (0.4, 0.6))
    monkeypatch.setattr(check, "TOO_MUCH", 1.0)
    monkeypatch.setattr(calibration, "SHARES", (0.2,))
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
    cheap = replace(times, deliver_s=times.deliver_s.times(0.1), blocked_s=times.blocked_s.times(0.1))
    found = in_rounds(station, cheap, tmp_path, said.append, share=0.1, rounds=3)

    assert started == ["seen", *["seen", "tried"] * 3]
    first, *rounds = [at for at, each in enumerate(said) if "round" in each or "first look" in each]
    assert [each.split()[1] for each in said[first + 1 : rounds[0]]] == ["seen"]
    assert [said[at] for at in rounds] == [f"station, round {number} of 3" for number in (1, 2, 3)]
    turned = [each.split(" at ") for each in said[rounds[0] + 1 : rounds[1]]]
    assert [how for how, _ in turned] == [
        f"station, {how}" for how in ("seen", "tried", "tried", "tried", "seen", "tried", "tried")
    ]
    low, middle, high, *after = (int(rate.split()[0]) for _, rate in turned)
    assert after[:-1] == [high, low, middle], "up, and down again"
    sums = [pytest.approx(times * low, abs=times) for times in (2, 3, 5)]
    assert [middle, high, after[-1]] == sums, "all are shares of one sum, and too much comes at the end"
    thought = int(said[first + 1].split()[-3])
    assert low < thought / 2, "what the program was thought to take in before it was seen"
    assert len(set(streams)) == len(streams) >= 22, "no message may come twice"
    assert [row["figure"] for row in found.rows] == 4 * list(check.FIGURES)
    heads = found.rows[:: len(check.FIGURES)]
    assert [row["of the most"] for row in heads] == ["40%", "60%", "100%", "20%"]
    assert [row["what"] for row in heads] == [*3 * ["station"], "station, seen"]
    for row in found.rows:
        assert isinstance(row["model"], float) and row["model"] > 0
        each = [*map(float, str(row["each pass"]).replace("(", "").replace(")", "").split()[::2])]
        assert len(each) == (3 if row["of the most"] == "100%" else 6), "too much comes once a round"
        # Of an even number it is half of what two have together, and each of them is told in three digits.
        assert 0 < row["real"] == (median(each) if len(each) % 2 else pytest.approx(median(each), rel=0.006))
    assert found.held_bytes > 10e6
    assert found.costs.phases is not None and len(found.costs.phases.ways) == 1
