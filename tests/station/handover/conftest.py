"""A station with packages of a box that really recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.judged_packages import JudgedPackages


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[JudgedPackages]:
    """Nothing is asked for yet."""
    made = JudgedPackages(tmp_path)
    yield made
    made.close()
