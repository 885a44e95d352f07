"""Updates: a box has the old release or the new one, never neither."""

from __future__ import annotations

import shutil

from tests.acceptance.faults.suite import NotTried, Trial, promise
from tests.acceptance.fleet import deaths
from tests.support.releases import Maker


@promise(
    "P40",
    "the release tool is killed before each of its changes, then the box restarts or the trial runs out",
    "the old release or the new one, never neither, and the next update works",
    minutes=2,
)
def update_or_revert(trial: Trial) -> str:
    if shutil.which("openssl") is None:
        raise NotTried("openssl is not here: apt install openssl")
    folder = trial.folder
    for name in ("maker", "box", "deaths"):
        (folder / name).mkdir()
    maker = Maker(folder / "maker")
    box = deaths.prepared(folder / "box", maker)
    every = trial.size(1, 1, 5)
    tries = []
    for verb in deaths.VERBS:
        for reboot in (True, False):
            count = deaths.survived(verb, box, folder / "deaths", maker, reboot=reboot, every=every)
        tries.append(f"{verb} {count}")
    installs = deaths.survived_installs(box, folder / "deaths", maker, every=trial.size(2, 1, 12))
    pips = deaths.survived_in_pip(box, folder / "deaths", maker, trial.size(6, 20, 1))
    return (
        f"points tried, each with and without a restart: {', '.join(tries)}; install {installs}, "
        f"in pip {pips}; never neither"
    )
