"""station.province.store"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from station.province import store as store_module
from station.province.store import VERSION, upgrade
from station.store.database import StoreError, engine_of
from station.uplink.envelope import UpItem
from tests.support.brokers import until
from tests.support.provinces_up import (
    NOW_MS,
    ProvincePlace,
    a_box,
    an_alert,
    an_hour,
    said,
    sent,
    up,
)

pytestmark = pytest.mark.postgresql
DAY_MS = 86_400_000


def test_an_alert_is_kept_in_the_bytes_that_the_box_sent_in_the_partition_of_its_month(
    province: ProvincePlace,
) -> None:
    begun, ended = an_alert(1, 1), an_alert(1, 2)
    with closing(province.open()) as store:
        store.commit([up(1, ended), up(2, begun)])

    bodies = province.rows("select body from event_revision order by revision")
    assert [row[0].encode() for row in bodies] == [begun.raw, ended.raw]
    assert province.rows("select tableoid::regclass::text, revision, phase from event") == [
        ("event_2026_11", 2, "end")
    ]
    with closing(province.open()) as store:
        assert store.committed("s01", "hai-ninh", "u-1") == [(1, 2)]
        assert [seq for seq, _ in store.digests("s01", "hai-ninh", "u-1", 1, 9, 1)] == [1]


def test_what_comes_again_under_another_number_or_in_another_life_changes_nothing(
    province: ProvincePlace,
) -> None:
    things = an_alert(1), an_hour(NOW_MS, 5), a_box(NOW_MS, "online")
    with closing(province.open()) as store:
        store.commit([up(1, *things), up(2, *things)])
        store.commit([up(1, *things, stream="u-2")])

    counted = "select (select count(*) from event_revision), (select count(*) from count_hour), "
    assert province.rows(counted + "(select count(*) from box_state), (select count(*) from conflict)") == [
        (1, 1, 1, 0)
    ]


def test_the_same_key_with_other_content_never_overwrites(province: ProvincePlace) -> None:
    first, forged = an_alert(1), an_alert(1, severity="info")
    with closing(province.open()) as store:
        store.commit([up(1, first)])
        store.commit([up(2, forged, forged)])

    assert province.rows("select severity from event") == [("alert",)]
    assert [row[0].encode() for row in province.rows("select body from event_revision")] == [first.raw]
    assert [bytes(row[0]) for row in province.rows("select raw from conflict where key_kind = 'event'")] == [
        forged.raw
    ]


def test_another_envelope_under_a_number_that_is_taken_is_kept_beside(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        store.commit([up(1, an_alert(1))])
        store.compare([up(1, an_alert(1)), up(1, an_alert(2))])

    assert province.rows("select key_kind, key from conflict") == [("envelope", "u-1/1")]
    assert province.rows("select count(*) from event") == [(1,)]


def test_what_was_said_later_counts_in_whatever_order_it_comes(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        store.commit([up(1, an_hour(NOW_MS - 5, 7), a_box(NOW_MS - 5, "offline"))])
        store.commit([up(2, an_hour(NOW_MS - 9, 3), a_box(NOW_MS - 9, "online"))])

    assert province.rows("select state, cameras from box_state") == [("offline", '{"north": ["online", 5]}')]
    assert json.loads(province.rows("select sums from count_hour")[0][0])["counts"] == {"car": {"in": 7}}


def test_a_station_whose_clock_is_ahead_does_not_have_the_last_word_for_ever(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        store.commit([up(1, a_box(NOW_MS + 900 * DAY_MS, "online"))])
    with closing(province.open(now_ms=NOW_MS + 1_000)) as store:
        store.commit([up(2, a_box(NOW_MS + 1_000, "offline"))])

    assert province.rows("select state from box_state") == [("offline",)]


@pytest.mark.parametrize(
    "item",
    [
        said("of_later", {"a": 1}),
        said("event", {"a": 1}),
        UpItem("event", "hn-01", b"\xff\xfe"),
        an_alert(7, commune="yen-lap"),
        UpItem("event", "hn-02", an_alert(7).raw),
        said("hour", {"camera": "north", "rule": "x", "hour_ms": 5, "said_ms": 5, "sums": "[]"}),
        said("hour", {"camera": "north", "rule": "x", "hour_ms": -1, "said_ms": 5, "sums": "{}"}),
        said("box", {"state": "up", "state_ms": 1, "last_seen_ms": 1, "cameras": {}, "said_ms": 1}),
        said("box", {"state": "online", "state_ms": 1, "last_seen_ms": 10**30, "cameras": {}, "said_ms": 1}),
        said("box", []),
        UpItem("seal", "hn-01", b"[" * 5_000),
    ],
    ids=range(11),
)
def test_an_item_that_cannot_be_read_is_kept_as_it_came_and_the_others_are_taken(
    province: ProvincePlace, item: UpItem
) -> None:
    with closing(province.open()) as store:
        store.commit([up(1, an_alert(1), item, an_alert(2)), up(2, item)])
        assert store.committed("s01", "hai-ninh", "u-1") == [(1, 2)]

    assert [bytes(row[0]) for row in province.rows("select raw from unreadable")] == [item.raw]
    assert province.rows("select count(*) from event") == [(2,)]


@pytest.mark.parametrize("raw", [b"", b"\x02abc", b"\x01not packed"])
def test_an_envelope_that_cannot_be_read_is_kept_and_receipted(province: ProvincePlace, raw: bytes) -> None:
    with closing(province.open()) as store:
        store.commit([sent(1, raw), up(2, an_alert(1), named="yen-lap"), up(3, an_alert(1))])
        assert store.committed("s01", "hai-ninh", "u-1") == [(1, 3)]

    assert province.rows("select count(*) from unreadable") == [(1 + bool(raw),)]
    assert province.rows("select count(*) from event") == [(1,)]


def test_retention_drops_whole_months_and_takes_nothing_of_them_any_more(province: ProvincePlace) -> None:
    old_ms = NOW_MS - 100 * DAY_MS
    with closing(province.open()) as store:
        store.commit([up(1, an_alert(1, at_ms=old_ms), an_alert(2))])
        store.attend()
    with closing(province.open(retention_months=2)) as store:
        store.attend()
        assert province.rows("select count(*) from event") == [(1,)]
        store.commit([up(2, an_alert(3, at_ms=old_ms))])

    assert province.rows("select count(*) from event") == [(1,)]
    assert province.rows("select count(*) from pg_class where relname = 'event_2026_08' and relnamespace = "
                         "current_schema()::regnamespace") == [(0,)]  # fmt: skip


def test_an_id_that_is_no_uuid_and_one_of_a_clock_that_nobody_set_lie_apart(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        store.commit([up(1, an_alert(1, id="e-1"), an_alert(2, at_ms=5), an_alert(3, at_ms=1 << 47))])

    assert province.rows("select distinct tableoid::regclass::text from event_revision") == [
        ("event_revision_default",)
    ]


def test_a_worker_that_does_not_have_its_shard_writes_nothing(province: ProvincePlace) -> None:
    lost: list[bool] = []
    with closing(province.open(on_lost=lambda: lost.append(True))) as first:
        first.lock.release()
        with closing(province.open()) as second:
            with pytest.raises(StoreError):
                first.commit([up(1, an_alert(1))])
            first.attend()
            assert lost == [True]
            second.commit([up(1, an_alert(1))])
        first.attend()
        first.commit([up(2, an_alert(2))])

    assert province.rows("select count(*) from event") == [(2,)]


def test_the_lives_of_the_workers_of_a_shard_are_known_to_the_next(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        store.begin("life-1")
    with closing(province.open()) as store:
        assert store.earlier() == ("life-1",)


def test_a_batch_reads_its_own_rows_of_a_table_that_nobody_has_analysed(province: ProvincePlace) -> None:
    """A planner that knows nothing of a table reads the whole of it, each time a little more."""

    def alerts(first: int, last: int) -> list[UpItem]:
        return [an_alert(number, image=image | {"sha256": f"{number:064x}"}) for number in range(first, last)]

    image = {"topic": "of it", "width_px": 320, "height_px": 180, "bytes": 12_000}
    with closing(province.open()) as store:
        store.commit([up(1 + at, *alerts(50 * at, 50 * at + 50)) for at in range(30)])
    with closing(province.open()) as store:
        store.commit([up(31, *alerts(1_450, 1_550))])
    read = (
        "select relname, seq_tup_read from pg_stat_user_tables "
        "where relname in ('event_2026_11', 'event_revision_2026_11') and idx_scan >= 100 order by relname"
    )

    until(lambda: len(province.rows(read)) == 2, 20, "the server has counted")

    assert province.rows(read) == [("event_2026_11", 0), ("event_revision_2026_11", 0)]
    assert province.rows("select count(*) from event") == [(1_550,)]


@pytest.mark.parametrize("version", range(2, VERSION))
def test_a_database_of_a_version_before_is_brought_up_to_date_and_keeps_what_is_in_it(
    province: ProvincePlace, version: int
) -> None:
    folder = Path(store_module.__file__).parent
    engine = engine_of(province.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table province_version (number integer not null)")
        connection.exec_driver_sql(f"insert into province_version values ({version})")
        for step in ("", *(f"_{number}" for number in range(3, version + 1))):
            connection.exec_driver_sql((folder / f"schema{step}.sql").read_text(encoding="utf-8"))
        connection.exec_driver_sql(
            "insert into commune (name, shard, first_seen_ms, last_seen_ms) values ('hai-ninh', 's01', 0, 0)"
        )
    engine.dispose()

    with closing(province.open()) as store:
        assert store.commands() == []

    assert province.rows("select number from province_version") == [(VERSION,)]
    assert province.rows("select name from commune") == [("hai-ninh",)]
    assert province.rows("select count(*) from request") == [(0,)]
    assert province.rows("select count(*) from box_title") == [(0,)]


def test_a_database_that_is_no_postgresql_or_of_a_newer_version_is_refused(province: ProvincePlace) -> None:
    with pytest.raises(StoreError, match="PostgreSQL"):
        upgrade(engine_of(URL.create("sqlite", database=":memory:")))
    province.open().close()
    engine = engine_of(province.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("update province_version set number = 99")
    with pytest.raises(StoreError, match="newer"):
        upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("update province_version set number = 1")
    with pytest.raises(StoreError, match="trial before the first version") as refused:
        upgrade(engine)
    assert "uplink/" in refused.value.hint
    engine.dispose()
