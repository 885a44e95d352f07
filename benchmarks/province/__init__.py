"""What a whole province needs, and what breaks first: `python -m benchmarks province [FOLDER] [--quick]`.

    measured   service times of the real code in this run: a station's batches on SQLite with pictures through a
               real mosquitto, an outbox, the uplink, a worker's batches on a PostgreSQL that syncs
    seen       single batches, waits and ways of `ngatu station` and `ngatu province` in processes of their own,
               at a fifth, half, four fifths and all of what the model says can be taken
    real       the same programs in other processes and at other rates: a third, two thirds, nine tenths and
               more of what the model says once it has seen them. Three rounds of both, in turns, of four passes
    model      what was tried, through a discrete-event model that is fed with what was seen in the same pass,
               and with nothing of how that went; of each figure the median of how far it is off. And what was
               seen, which shows how much of that is the model's own, and how much the minutes between
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
from pathlib import Path
from typing import Final

from agent import log
from agent.errors import NgatuError
from benchmarks.province.chart import chart
from benchmarks.province.costs import CommuneCosts, ProvinceCosts, UplinkCosts
from benchmarks.province.equipment import RATES, Equipment, scenarios
from benchmarks.province.limits import Limit
from benchmarks.province.real.above import SHARD_COMMUNES, province_costs, with_rabbit
from benchmarks.province.real.commune import commune_costs, uplink_costs
from benchmarks.province.real.postgresql import syncing_server
from benchmarks.province.real.runs import HERE, RunningProgram, running_station, running_worker
from benchmarks.province.rounds import ROUNDS, CheckedProgram, in_rounds
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

QUICK: Final = 0.2
"""The part of each run that `--quick` does, in one round."""
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
    share, rounds = (QUICK, 1) if quick else (1.0, ROUNDS)
    with ExitStack() as left:
        (HERE / "build").mkdir(exist_ok=True)
        name = tempfile.TemporaryDirectory(prefix="ngatu-province-", dir=HERE / "build")
        place = Path(left.enter_context(name))
        commune, uplink, rows = _commune(place, share, rounds, progress)
        province, more_rows = _province(place, share, rounds, progress)
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


def _commune(place: Path, share: float, rounds: int, say: Say) -> tuple[CommuneCosts, UplinkCosts, list[Row]]:
    """Costs of a commune, and the rows that hold the model of its station against a real one."""
    with _broker(place / "measured") as broker:
        costs = commune_costs(broker, _made(place / "store"), say, share)
        uplink = uplink_costs(_made(place / "uplink"), say, share)

    @contextmanager
    def start(folder: Path, trace: Path | None) -> Iterator[RunningProgram]:
        with _broker(folder) as broker, running_station(broker, folder, trace) as program:
            yield program

    station = CheckedProgram("station", start, commune_plan, messages=costs.messages)
    found = in_rounds(station, costs.station, place, say, share, rounds)
    return replace(costs, station=found.costs, hop_s=found.hop_s), uplink, found.rows


def _province(place: Path, share: float, rounds: int, say: Say) -> tuple[ProvinceCosts | None, list[Row]]:
    """The same of the province and its worker; None: PostgreSQL is not here."""

    def plan_of(moments: Sequence[float], seed: int) -> list[Sending]:
        return uplink_plan(moments, seed, SHARD_COMMUNES, UP_ITEMS)

    with syncing_server() as server:
        if server is None:
            return None, []
        with _broker(place / "measured-up") as broker:
            costs = province_costs(broker, server, say, share)
        database = server.database

        @contextmanager
        def start(folder: Path, trace: Path | None) -> Iterator[RunningProgram]:
            with (
                _broker(folder) as broker,
                database() as url,
                running_worker(broker, folder, url, trace) as program,
            ):
                yield program

        found = in_rounds(
            CheckedProgram("worker", start, plan_of, UP_ITEMS), costs.worker, place, say, share, rounds
        )
    held_mb = round(found.held_bytes / 1e6, 1)
    memory: Row = {"measured": "a worker of 83 communes, memory at most", "value": held_mb, "unit": "MB"}
    return with_rabbit(replace(costs, worker=found.costs, hop_s=found.hop_s), say), [*found.rows, memory]


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
