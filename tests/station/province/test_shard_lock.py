"""station.province.shard_lock"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from station.config import DatabaseSettings
from station.province.shard_lock import LockLost, ShardLock
from station.store.database import StoreError, engine_of, url_of
from tests.acceptance.faults.postgres_pair import postgres_pair
from tests.support.brokers import until
from tests.support.provinces_up import ProvincePlace

pytestmark = pytest.mark.postgresql


def test_one_has_a_shard_and_the_next_gets_it_when_that_one_lets_go(province: ProvincePlace) -> None:
    engine = engine_of(province.url)
    first, second, other = ShardLock(engine, "s01"), ShardLock(engine, "s01"), ShardLock(engine, "s02")

    assert first.take() and first.take() and other.take()
    assert not second.take() and not second.held
    first.release()
    first.release()
    until(second.take)
    second.release()
    other.release()
    engine.dispose()


def test_who_is_cut_off_at_the_server_has_lost_it_and_can_write_nothing(province: ProvincePlace) -> None:
    engine, admin = engine_of(province.url), engine_of(province.url)
    first, second = ShardLock(engine, "s01"), ShardLock(admin, "s01")
    assert first.take()
    ours = first.transact(lambda connection: connection.scalar(text("select pg_backend_pid()")))
    with admin.begin() as connection:
        connection.execute(text(f"select pg_terminate_backend({ours})"))

    until(second.take)
    with pytest.raises(LockLost):
        first.transact(lambda connection: connection.scalar(text("select 1")))
    assert not first.held and not first.take()
    with pytest.raises(LockLost):
        first.transact(lambda connection: connection.scalar(text("select 1")))
    second.release()
    engine.dispose()
    admin.dispose()


@pytest.mark.long
@pytest.mark.usefixtures("postgresql")  # where there is none the test is skipped
def test_after_a_failover_the_shard_is_had_at_the_standby_which_has_all_that_was_committed() -> None:
    """The address names both; while the first is dead and the second not promoted there is nothing to have."""
    with postgres_pair() as pair:
        engine = engine_of(url_of(DatabaseSettings(url=pair.address), Path()))
        lock = ShardLock(engine, "s01")
        assert lock.take()
        lock.transact(lambda connection: connection.execute(text("create table kept as select 7 as number")))
        pair.primary.kill()
        with pytest.raises(LockLost):
            lock.transact(lambda connection: connection.execute(text("insert into kept values (8)")))
        with pytest.raises(StoreError):
            lock.take()

        pair.fail_over()
        assert lock.take()
        assert lock.transact(lambda connection: connection.scalar(text("select sum(number) from kept"))) == 7
        lock.release()
        engine.dispose()


def test_a_statement_that_is_refused_costs_no_shard(province: ProvincePlace) -> None:
    engine = engine_of(province.url)
    lock = ShardLock(engine, "s01")
    assert lock.take()

    with pytest.raises(Exception, match="no_such_table"):
        lock.transact(lambda connection: connection.execute(text("select * from no_such_table")))

    assert lock.transact(lambda connection: connection.scalar(text("select 7"))) == 7
    lock.release()
    engine.dispose()


def test_a_server_that_is_not_there_is_one_clear_error(province: ProvincePlace) -> None:
    engine = engine_of(province.url.set(port=1))

    with pytest.raises(StoreError):
        ShardLock(engine, "s01").take()
    engine.dispose()
