"""station.store.schema.pictures"""

from __future__ import annotations

from station.store.schema import blob, picture
from tests.support.declared_tables import is_refused, put
from tests.support.query_plans import BOTH_WAYS, EVENTS, passed_over
from tests.support.stores import Place

BLOBS = """
    insert into blob (sha256, size_bytes, received_ms, segment, segment_offset)
    select 'b' || event_id, 1, received_ms, case when received_ms % 100000 > 0 then received_ms / 50000 end, 1
    from event
"""
PICTURES = """
    insert into picture (box_id, event_id, kind, sha256, camera, received_ms, blob_received_ms)
    select box_id, event_id, case when received_ms % 50000 > 0 then 'scene' else 'snapshot' end,
        'b' || event_id, camera, received_ms, received_ms
    from event
"""
QUESTIONS = {
    "pk_picture": "select camera from picture where box_id = 5 and event_id = 'e-77'",
    "ix_picture_blob_received_ms": "select picture.event_id from blob join picture "
    "on picture.blob_received_ms = blob.received_ms and picture.sha256 = blob.sha256 "
    "where blob.sha256 in ('be-77', 'be-78')",
    "ix_picture_snapshot": "select sha256 from picture where box_id = 3 and camera = 'cam-0' and "
    "kind = 'snapshot' order by received_ms desc limit 1",
    "ix_blob_segment": "select max(segment_offset) from blob where segment = 7",
    "ix_blob_apart": "select sha256 from blob where segment is null and sha256 > 'b' order by sha256 limit 9",
}
"""Index -> a question that it is there for."""


@BOTH_WAYS
def test_each_question_has_its_index_and_takes_it(stepped: Place, *, is_analyzed: bool) -> None:
    assert passed_over(stepped, [EVENTS, BLOBS, PICTURES], QUESTIONS, is_analyzed=is_analyzed) == {}


def test_a_picture_is_of_a_file_that_is_there_and_came_when_it_says(declared: Place) -> None:
    put(declared, blob, sha256="aa", size_bytes=1, received_ms=5)
    row = {"box_id": 1, "event_id": "e-1", "camera": "north", "received_ms": 9}

    assert is_refused(declared, picture, **row, kind="scene", sha256="bb", blob_received_ms=5)
    assert is_refused(declared, picture, **row, kind="scene", sha256="aa", blob_received_ms=6)
    assert not is_refused(declared, picture, **row, kind="scene", sha256="aa", blob_received_ms=5)
    assert not is_refused(declared, picture, **row, kind="thumbnail", sha256="aa", blob_received_ms=5)
