"""station.access.audit_watch"""

from __future__ import annotations

import threading

import pytest

from station.access.audit_entry import AuditVerb
from station.access.audit_log import AuditLog
from station.access.audit_proof import LogVerdict
from station.access.audit_watch import FRESH_S, AuditWatch
from tests.support.brokers import until
from tests.support.people import LAN, People
from tests.support.stores import Place


@pytest.fixture
def people(sqlite_place: Place) -> People:
    return People(sqlite_place)


def test_the_first_page_that_asks_gets_the_verdict_of_a_short_log(people: People) -> None:
    people.audit.note(LAN, AuditVerb.LOOK_UP)
    standing = AuditWatch(people.audit, people.clock).standing(20)

    assert standing is not None
    assert (standing.verdict, standing.at_ms) == (LogVerdict(1, None), people.clock.ms)


def test_a_verdict_is_kept_for_a_while_and_then_made_anew(people: People) -> None:
    watch = AuditWatch(people.audit, people.clock)
    people.audit.note(LAN, AuditVerb.LOOK_UP)
    first = watch.standing(20)
    people.audit.note(LAN, AuditVerb.LOOK_UP)
    assert watch.standing(20) == first
    people.clock.at_s += FRESH_S + 1

    def is_new() -> bool:
        found = watch.standing(20)
        return found is not None and found.verdict.entries == 2

    until(is_new)


def test_a_log_that_is_long_holds_up_no_page(people: People) -> None:
    held = threading.Event()

    class Slow(AuditLog):
        def verify(self) -> LogVerdict:
            held.wait(20)
            return super().verify()

    watch = AuditWatch(Slow(people.engine, people.place.folder), people.clock)
    assert watch.standing(0.01) is None
    held.set()

    until(lambda: watch.standing(0.1) is not None)


def test_a_store_that_is_away_says_nothing_and_is_asked_again(people: People) -> None:
    people.place.do("alter table audit_entry rename to away")
    watch = AuditWatch(people.audit, people.clock)
    assert watch.standing(20) is None
    people.place.do("alter table away rename to audit_entry")

    until(lambda: watch.standing(20) is not None)
