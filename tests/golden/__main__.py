"""`python -m tests.golden [--accept]`: replay the golden clips; show what differs, or take it as right."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.golden.replays import accept, difference, expected, replayed


def main() -> int:
    """Exit status: 1 where something differs and was not accepted, 0 otherwise."""
    words = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    words.add_argument("--accept", action="store_true", help="write what is found as what is expected")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = replayed(Path(folder))
    if asked.accept:
        changed = accept(found)
        print("\n".join(str(path) for path in changed) or "nothing has changed")
        return 0
    differences = [each for name in found if (each := difference(name, expected(name), found[name]))]
    print("\n\n".join(differences) or f"{', '.join(found)}: as expected")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
