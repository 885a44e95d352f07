"""station.store.schema.retention"""

from __future__ import annotations

import pytest
from sqlalchemy import Table

from station.store.schema import blob_removal, deletion, event_hold, picture_removal
from tests.support.declared_tables import is_refused, number_after_a_removal
from tests.support.stores import Place

SUMS = dict.fromkeys(("days", "until_ms", "begun_ms", "item_count", "messages", "size_bytes"), 1)
HOLD = dict.fromkeys(("event_id", "act", "case_number", "reason", "login", "name"), "")
NUMBERED = [
    (deletion, SUMS | {"kind": "events", "subject": "", "is_noted": False}),
    (event_hold, HOLD | {"box_id": 7, "made_ms": 1, "change_id": 0}),
]


@pytest.mark.parametrize(("table", "row"), NUMBERED, ids=["deletion", "event_hold"])
def test_a_record_never_gets_the_number_of_one_before(
    declared: Place, table: Table, row: dict[str, object]
) -> None:
    first, second = number_after_a_removal(declared, table, **row)

    assert second > first


def test_a_file_or_a_record_waits_once_to_leave_the_disk(declared: Place) -> None:
    row = {"sha256": "a", "size_bytes": 1}

    assert not is_refused(declared, blob_removal, sha256="a")
    assert is_refused(declared, blob_removal, sha256="a")
    assert not is_refused(declared, picture_removal, **row, segment=1, segment_offset=0)
    assert is_refused(declared, picture_removal, **row, segment=1, segment_offset=0)
    assert not is_refused(declared, picture_removal, **row, segment=2, segment_offset=0)
