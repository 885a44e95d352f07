"""A province's database, and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.support.backups import own_database
from tests.support.province_keys import key_pair
from tests.support.provinces_up import ProvincePlace


@pytest.fixture
def province(postgresql: URL) -> ProvincePlace:
    """An empty one."""
    return ProvincePlace(own_database(postgresql))


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """The province's: the private one and the public one."""
    return key_pair(tmp_path)
