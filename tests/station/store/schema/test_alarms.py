"""station.store.schema.alarms"""

from __future__ import annotations

from station.store.schema import alarm
from tests.support.declared_tables import is_refused
from tests.support.stores import Place


def test_of_what_is_wrong_one_alarm_stands_however_many_are_over(declared: Place) -> None:
    row = {"kind": "quota", "box_id": 1, "opened_ms": 1, "last_ms": 1, "count": 1, "detail": ""}

    assert not is_refused(declared, alarm, **row, id=1, standing="quota/1")
    assert is_refused(declared, alarm, **row, id=2, standing="quota/1")
    assert not is_refused(declared, alarm, **row, id=2, standing=None, closed_ms=2)
    assert not is_refused(declared, alarm, **row, id=3, standing=None, closed_ms=3)
