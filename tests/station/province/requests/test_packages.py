"""station.province.requests.packages"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from station.province.desk import opened_to, prepare, reading
from station.province.requests import packages as under_test
from station.province.requests.packages import ArrivedPackages
from station.store.database import engine_of
from tests.support.provinces_up import ProvincePlace, up
from tests.support.requested_footage import DATA, FILE, asked_province, attended, pieces_of

pytestmark = pytest.mark.postgresql


@pytest.fixture
def reads(province: ProvincePlace) -> Iterator[Engine]:
    """Of two requests one has come whole, and of the other all but the last piece."""
    with asked_province(province, "r-1", "r-2") as store:
        store.commit([up(2, *pieces_of(), *pieces_of(request="r-2")[:-1])])
        attended(store)
    prepare(province.url)
    engine = reading(province.url)
    yield engine
    engine.dispose()


def test_what_came_whole_is_given_as_it_was_sent(reads: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "AT_ONCE", 3)
    packages = ArrivedPackages(opened_to(reads, "hai-ninh"))

    found = packages.find("r-1")
    assert found is not None
    assert (found.name, found.size_bytes, found.sha256) == (FILE.name, FILE.size_bytes, FILE.sha256)
    assert b"".join(packages.blocks(found)) == DATA


def test_half_a_file_or_one_of_a_commune_that_is_not_open_is_given_to_nobody(reads: Engine) -> None:
    assert ArrivedPackages(opened_to(reads, "hai-ninh")).find("r-2") is None
    other = ArrivedPackages(opened_to(reads, "mong-cai"))
    assert other.find("r-1") is None
    mine = ArrivedPackages(opened_to(reads, "hai-ninh")).find("r-1")
    assert mine is not None and list(other.blocks(mine)) == []


def test_what_was_deleted_here_is_not_there_any_more(reads: Engine, province: ProvincePlace) -> None:
    packages = ArrivedPackages(opened_to(reads, "hai-ninh"))
    found = packages.find("r-1")
    engine = engine_of(province.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from request_piece")
    engine.dispose()

    assert found is not None and list(packages.blocks(found)) == [] and packages.find("r-1") is None
