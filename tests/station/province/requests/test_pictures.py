"""station.province.requests.pictures"""

from __future__ import annotations

from hashlib import sha256

import pytest

from station.province.desk import opened_to, prepare, reading
from station.province.requests.pictures import RequestedPictures
from station.store.database import engine_of
from tests.support.asked_commune import CLOSE
from tests.support.provinces_up import NOW_MS, ProvincePlace

pytestmark = pytest.mark.postgresql
DIGEST = sha256(CLOSE).hexdigest()


def test_a_picture_is_read_by_whom_its_commune_is_open_to_and_only_as_it_came(province: ProvincePlace) -> None:
    province.open().close()
    prepare(province.url)
    engine, reads = engine_of(province.url), reading(province.url)
    with engine.begin() as connection:
        for commune in ("hai-ninh", "mong-cai"):
            connection.exec_driver_sql(
                "insert into commune (name, shard, first_seen_ms, last_seen_ms) values (%s, 's01', 0, 0)",
                (commune,),
            )
        connection.exec_driver_sql(
            "insert into picture select %s, id, %s, %s, %s from commune where name = 'hai-ninh'",
            (DIGEST, len(CLOSE), CLOSE, NOW_MS),
        )

    def read(communes: str) -> bytes | None:
        return RequestedPictures(opened_to(reads, communes)).read(DIGEST)

    assert read("hai-ninh") == read("*") == CLOSE
    assert read("mong-cai") is None and read("") is None
    with engine.begin() as connection:
        connection.exec_driver_sql("update picture set data = 'other'")
    assert read("hai-ninh") is None
    engine.dispose()
    reads.dispose()
