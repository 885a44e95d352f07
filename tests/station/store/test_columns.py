"""station.store.columns"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from station.ingest.inbound import read
from station.store.columns import blob_of, moment, ms
from tests.station.ingest.test_receipts import BASE, messages


def test_pictures_lie_beside_the_database_and_neither_json_nor_footage_does() -> None:
    event, picture = messages(1, 1, picture=True)
    chunk = read(BASE + "evidence/q-1/film.mp4/0", b"{}", {"stream": "s-1", "seq": "3"})

    assert [blob_of(each) for each in (event, picture, chunk)] == [None, picture.digest, None]


def test_what_cannot_be_read_as_a_picture_lies_nowhere() -> None:
    assert blob_of(read(BASE + "camera/north/image/e1/thumbnail", b"no picture", {})) is None


def test_moments_are_whole_milliseconds() -> None:
    assert ms(datetime(1970, 1, 1, 0, 0, 1, 1600, tzinfo=UTC)) == 1002


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["UTC", "Asia/Ho_Chi_Minh", "Pacific/Kiritimati"]))
def test_every_number_of_a_store_is_a_moment_that_can_be_said(at_ms: int, zone: str) -> None:
    at = moment(at_ms, ZoneInfo(zone))

    assert 1969 <= at.year <= 2200
    assert at.astimezone(UTC).isoformat()
    if 0 <= at_ms < ms(datetime(2199, 12, 31, tzinfo=UTC)):
        assert ms(at) == at_ms
