"""Counts over lines where most vehicles are motorbikes: `python -m benchmarks swarm`.

The simulated junction (benchmarks/scenes) at Vietnamese density: three seeds, each with true boxes under true
ids and with detections through riders, tracker and rules. Two runs print the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.scenes import score
from benchmarks.scenes.chain import Chain, Known, Tracked, instant
from benchmarks.scenes.sensor import PERFECT, Faults, Sight, look
from benchmarks.scenes.swarm import Swarm
from benchmarks.scenes.truth import Truth

SEEDS = (20261127, 20261128, 20261129)
CROSSINGS = 1_000
TWO_WHEELERS = frozenset({"motorcycle", "bicycle"})
STANDS = 0.3
"""Metres a second below which somebody stands in a queue."""


def main(
    paths: list[Path],
    seeds: tuple[int, ...] = SEEDS,
    crossings: int = CROSSINGS,
    progress: Callable[[str], None] = lambda text: None,
) -> list[dict[str, object]]:
    """Two rows a seed: `perfect` and `tracked`, until so many crossings have happened."""
    return [row for seed in seeds for row in _rows(seed, crossings, progress)]


def _rows(seed: int, crossings: int, progress: Callable[[str], None]) -> list[dict[str, object]]:
    chains: dict[str, Chain] = {"perfect": Known(seed, PERFECT), "tracked": Tracked(seed, Faults())}
    traffic, truth = Swarm(seed), Truth()
    riders: set[int] = set()
    others: set[int] = set()
    most = queue = 0
    while len(truth.crossings) < crossings:
        sights = look(traffic.step())
        truth.fold(sights, traffic.second)
        for chain in chains.values():
            chain.step(instant(traffic.second), sights)  # type: ignore[attr-defined]
        riders |= {sight.user.name for sight in sights if sight.user.label in TWO_WHEELERS}
        others |= {sight.user.name for sight in sights if sight.user.label not in {*TWO_WHEELERS, "person"}}
        most, queue = max(most, len(sights)), max(queue, _standing(sights))
        progress(f"seed {seed}, {len(truth.crossings)} of {crossings} crossings")
    truth.finish(traffic.second)
    rows = []
    for name, chain in chains.items():
        chain.finish(instant(traffic.second))
        figures = score.lines(truth, chain.output)
        wrong = 100 * int(str(figures["wrong_direction"])) / max(1, int(str(figures["crossings"])))
        rows.append(
            {
                "seed": seed,
                "way": name,
                "minutes": round(traffic.second / 60, 1),
                "two_wheelers_pct": round(100 * len(riders) / max(1, len(riders) + len(others))),
                "most_in_view": most,
                "longest_queue": queue,
                **figures,
                "wrong_direction_pct": round(wrong, 2),
            }
        )
    return rows


def _standing(sights: list[Sight]) -> int:
    """Riders who stand, of one road."""
    standing = [s.user for s in sights if s.user.label in TWO_WHEELERS and s.user.speed < STANDS]
    return max((sum(user.way.light == road for user in standing) for road in ("a", "b")), default=0)
