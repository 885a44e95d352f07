"""`python -m tests.acceptance.faults [P1 P3 …]`: try the promises, a line each (`make test-faults`)."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tests.acceptance.faults.suite import Size, Verdict, all_tried, exit_status, gathered, in_order

JOBS = min(16, 4 + 3 * len(os.sched_getaffinity(0)))
"""At most so many trials at one time: most of them wait for something most of the time."""
STYLES = {"kept": "green", "BROKEN": "bold red", "not tried": "yellow"}


def main(room: str = "faults", description: str | None = __doc__, jobs: int = 1) -> int:
    """Try the promises of a room of tests. Exit status: 0 all kept, 1 one broken, 3 one not tried."""
    words = argparse.ArgumentParser(prog=f"python -m tests.acceptance.{room}", description=description)
    words.add_argument("promises", nargs="*", help="numbers such as P1; all without any")
    words.add_argument("--seed", type=int, default=None, help="repeat a run: every choice follows from it")
    words.add_argument("--long", action="store_true", help="the sizes before a release")
    words.add_argument("--quick", action="store_true", help="the sizes of `make test-long`")
    words.add_argument("--jobs", type=int, default=jobs, help=f"trials at one time; {jobs} if not given")
    words.add_argument("--json", type=Path, help="write the verdicts there too")
    words.add_argument("--allow-missing", action="store_true", help="what cannot be tried here is no failure")
    words.add_argument("--list", action="store_true", help="say what there is and try nothing")
    asked = words.parse_args()
    size: Size = "long" if asked.long else "quick" if asked.quick else "usual"
    seed = asked.seed if asked.seed is not None else int.from_bytes(os.urandom(4))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    chosen = in_order(gathered(room), asked.promises)
    if asked.list:
        for each in chosen:
            console.print(f"{each.number:5} {each.done} · {each.mark}")
        return 0
    console.print(f"seed {seed} · {len(chosen)} promises, {size} sizes, {asked.jobs} at one time")
    began = time.monotonic()
    verdicts: list[Verdict] = []
    for verdict in all_tried(room, chosen, seed, size, asked.jobs):
        _tell(console, verdict)
        verdicts.append(verdict)
    counts = Counter(each.outcome for each in verdicts)
    console.print(
        f"{counts['kept']} kept, {counts['BROKEN']} broken, {counts['not tried']} not tried; "
        f"{(time.monotonic() - began) / 60:.1f} minutes; repeat with --seed {seed}"
    )
    if asked.json:
        order = [each.number for each in chosen]
        verdicts.sort(key=lambda each: order.index(each.number))
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps([asdict(each) for each in verdicts], indent=1), encoding="utf-8")
    status = exit_status(verdicts, asked.allow_missing)
    if status == 3:
        console.print("not all of it was tried: get what is missing, or say --allow-missing if that is wanted")
    return status


def _tell(console: Console, verdict: Verdict) -> None:
    style = STYLES[verdict.outcome]
    console.print(
        f"[{style}]{verdict.outcome:9}[/] {verdict.number:5} {verdict.done} · [dim]mark:[/] {verdict.mark} · "
        f"[dim]measured:[/] {escape(verdict.measured)} · {verdict.seconds:.0f} s, "
        f"{verdict.processor_s:.0f} of the processor",
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main(jobs=JOBS))
