"""station.uplink.requests.journal"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from station.store.database import StoreError
from station.uplink.requests.answer import SentFile
from station.uplink.requests.journal import AGAIN_MS, DAY_MS, KEPT_MS, DayUse, RequestJournal
from station.uplink.requests.order import RequestReason, RequestState
from tests.support.asked_requests import NOW, PICTURE, as_read, command

NOW_MS = round(NOW.timestamp() * 1000)
ASKED = as_read(command(1, **PICTURE, sha256="a" * 64))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests.db"


@pytest.fixture
def journal(path: Path) -> Iterator[RequestJournal]:
    with closing(RequestJournal(path)) as opened:
        yield opened


def test_a_request_is_taken_once_and_another_under_its_id_never(journal: RequestJournal, path: Path) -> None:
    assert journal.take(ASKED, NOW_MS, 5) == "new"
    assert journal.take(ASKED, NOW_MS, 5) == "again"
    assert journal.take(as_read(command(1, **PICTURE, sha256="b" * 64)), NOW_MS, 5) == "other"

    with closing(RequestJournal(path)) as later:
        (found,) = later.open()
    assert (found.request, found.state, found.nth) == (ASKED, "heard", 1)


def test_no_more_are_noted_in_a_day_than_may_be(journal: RequestJournal) -> None:
    taken = [journal.take(as_read(command(each)), NOW_MS, 2) for each in (1, 2, 3)]

    assert taken == ["new", "new", "full"]
    assert journal.take(as_read(command(4)), NOW_MS + DAY_MS, 2) == "new"


def test_an_answer_is_due_until_it_is_in_the_outbox_and_each_counts_on(journal: RequestJournal) -> None:
    journal.take(ASKED, NOW_MS, 5)
    assert journal.due() == []
    journal.judge("r-1", None, NOW_MS)
    (first,) = journal.due()
    file = SentFile("p.jpg", 3, "c" * 64)
    journal.end("r-1", None, NOW_MS + 1, [file], {"went": 1})
    journal.handed([first], NOW_MS)  # the second has come meanwhile

    (second,) = journal.due()
    assert (first.number, first.state) == (1, RequestState.ACCEPTED)
    assert (second.number, second.state, second.files, second.counts) == (2, "done", (file,), {"went": 1})
    journal.handed([second], NOW_MS)
    assert journal.due() == [] and journal.open() == []


def test_what_was_refused_is_not_open_any_more(journal: RequestJournal) -> None:
    journal.take(ASKED, NOW_MS, 5)
    journal.judge("r-1", RequestReason.NOT_ALLOWED, NOW_MS)
    journal.end("r-1", None, NOW_MS)

    (answer,) = journal.due()
    assert (answer.state, answer.reason) == ("refused", "not_allowed") and journal.open() == []


def test_who_asks_again_is_answered_again_but_not_all_the_time(journal: RequestJournal) -> None:
    journal.take(ASKED, NOW_MS, 5)
    journal.judge("r-1", None, NOW_MS)
    journal.handed(journal.due(), NOW_MS)

    journal.take(ASKED, NOW_MS + AGAIN_MS - 1, 5)
    assert journal.due() == []
    journal.take(ASKED, NOW_MS + AGAIN_MS, 5)
    assert len(journal.due()) == 1


def test_another_outbox_is_told_and_sent_all_of_it_once_more_and_the_first_is_not(
    journal: RequestJournal,
) -> None:
    journal.take(ASKED, NOW_MS, 5)
    journal.judge("r-1", None, NOW_MS)
    journal.advance("r-1", "half", 10, NOW_MS)
    journal.end("r-1", None, NOW_MS)
    journal.handed(journal.due(), NOW_MS)

    journal.belong_to("u-1")
    assert journal.open() == [] and journal.due() == []
    journal.belong_to("u-2")

    (found,) = journal.open()
    assert found.mark == "" and found.state == "accepted" and len(journal.due()) == 1


def test_what_is_used_counts_by_day(journal: RequestJournal) -> None:
    journal.take(ASKED, NOW_MS, 5)
    journal.judge("r-1", None, NOW_MS)
    journal.advance("r-1", "half", 10, NOW_MS)
    journal.advance("r-1", "more", 5, NOW_MS)

    assert journal.used(NOW_MS) == DayUse(1, 15) and journal.used(NOW_MS + DAY_MS) == DayUse(0, 0)
    assert [each.mark for each in journal.open()] == ["more"]


def test_a_request_is_forgotten_only_long_after_it_has_expired(journal: RequestJournal) -> None:
    journal.take(ASKED, NOW_MS, 5)
    journal.take(as_read(command(2)), NOW_MS + KEPT_MS, 5)
    assert len(journal.open()) == 2
    journal.take(as_read(command(3)), NOW_MS + KEPT_MS + 1, 5)
    assert [each.request.id for each in journal.open()] == ["r-2", "r-3"]


def test_what_cannot_be_written_is_one_clear_error_and_a_damaged_file_is_set_aside(
    journal: RequestJournal, path: Path
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("drop table used")
    with pytest.raises(StoreError, match=r"requests\.db"):
        journal.take(ASKED, NOW_MS, 5)
    journal.close()
    path.write_bytes(b"no database at all" * 1_000)

    with closing(RequestJournal(path)) as later:
        assert later.take(ASKED, NOW_MS, 5) == "new"
    assert path.with_name("requests.db.damaged").exists()


def test_why_one_waits_is_an_answer_more_each_time_that_it_is_another_reason(journal: RequestJournal) -> None:
    journal.take(ASKED, NOW_MS, 5)
    journal.judge("r-1", None, NOW_MS)
    journal.handed(journal.due(), NOW_MS)
    for reason in (RequestReason.BOX_AWAY, RequestReason.BOX_AWAY, RequestReason.BOX_SENDS):
        journal.wait("r-1", reason, NOW_MS)

    (answer,) = journal.due()
    assert (answer.number, answer.state, answer.reason) == (3, "accepted", "box_sends")
    journal.end("r-1", None, NOW_MS)
    journal.wait("r-1", RequestReason.BOX_AWAY, NOW_MS)
    (last,) = journal.due()
    assert (last.number, last.state, last.reason) == (4, "done", None)
