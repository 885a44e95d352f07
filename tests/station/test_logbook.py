"""station.logbook"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import NgatuError
from station.ingest.inbound import InboundMessage
from station.logbook import Logbook
from tests.station.ingest.test_receipts import hello, messages, messages_of
from tests.station.store.test_store import bytes_by
from tests.support import logbook as old
from tests.support.fake_box import an_event
from tests.support.stores import Place


def kept(path: Path, came: Sequence[InboundMessage]) -> Path:
    """What `ngatu watch --store` made of them."""
    with closing(old.Logbook(path)) as book:
        book.commit(came)
    return path


def without_digests(path: Path) -> Path:
    """As files are from before receipts proved anything."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("alter table received drop column digest")
    return path


def several() -> list[InboundMessage]:
    """Two events with a picture each, of one a better one later, something unreadable, and a hello."""
    came = [*messages(1, 1, picture=True), *messages(2, 3, picture=True)]
    better = bytes_by(came[1].suffix, messages(3, 7, picture=True)[1].raw, 8)
    return [*came, better, bytes_by("camera/north/event", b"?", 9), hello(1, 9)]


@pytest.mark.parametrize("digests", [True, False])
def test_what_was_kept_is_read_as_it_came(tmp_path: Path, digests: bool) -> None:
    came = several()
    path = kept(tmp_path / "station.db", came)
    came.pop()  # a hello has no number
    if not digests:
        without_digests(path)
    before = path.read_bytes()

    with closing(Logbook(path)) as logbook:
        found = list(logbook.messages())
        assert (len(logbook), logbook.skipped) == (len(came), [])

    assert [(each.seq, each.digest, each.suffix) for each in found] == [
        (each.seq, each.digest, each.suffix) for each in came
    ]
    assert [each.raw for each in found] == [each.raw for each in came]
    assert path.read_bytes() == before


@pytest.mark.parametrize("digests", [True, False])
def test_one_picture_of_two_events_lies_in_the_file_once_and_is_read_for_both(
    tmp_path: Path, digests: bool
) -> None:
    event = an_event(1, picture=True)
    came = [*messages_of(event, 1), *messages_of(replace(event, id="e-2"), 3)]
    path = kept(tmp_path / "station.db", came)
    if not digests:
        without_digests(path)

    with closing(Logbook(path)) as logbook:
        found = list(logbook.messages())

    assert [(each.seq, each.digest) for each in found] == [(each.seq, each.digest) for each in came]


def test_a_picture_that_came_without_a_number_is_there_last(tmp_path: Path) -> None:
    event, picture = messages(1, 1, picture=True)
    path = kept(tmp_path / "station.db", [event, replace(picture, stream=None, seq=None)])

    with closing(Logbook(path)) as logbook:
        first, last = logbook.messages()

    assert (first.digest, last.digest, last.seq) == (event.digest, picture.digest, None)
    assert (last.camera, last.event_id, last.image_kind) == ("north", "e-1", "thumbnail")


def test_what_is_not_whole_in_the_file_is_named_and_left_out(tmp_path: Path) -> None:
    path = kept(tmp_path / "station.db", several())
    with closing(sqlite3.connect(path)) as database:
        database.execute("update event set payload = replace(payload, 'motorcycle', 'car') where id = 'e-1'")
        database.execute("delete from picture where event_id = 'e-2'")
        database.commit()

    with closing(Logbook(path)) as logbook:
        found = [each.seq for each in logbook.messages()]

    assert logbook.skipped == ["hai-ninh/north-01 s-1/1", "hai-ninh/north-01 s-1/4"]
    assert 1 not in found


def test_other_files_are_refused_and_left_as_they_are(tmp_path: Path, sqlite_place: Place) -> None:
    sqlite_place.open().close()
    text = tmp_path / "notes.txt"
    text.write_text("no database" * 100)

    for path, said in (
        (tmp_path / "station.db", "is no file of `ngatu watch --store`"),
        (text, "file is not a database"),
        (tmp_path / "gone.db", "unable to open database file"),
    ):
        with pytest.raises(NgatuError, match=said):
            Logbook(path)
    assert not (tmp_path / "gone.db").exists()
