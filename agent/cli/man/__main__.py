"""Writes docs/man/ out of the commands that `ngatu` gathers.

python -m agent.cli.man          writes the pages, from the root of the checkout; what is no command's goes
python -m agent.cli.man --check  exit 1 if they are not what the code says
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.cli.main import gathered
from agent.cli.man.pages import pages

FOLDER = Path("docs/man")


def main(arguments: list[str]) -> int:
    """Write the pages below the current folder, or with --check tell which differ."""
    wanted = pages(gathered())
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.1")}
    stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if "--check" not in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in stale:
            if name in wanted:
                (FOLDER / name).write_text(wanted[name], encoding="utf-8")
            else:
                (FOLDER / name).unlink()
    for name in stale:
        sys.stdout.write(
            f"{FOLDER / name} {'is not what the code says' if '--check' in arguments else 'written'}\n"
        )
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
