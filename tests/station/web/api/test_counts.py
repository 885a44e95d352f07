"""station.web.api.counts"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from station.store.schema import box, stream
from tests.station.web.api.conftest import Interface
from tests.support.duty_store import add_count

LINE = {"box": "north-01", "camera": "north", "rule": "vach-dung"}


def test_counts_of_a_line_have_gaps_where_nobody_counted(interface: Interface) -> None:
    start = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with interface.console.writes.begin() as connection:
        (box_id,) = connection.execute(box.select().where(box.c.device == "north-01")).scalars()
        if box_id not in set(connection.execute(stream.select()).scalars()):
            row = {"id": box_id, "box_id": box_id, "name": "s-9", "first_seen_ms": 0, "unnumbered": 0}
            connection.execute(insert(stream).values(row))
        for quarter in range(4):
            at_ms = round((start + timedelta(minutes=15 * quarter)).timestamp() * 1000)
            add_count(connection, box_id, 900 + quarter, at_ms, {"car": {"in": 3}, "bus": {"out": 1}})
    program = interface.program()

    (line,) = program.get("/api/v1/counts/lines").json()["lines"]
    assert {name: line[name] for name in LINE} == LINE
    day = start.astimezone(interface.console.zone).date().isoformat()
    found = program.get("/api/v1/counts", params={**LINE, "first": day, "last": day}).json()
    assert len(found["cells"]) == 24
    counted = [cell for cell in found["cells"] if cell["numbers"] is not None]
    numbers = [(each["label"], each["direction"], each["number"]) for each in counted[0]["numbers"]]
    assert (len(counted), counted[0]["covered"], numbers) == (1, 1.0, [("bus", "out", 4), ("car", "in", 12)])
    whole = program.get("/api/v1/counts", params={**LINE, "first": day, "last": day, "step": "day"}).json()
    assert sum(each["number"] for each in whole["cells"][0]["numbers"]) == 16


def test_what_cannot_be_counted_is_refused(interface: Interface) -> None:
    program = interface.program()

    assert (
        program.get("/api/v1/counts", params={**LINE, "first": "2026-01-01", "last": "2026-01-02"}).status_code
        == 404
    )
    assert program.get("/api/v1/counts", params={**LINE, "first": "9999-99-99", "last": "x"}).status_code == 422
    assert program.get("/api/v1/counts/lines").json() == {"lines": []}
