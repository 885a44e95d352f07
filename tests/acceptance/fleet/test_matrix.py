"""tests.acceptance.fleet.matrix: a matrix in which everything or nothing gets through proves nothing"""

from __future__ import annotations

import pytest

from tests.acceptance.fleet.matrix import Seen


def test_what_is_allowed_works_and_all_else_is_denied() -> None:
    assert str(Seen(10, 2).good("publish")) == "10 tried, 8 denied, 2 of 2 allowed work"


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(10, 2, leaks=["a heard b"]), "1 got through, such as"),
        (Seen(10, 2, missing=["a left b"]), "1 were stopped, such as"),
        (Seen(10, 0), "proves nothing"),
        (Seen(10, 10), "proves nothing"),
        (Seen(), "proves nothing"),
    ],
    ids=["a leak", "a stop", "all denied", "all allowed", "nothing tried"],
)
def test_anything_else_fails(seen: Seen, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        seen.good("publish")
