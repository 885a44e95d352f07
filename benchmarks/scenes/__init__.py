"""Rules and counts on simulated junction traffic with exact truth: `python -m benchmarks scenes [FOLDER]`.

One simulated junction is looked at in three ways at once (chain.py): true boxes, trembling boxes under true
ids, and detections through riders, tracker and rules. Seeds are fixed, so two runs print the same table.
With a folder as argument, a short video of the junction is rendered into it.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.scenes import left, parked, render, score
from benchmarks.scenes.chain import Chain, Known, Tracked, instant, one_road_user
from benchmarks.scenes.sensor import PERFECT, Faults, look
from benchmarks.scenes.traffic import Traffic
from benchmarks.scenes.truth import Truth

SEED = 20260302
CROSSINGS = 10_000
LEFT_MINUTES = 40.0


def main(
    paths: list[Path],
    crossings: int = CROSSINGS,
    hours: float = 24.0,
    seed: int = SEED,
    left_minutes: float = LEFT_MINUTES,
) -> list[dict[str, object]]:
    """One row per way of looking, until so many crossings have happened; the parked car stands for `hours`.

    For `left_minutes` another street is looked at, where things are left behind.
    """
    chains: dict[str, Chain] = {
        "perfect": Known(seed, PERFECT),
        "shaken": Known(seed, Faults(false=0.0)),
        "tracked": Tracked(seed, Faults()),
    }
    traffic, truth = Traffic(seed), Truth()
    while len(truth.crossings) < crossings:
        sights = look(traffic.step())
        truth.fold(sights, traffic.second)
        for chain in chains.values():
            chain.step(instant(traffic.second), sights)  # type: ignore[attr-defined]
    truth.finish(traffic.second)
    for chain in chains.values():
        chain.finish(instant(traffic.second))
    for folder in paths:
        render.write(folder, seed)
    rows = [_row(name, chain, truth, traffic.second) for name, chain in chains.items()]
    if hours:
        rows[-1]["parked_alerts"] = parked.alerts(hours, seed)
    if left_minutes:
        rows[-1] |= left.figures(left_minutes, seed)
    return rows


def _row(name: str, chain: Chain, truth: Truth, second: float) -> dict[str, object]:
    row: dict[str, object] = {
        "way": name,
        "minutes": round(second / 60, 1),
        **score.lines(truth, chain.output),
    }
    for kind, each in score.incidents(truth, chain.output, second).items():
        row |= {
            f"{kind}_n": each.happened,
            f"{kind}_p": round(each.precision, 3),
            f"{kind}_r": round(each.recall, 3),
        }
        if kind == "wrong_way":
            row["wrong_way_of_seen_r"] = round(score.wrong_way_of_seen(truth, each.untold), 3)
    if isinstance(chain, Tracked):
        right, judged = one_road_user(chain.riding)
        row["one_road_user_pct"] = round(100 * right / max(1, judged), 1)
    return row
