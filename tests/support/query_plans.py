"""Which index answers a question: by the plan of either database, over thousands of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import text

from station.store.statements.analysis import analyze
from tests.support.stores import Place

BOTH_WAYS = pytest.mark.parametrize("is_analyzed", [False, True], ids=["", "analyzed"])
"""A planner that has looked at the columns takes other indexes than one that has not."""

NUMBERS = "with recursive number (i) as (select 1 union all select i + 1 from number where i < 4000)"
EVENTS = f"""
    insert into event (box_id, event_id, revision, camera, kind, phase, severity, start_ms, time_ms, rule_id,
        rule_kind, label, replayed, clock_state, first_received_ms, received_ms)
    {NUMBERS}
    select 1 + i % 8, 'e-' || i, 1, 'cam-' || (i % 5), 'kind-' || (i % 7),
        case i % 100 when 0 then 'update' else 'end' end, case i % 50 when 0 then 'alert' else 'info' end,
        i * 1000, i * 1000, 'rule-' || (i % 9), 'line', 'label-' || (i % 11), false, 'ntp', i * 1000, i * 1000
    from number
"""


def fill(place: Place, *statements: str) -> None:
    """Eight boxes with a stream each, and what the statements put there."""
    with place.engine.begin() as connection:
        for number in range(1, 9):
            box = "insert into box (id, commune, device, first_seen_ms, last_seen_ms) values"
            connection.exec_driver_sql(f"{box} ({number}, 'c', 'b-{number}', 1, 1)")
            stream = "insert into stream (id, box_id, name, first_seen_ms, unnumbered) values"
            connection.exec_driver_sql(f"{stream} ({number}, {number}, 's', 1, 0)")
        for statement in statements:
            connection.execute(text(statement))


def passed_over(
    place: Place, filling: Sequence[str], questions: Mapping[str, str], *, is_analyzed: bool
) -> dict[str, str]:
    """Of each question that does not take its index, the index and the plan.

    `questions` are by the index that each is there for; a primary key's is called as in PostgreSQL.
    """
    fill(place, *filling)
    is_sqlite = place.url.drivername == "sqlite"
    with place.engine.begin() as connection:
        if is_analyzed or not is_sqlite:  # PostgreSQL looks by itself after a while, and SQLite does not
            analyze(connection)
        explain = "explain query plan " if is_sqlite else "explain "
        plans = {
            index: str(connection.exec_driver_sql(explain + query).all()) for index, query in questions.items()
        }
    by = {index: index.replace("pk_", "sqlite_autoindex_") + "_1" * index.startswith("pk_") for index in plans}
    names = by if is_sqlite else {index: index for index in plans}
    return {index: plan for index, plan in plans.items() if names[index] not in words(plan)}


def words(plan: str) -> list[str]:
    """What stands between spaces and quotes."""
    return plan.replace("'", " ").split()
