"""`python -m tests.acceptance.faults.mistakes [NAME …] [--write]`: make mistakes, and show what is said."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.acceptance.faults.mistakes.mistake import all_mistakes
from tests.acceptance.faults.mistakes.page import PAGE, page
from tests.acceptance.faults.mistakes.trial import made


def main() -> int:
    """Make all or some; exit status 1: something is amiss with what is said."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("names", nargs="*", help="of mistakes; a part of the name will do")
    words.add_argument(
        "--write", action="store_true", help=f"write {PAGE.name}, if every mistake could be made"
    )
    words.add_argument("--jobs", type=int, default=4)
    asked = words.parse_args()
    chosen = [
        each for each in all_mistakes() if not asked.names or any(word in each.name for word in asked.names)
    ]
    amiss = 0
    with tempfile.TemporaryDirectory(prefix="ngatu-mistakes-") as folder:
        outcomes = []
        for outcome in made(chosen, Path(folder), asked.jobs):
            outcomes.append(outcome)
            mark = "amiss" if outcome.amiss else "ok" if outcome.said else "not tried"
            amiss += bool(outcome.amiss)
            said = outcome.said.message() if outcome.said else outcome.untried
            print(f"{mark:9} {outcome.mistake.name} ({outcome.seconds:.1f} s): {said}", flush=True)
            for each in outcome.amiss:
                print(f"          - {each}", flush=True)
    print(f"{len(outcomes)} mistakes, {amiss} amiss")
    if asked.write and not asked.names and all(each.said for each in outcomes):
        PAGE.write_text(page(outcomes), encoding="utf-8")
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
