"""agent.errors"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

from agent import errors
from agent.errors import NgatuError, how_to_install


def tree(kind: type[NgatuError], inside: str = "") -> Iterator[tuple[str, str]]:
    """(class, the class it is drawn below) of our own errors."""
    yield kind.__name__, inside
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from tree(each, kind.__name__)


def test_the_drawing_of_the_errors_is_the_tree_of_their_classes() -> None:
    drawn, above = [], [""]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│├└─ ]*)([A-Z]\w+)(?: {2,}\S|$)", line)
        if found:
            depth = len(found[1]) // 4
            above[depth + 1 :] = [found[2]]
            drawn.append((found[2], above[depth]))

    assert drawn == list(tree(NgatuError))


def test_the_command_that_brings_an_extra_takes_ngatu_as_it_is_here() -> None:
    """So it works after an installation from a clone and from a wheel, and asks no registry for ngatu."""
    words = [*shlex.split(how_to_install("station")), "--dry-run", "--no-index", "--no-deps"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    assert "Requirement already satisfied: ngatu[station]" in done.stdout
