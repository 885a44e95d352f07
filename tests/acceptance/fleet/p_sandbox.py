"""Units: what a service of ours could do, if somebody took it over."""

from __future__ import annotations

import shutil

from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.fleet.unit_files import EXPOSURE, all_judged


@promise(
    "P35",
    "systemd judges every unit of ours, with what the roles add to it",
    f"it understands every line; exposure <= {EXPOSURE} of 10",
)
def sandbox(trial: Trial) -> str:
    if shutil.which("systemd-analyze") is None:
        raise NotTried("systemd-analyze is not here: apt install systemd")
    units = all_judged()
    if bad := [each for each in units if not each.good]:
        raise Broken("; ".join(f"{each.name} {each.exposure} {each.complaints}" for each in bad))
    services = [each for each in units if each.exposure is not None]
    return ", ".join(f"{each.name} {each.exposure:.1f}" for each in services)
