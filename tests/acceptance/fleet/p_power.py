"""Power cuts during an update: what the disk may hold then is the old release or the new one, never neither."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.fleet import deaths
from tests.acceptance.fleet.crash_tree import Op, Tree, record
from tests.acceptance.fleet.deaths import NEW, OLD, VERBS, copied
from tests.support.releases import Maker, SmallBox


@promise(
    "F6",
    "the power is cut while the release tool works: from a record of its system calls, disks on which what was "
    "not synced is there, is not, or is there in part; then the box starts",
    "the old release or the new one, never neither; what was confirmed stays; without syncs (planted) not so",
    minutes=2,
)
def power_cuts(trial: Trial) -> str:
    if shutil.which("strace") is None:
        raise NotTried("strace is not here: apt install strace")
    for name in ("maker", "box", "cuts"):
        (trial.folder / name).mkdir()
    maker = Maker(trial.folder / "maker")
    prepared = deaths.prepared(trial.folder / "box", maker)
    calls, bad = [], list[str]()
    disks = trial.size(40, 400)
    planted = ""
    for verb in VERBS:
        box, before, ops = _recorded(verb, prepared, trial.folder / "cuts", maker)
        for number in range(disks):
            if wrong := _after(box, before, ops, trial, f"{verb} {number}", verb):
                bad.append(wrong)
        if verb == "switch":
            planted = _planted(box, before, ops, trial)
        calls.append(f"{verb} {len(ops)}")
    _install_is_synced_before_it_counts(prepared, trial.folder / "cuts", maker)
    if bad:
        raise Broken(f"{len(bad)} disks: {bad[0]}")
    return (
        f"{disks} disks each of {', '.join(calls)} calls: 0 had neither, 0 had lost what was confirmed; "
        f"without syncs {planted}; an install is synced whole before it counts"
    )


def _recorded(verb: str, prepared: Path, folder: Path, maker: Maker) -> tuple[SmallBox, Path, list[Op]]:
    """A box, what it had before, and what a verb did to it."""
    words, on_trial = VERBS[verb]
    box = copied(prepared, folder / verb, maker)
    if on_trial:
        box.switch(*NEW)
    before = box.folder / "before"
    shutil.copytree(box.root, before, symlinks=True)
    call = [str(box.config(NEW[1])) if word == "CONFIG" else "60" if word == "0.1" else word for word in words]
    ops = record(
        [sys.executable, "-I", "-B", *box.words(*call)], box.root, box.folder / "trace", box.environment
    )
    return box, before, ops


def _planted(box: SmallBox, before: Path, ops: list[Op], trial: Trial) -> str:
    """The same calls without the syncs: a trial that sees nothing then is blind."""
    unsynced = [op for op in ops if not op.kind.startswith("sync")]
    enough, wrong = trial.size(5, 20, 1), 0
    for number in range(500):
        wrong += _after(box, before, unsynced, trial, f"planted {number}", "switch") is not None
        if wrong == enough:
            return f"{wrong} of {number + 1} disks of switch had neither"
    raise Broken("without syncs nothing was lost either: the trial is blind")


def _install_is_synced_before_it_counts(prepared: Path, folder: Path, maker: Maker) -> None:
    """Most of it is done by pip, and thousands of calls: so the order is looked at."""
    box = copied(prepared, folder / "install", maker)
    words = box.words("install", str(maker.bundle("0.3.0")), "--python", sys.executable)
    ops = record([sys.executable, "-I", "-B", *words], box.root, box.folder / "trace", box.environment)
    release = PurePosixPath("releases/0.3.0")
    synced = max(place for place, op in enumerate(ops) if op.kind == "sync all")
    after = [(op.kind, str(op.path.relative_to("releases"))) for op in ops[synced + 1 :]]
    part = "0.3.0/complete.new"
    assert after == [
        ("sync", "0.3.0"),
        ("create", part), ("empty", part), ("sync", part), ("rename", part), ("sync", "0.3.0"), ("sync", "."),
    ], after  # fmt: skip
    assert any(op.path == release / "manifest.json" for op in ops[:synced])


def _after(box: SmallBox, before: Path, ops: list[Op], trial: Trial, dice: str, verb: str) -> str | None:
    """What is wrong with a box whose power was cut at some moment; None: nothing."""
    chance = trial.chance(dice)
    # Every fifth after the end: what the tool has told must be so.
    done = chance.random() < 0.2
    moment = len(ops) if done else chance.randint(0, len(ops))
    tree = Tree(before)
    for op in ops[:moment]:
        tree.do(op, box.root)
    shutil.rmtree(box.root)
    tree.cut(box.root, chance)
    what = f"{verb} cut before call {moment} of {len(ops)}"
    recovered = box.tool("recover", "--boot")
    if recovered.returncode != 0:
        return f"{what}: recover: {recovered.stderr.strip()[-300:]}"
    try:
        runs = box.runs()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{what}: neither: {error}"
    if runs not in (OLD, NEW):
        return f"{what}: a mixture: {runs}"
    if done and runs != (NEW if verb == "confirm" else OLD):
        return f"{what}: it was done, and {runs} runs"
    return None
