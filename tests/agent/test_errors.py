"""agent.errors"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent import errors
from agent.errors import NgatuError


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
