"""Rings for the tests of this room, closed when each is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.footage import RingBench


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Callable[..., RingBench]]:
    made: list[RingBench] = []

    def make(**settings: Any) -> RingBench:
        made.append(RingBench(tmp_path / "ring", **settings))
        return made[-1]

    yield make
    for each in made:
        each.ring.close()


@pytest.fixture
def bench(benches: Callable[..., RingBench]) -> RingBench:
    return benches()
