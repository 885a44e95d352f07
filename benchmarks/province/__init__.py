"""What a whole province needs, and what breaks first: `python -m benchmarks province [FOLDER] [--quick]`.

    measured   service times of the real code in this run: a station's batches on SQLite with pictures through a
               real mosquitto, an outbox, the uplink, a worker's batches on a PostgreSQL that syncs
    seen       single batches, waits and ways of `ngatu station` and `ngatu province` in processes of their own,
               at a fifth, half and four fifths of what the model says can be taken
    model      the same traffic through a discrete-event model that is fed with them, said before it is tried
    real       the same programs at other rates: a third, two thirds, nine tenths and more of what the model
               says once it has seen them; the deviation of each figure in per cent
    province   332 communes with 14,053 cameras, now and in ten years: machines, disks, links at 50, 1,000
               and 20,000 events of a camera and day; what gives way, and at how many

Nothing is tuned on what it is held against. What was not measured stands in equipment.py and day.py.
In FOLDER, or in build/benchmarks, the limits are left as a picture: province.svg.
docs/design/province.md tells more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from agent import log
from agent.errors import NgatuError
from benchmarks.province.capacity import sustained
from benchmarks.province.chart import chart
from benchmarks.province.check import compared
from benchmarks.province.costs import CommuneCosts, ProvinceCosts, ServiceTimes, UplinkCosts
from benchmarks.province.equipment import RATES, Equipment, scenarios
from benchmarks.province.limits import Limit
from benchmarks.province.real.above import SHARD_COMMUNES, province_costs, with_rabbit
from benchmarks.province.real.calibration import RUN_PART, SHARES, calibrated
from benchmarks.province.real.commune import commune_costs, uplink_costs
from benchmarks.province.real.postgresql import syncing_server
from benchmarks.province.real.runs import HERE, RunningProgram, running_station, running_worker
from benchmarks.province.tables import (
    SECONDS,
    commune_rows,
    cost_rows,
    first_rows,
    limit_rows,
    limits_of,
    province_rows,
)
from benchmarks.province.traffic import Sending, commune_plan, uplink_plan
from benchmarks.table import Row
from tests.support.brokers import MOSQUITTO, Mosquitto

RUN_S: Final = 15.0
"""Of each real run."""
QUICK: Final = 0.2
"""The part of it that `--quick` does."""
UP_ITEMS: Final = 2
"""In an envelope of the runs: an alert's start and its end, or two of them."""
RESULTS: Final = HERE / "build/benchmarks"
Say = Callable[[str], None]


def main(paths: list[Path], progress: Say = lambda _: None, *, quick: bool = False) -> Iterator[Row]:
    """Rows of what was measured, of the check, and of each scenario.

    Raises:
        NgatuError: there is no mosquitto, or a program could not do its work.
    """
    if MOSQUITTO is None:
        raise NgatuError("mosquitto is not here", "apt install mosquitto")
    log.configure("error")
    share = QUICK if quick else 1.0
    with ExitStack() as left:
        (HERE / "build").mkdir(exist_ok=True)
        name = tempfile.TemporaryDirectory(prefix="ngatu-province-", dir=HERE / "build")
        place = Path(left.enter_context(name))
        commune, uplink, rows = _commune(place, share, progress)
        province, more_rows = _province(place, share, progress)
    yield from cost_rows(commune, uplink, province)
    yield from rows + more_rows
    if province is None:
        yield {"province": "PostgreSQL is not here: of the province above the communes nothing is said"}
    yield from whole_rows(commune, uplink, province, paths[0] if paths else RESULTS, progress, SECONDS * share)


def whole_rows(
    commune: CommuneCosts,
    uplink: UplinkCosts,
    province: ProvinceCosts | None,
    folder: Path,
    progress: Say,
    seconds: float = SECONDS,
    kit: Equipment | None = None,
) -> Iterator[Row]:
    """The tables of the scenarios; the picture is left in the folder."""
    kit, chosen = kit or Equipment(), scenarios()
    for each in chosen:
        yield from commune_rows(each, commune, uplink, kit, progress, seconds)
    for each in chosen if province else ():
        assert province is not None
        yield from province_rows(each, province, uplink, kit, progress, seconds)
    found: dict[str, list[Limit]] = {
        each.name: limits_of(each, commune, uplink, province, kit) for each in chosen if each.rate == RATES[0]
    }
    yield from limit_rows(found, RATES)
    for each in chosen:
        yield from first_rows(each, found[each.name])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "province.svg").write_text(chart(found, RATES), encoding="utf-8")


def _commune(place: Path, share: float, say: Say) -> tuple[CommuneCosts, UplinkCosts, list[Row]]:
    """Costs of a commune, and the rows that hold the model of its station against a real one."""
    with _broker(place / "measured") as broker:
        costs = commune_costs(broker, _made(place / "store"), say, share)
        uplink = uplink_costs(_made(place / "uplink"), say, share)
    at_most = sustained(costs.station) / costs.messages
    rates, seconds = [each * at_most for each in SHARES], RUN_S * share
    with _broker(place / "seen") as broker:
        start = partial(running_station, broker, place / "seen")
        station = calibrated(
            costs.station, start, place / "station.trace", commune_plan, rates, RUN_PART * seconds, say
        )
    at_most = min(at_most, sustained(station) / costs.messages)
    with _broker(place / "run") as broker, running_station(broker, place / "run") as program:
        rows = list(
            compared("station", program, station, commune_plan, at_most=at_most, seconds=seconds, say=say)
        )
        costs = replace(costs, station=_with_rest(station, program), hop_s=program.hop_s)
    return costs, uplink, rows


def _province(place: Path, share: float, say: Say) -> tuple[ProvinceCosts | None, list[Row]]:
    """The same of the province and its worker; None: PostgreSQL is not here."""

    def plan_of(moments: Sequence[float], seed: int) -> list[Sending]:
        return uplink_plan(moments, seed, SHARD_COMMUNES, UP_ITEMS)

    with syncing_server() as server:
        if server is None:
            return None, []
        with _broker(place / "measured-up") as broker:
            costs = province_costs(broker, server, say, share)
        at_most = sustained(costs.worker, UP_ITEMS)
        rates, seconds = [each * at_most for each in SHARES], RUN_S * share
        with _broker(place / "seen-up") as broker:
            start = partial(running_worker, broker, place / "seen-up", server.url)
            worker = calibrated(
                costs.worker, start, place / "worker.trace", plan_of, rates, RUN_PART * seconds, say
            )
        at_most = min(at_most, sustained(worker, UP_ITEMS))
        with _broker(place / "up") as broker, running_worker(broker, place / "up", server.url) as program:
            rows = list(compared("worker", program, worker, plan_of, at_most=at_most, seconds=seconds, say=say))
            held = program.held_bytes
            costs = replace(costs, worker=_with_rest(worker, program), hop_s=program.hop_s)
    rows.append(
        {"measured": "a worker of 83 communes, memory at most", "value": round(held / 1e6, 1), "unit": "MB"}
    )
    return with_rabbit(costs, say), rows


def _with_rest(costs: ServiceTimes, program: RunningProgram) -> ServiceTimes:
    return replace(costs, idle_share=program.idle_share, idle_bytes_s=program.idle_bytes_s)


@contextmanager
def _broker(folder: Path) -> Iterator[Mosquitto]:
    """One that keeps nothing of another part of the run; set as the role has it, but for a longer queue."""
    lines = ("max_queued_messages 100000", "max_inflight_messages 500", "set_tcp_nodelay true")
    broker = Mosquitto(_made(folder), *lines).start()
    try:
        yield broker
    finally:
        broker.stop()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
