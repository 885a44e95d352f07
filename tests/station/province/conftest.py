"""A province's database on a real server."""

from __future__ import annotations

import pytest
from sqlalchemy import URL

from tests.support.provinces_up import ProvincePlace
from tests.support.stores import new_database


@pytest.fixture
def province(postgresql: URL) -> ProvincePlace:
    """An empty one."""
    return ProvincePlace(new_database(postgresql))
