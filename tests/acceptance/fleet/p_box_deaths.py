"""A whole box is killed during an update: it comes back with the old release or the new one, never neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tests.acceptance.faults.suite import Trial, promise
from tests.acceptance.fleet.hosts import Fleet
from tests.acceptance.fleet.whole_box import UNIT, WholeBox
from tests.support.releases import Maker

GUARD = {"ngatu-release-guard.service": "guard"}
RECOVER = {"ngatu-release-recover.service": "recover --boot"}
"""Units of the role, and what they call."""


def in_install(box: WholeBox, version: str, count: int) -> str:
    return box.die_in("install", version, count)


def in_pip(box: WholeBox, version: str, count: int) -> str:
    return box.die_in_pip(version, 100 * count)


def in_switch(box: WholeBox, version: str, count: int) -> str:
    box.tool("install", version)
    return box.die_in("switch", version, count)


def in_trial(box: WholeBox, version: str, count: int) -> str:
    _on_trial(box, version)
    box.host.kill()
    return "the trial ran"


def in_guard(box: WholeBox, version: str, count: int) -> str:
    """When nobody confirms the trial, the box itself ends it."""
    box.tool("install", version)
    return box.die_in_units(GUARD, count, lambda: box.tool("switch", version, trial_s=1))


def in_confirm(box: WholeBox, version: str, count: int) -> str:
    _on_trial(box, version)
    return box.die_in("confirm", version, count)


def in_rollback(box: WholeBox, version: str, count: int) -> str:
    _on_trial(box, version)
    return box.die_in("rollback", version, count)


def in_recover(box: WholeBox, version: str, count: int) -> str:
    """Killed in the trial, started again, and killed again while it goes back: two units would do that."""
    _on_trial(box, version)
    box.host.kill()
    return box.die_in_units(GUARD | RECOVER, count, box.host.start)


Death = Callable[[WholeBox, str, int], str]

DEATHS: dict[str, tuple[Death, int]] = {
    "install": (in_install, 3),
    "pip": (in_pip, 1),
    "switch": (in_switch, 4),
    "trial": (in_trial, 1),
    "guard": (in_guard, 2),
    "confirm": (in_confirm, 3),
    "rollback": (in_rollback, 1),
    "recover": (in_recover, 1),
}
"""In what the box dies, and at how many points of it at the usual size; all are tried before a release."""


@promise(
    "F5",
    "a real box is killed as a whole at steps of an update: before changes that the release tool makes, in "
    "pip, in the trial, while it goes back and while it starts again; then it is started",
    "the service runs, the old release or the new one, with that one's configuration; the next update works",
    minutes=4,
)
def killed_box(trial: Trial) -> str:
    (trial.folder / "maker").mkdir()
    maker = Maker(trial.folder / "maker", UNIT.read_text())
    came_up: Counter[str] = Counter()
    points: Counter[str] = Counter()
    with Fleet(trial.folder / "fleet", ["box"]) as fleet:
        fleet.start()
        box = WholeBox(fleet, fleet["box"], maker)
        box.rolled_out()
        old, totals = _counted(box)
        for place, count in _plan(totals, trial):
            new = box.bring()
            died = DEATHS[place][0](box, new, count)
            version = box.started_again()
            assert version in (old, new), (
                f"{place} {count} ({died}): {version} came up, neither {old} nor {new}"
            )
            assert version == old or place == "confirm", f"{place} {count} ({died}): {new} was not confirmed"
            points[place] += 1
            came_up["old" if version == old else "new"] += 1
            old = _updated(box, new if version == old else box.bring())
    counts = ", ".join(f"{place} {count}" for place, count in points.items())
    return (
        f"{points.total()} points ({counts}): {came_up['old']} times the old release, {came_up['new']} times "
        f"the new one, never neither; {points.total()} next updates worked (no power cuts: writes stay)"
    )


def _on_trial(box: WholeBox, version: str) -> None:
    box.tool("install", version)
    box.tool("switch", version)
    box.wait(version)


def _updated(box: WholeBox, version: str) -> str:
    """An update as it should go; its version."""
    _on_trial(box, version)
    assert box.tool("confirm") == {"changed": True}
    return version


def _counted(box: WholeBox) -> tuple[str, dict[str, int]]:
    """One update, taken back once: what runs then, and how many changes each part of it makes."""
    version = box.bring()
    totals = {verb: box.changes(verb, version) for verb in ("install", "switch", "rollback")}
    box.tool("switch", version)
    box.wait(version)
    return version, totals | {"confirm": box.changes("confirm", version)}


def _plan(totals: dict[str, int], trial: Trial) -> Iterator[tuple[str, int]]:
    """Where it dies, spread evenly over the changes of each part."""
    # To go back is the same whoever begins it.
    totals |= {"guard": totals["rollback"], "recover": totals["rollback"], "trial": 1, "pip": 8}
    for place, (_, usual) in DEATHS.items():
        total = totals[place]
        points = min(trial.size(usual, total, usual), total)
        step = (total - 1) / max(1, points - 1)
        for number in range(points):
            yield place, 1 + round(number * step) if points > 1 else max(1, total // 2)
