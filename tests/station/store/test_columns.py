"""station.store.columns"""

from __future__ import annotations

from datetime import UTC, datetime

from station.ingest.inbound import read
from station.store.columns import blob_of, ms
from tests.station.ingest.test_receipts import BASE, messages


def test_pictures_lie_beside_the_database_and_neither_json_nor_footage_does() -> None:
    event, picture = messages(1, 1, picture=True)
    chunk = read(BASE + "evidence/q-1/film.mp4/0", b"{}", {"stream": "s-1", "seq": "3"})

    assert [blob_of(each) for each in (event, picture, chunk)] == [None, picture.digest, None]


def test_what_cannot_be_read_as_a_picture_lies_nowhere() -> None:
    assert blob_of(read(BASE + "camera/north/image/e1/thumbnail", b"no picture", {})) is None


def test_moments_are_whole_milliseconds() -> None:
    assert ms(datetime(1970, 1, 1, 0, 0, 1, 1600, tzinfo=UTC)) == 1002
