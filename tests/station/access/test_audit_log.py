"""station.access.audit_log"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from station.access.audit_entry import HEAD, Actor, AuditVerb, ConsoleEntry, LogEnd, entry_of
from station.access.audit_log import FIRST_UNDER_WAY, AuditLog, AuditQuery, LogVerdict
from station.access.audit_proof import BreakKind, LogBreak
from station.store.database import StoreError, engine_of, upgrade
from station.store.schema import audit_entry
from tests.support.people import LAN, People
from tests.support.stores import Place

HOA = Actor("hoa", "Trần Ánh Hoa", "supervisor", "10.0.0.8")


@pytest.fixture
def people(place: Place) -> People:
    return People(place)


def noted(people: People, count: int) -> list[ConsoleEntry]:
    return [
        people.audit.note(LAN, AuditVerb.LOOK_UP, f"box-{number}", {"n": number})
        for number in range(1, count + 1)
    ]


def broken(people: People) -> tuple[str, int, int] | None:
    found = AuditLog(people.engine, people.place.folder).verify().broken
    return None if found is None else (str(found.kind), found.first, found.last)


@pytest.mark.long
def test_what_is_noted_stands_there_and_is_whole(people: People) -> None:
    made = noted(people, 3)

    assert [each.id for each in made] == [1, 2, 3]
    assert people.audit.search(AuditQuery()).entries == tuple(reversed(made))
    assert people.audit.verify() == LogVerdict(3, None)


def test_an_empty_log_is_whole(people: People) -> None:
    assert people.audit.verify() == LogVerdict(0, None)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update audit_entry set subject = 'another' where id = 3", ("altered", 3, 3)),
        ("update audit_entry set time_ms = time_ms + 1 where id = 1", ("altered", 1, 1)),
        ("update audit_entry set sha256 = previous_sha256 where id = 5", ("altered", 5, 5)),
        ("delete from audit_entry where id = 3", ("missing", 3, 3)),
        ("delete from audit_entry where id in (1, 2)", ("missing", 1, 2)),
        ("delete from audit_entry where id = 5", ("cut_off", 5, 5)),
        ("delete from audit_entry", ("cut_off", 1, 5)),
        (
            "update audit_entry set id = case id when 2 then -3 when 3 then -2 end where id in (2, 3)",
            ("missing", 1, -4),
        ),
        ("update audit_entry set id = id + 1 where id = 5", ("missing", 5, 5)),
    ],
)
def test_whatever_is_done_to_it_is_found(people: People, statement: str, found: tuple[str, int, int]) -> None:
    noted(people, 5)
    people.place.do(statement)
    if "-3" in statement:
        people.place.do("update audit_entry set id = -id where id < 0")
        found = ("altered", 2, 2)

    assert broken(people) == found


def test_a_break_stays_to_be_seen_after_the_log_has_gone_on(people: People) -> None:
    noted(people, 5)
    people.place.do("delete from audit_entry where id > 3")
    made = noted(people, 2)

    assert [each.id for each in made] == [6, 7]
    assert broken(people) == ("missing", 4, 5)


def test_a_last_entry_that_was_rewritten_with_its_hash_stays_to_be_seen_too(people: People) -> None:
    noted(people, 5)
    people.place.do("delete from audit_entry where id = 5")
    last = people.audit.search(AuditQuery()).entries[0]
    forged = entry_of(LogEnd(last.id, last.sha256), last.time_ms, HOA, AuditVerb.LOOK_UP, "forged", {})
    with people.engine.begin() as connection:
        connection.execute(audit_entry.insert().values(asdict(forged)))
    assert broken(people) == ("altered", 5, 5)
    AuditLog(people.engine, people.place.folder, now=people.clock).note(LAN, AuditVerb.LOOK_UP, "next")

    assert broken(people) == ("altered", 5, 5)


def test_a_head_that_is_missing_or_damaged_is_told(people: People) -> None:
    noted(people, 2)
    (people.place.folder / HEAD).write_text("{")
    assert broken(people) == ("no_head", 2, 2)
    (people.place.folder / HEAD).unlink()
    assert broken(people) == ("no_head", 2, 2)


@pytest.mark.parametrize("damage", [lambda head: head.unlink(), lambda head: head.write_text("{")])
def test_a_head_that_is_put_anew_has_left_an_entry(people: People, damage: Callable[[Path], object]) -> None:
    noted(people, FIRST_UNDER_WAY + 2)
    people.place.do(f"delete from audit_entry where id > {FIRST_UNDER_WAY + 1}")  # and the witness with it
    damage(people.place.folder / HEAD)
    noted(people, 1)
    noted(people, 1)

    newest_first = people.audit.search(AuditQuery(), 4).entries
    assert [each.verb for each in newest_first] == ["look_up", "look_up", "log_end_lost", "look_up"]
    assert newest_first[2].details == {"after": FIRST_UNDER_WAY + 1}
    assert broken(people) is None


def test_a_head_that_is_behind_after_a_power_cut_is_no_break(people: People) -> None:
    noted(people, 2)
    before = (people.place.folder / HEAD).read_bytes()
    noted(people, 1)
    (people.place.folder / HEAD).write_bytes(before)
    assert broken(people) is None
    people.audit = AuditLog(people.engine, people.place.folder, now=people.clock)
    noted(people, 1)

    assert broken(people) is None


@pytest.mark.long
def test_many_threads_append_each_once_in_one_chain(people: People) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(
            pool.map(lambda number: people.audit.note(LAN, AuditVerb.LOOK_UP, f"box-{number}"), range(200))
        )

    assert sorted(each.id for each in made) == list(range(1, 201))
    assert people.audit.verify() == LogVerdict(200, None)
    assert broken(people) is None


def append(url: str, folder: str, who: str) -> None:
    """In another process."""
    from sqlalchemy import make_url  # noqa: PLC0415

    audit = AuditLog(engine_of(make_url(url)), Path(folder))
    for number in range(10):
        audit.note(Actor(who, who, "", ""), AuditVerb.LOOK_UP, str(number))


@pytest.mark.long
def test_two_processes_append_each_once_in_one_chain(people: People) -> None:
    url: URL = people.place.url
    words = (url.render_as_string(hide_password=False), str(people.place.folder))
    context = multiprocessing.get_context("spawn")
    several = [context.Process(target=append, args=(*words, who)) for who in ("one", "two")]
    for each in several:
        each.start()
    for each in several:
        each.join(100)

    assert [each.exitcode for each in several] == [0, 0]
    assert people.audit.verify() == LogVerdict(20, None)
    assert people.place.rows("select login, count(*) from audit_entry group by login order by 1") == [
        ("one", 10),
        ("two", 10),
    ]


def test_entries_are_found_by_who_what_when_and_words(people: People) -> None:
    people.audit.note(LAN, AuditVerb.LOOK_UP, "north-01/gate", {"label": "motorcycle", "day": "Tuesday 50%"})
    people.clock.at_s += 100
    middle = people.clock.ms
    people.audit.note(HOA, AuditVerb.EXPORT, "north-01", {"format": "csv"})
    people.clock.at_s += 100
    people.audit.note(LAN, AuditVerb.EXPORT, "south_02", {})

    def ids(**query: object) -> list[int]:
        return [each.id for each in people.audit.search(AuditQuery(**query)).entries]  # type: ignore[arg-type]

    assert ids() == [3, 2, 1]
    assert ids(who="LAN") == [3, 1]
    assert ids(who="Ánh") == [2]
    assert ids(who="hoa") == [2]
    assert ids(verb="export") == [3, 2]
    assert ids(subject="north-01 gate") == [1]
    assert ids(subject="MOTORCYCLE") == [1]
    assert ids(subject="50%") == [1]
    assert ids(subject="%") == [1]
    assert ids(subject="south_02") == [3]
    assert ids(subject="south-02") == []
    assert ids(since_ms=middle) == [3, 2]
    assert ids(until_ms=middle) == [1]
    assert ids(since_ms=middle, until_ms=middle + 1, who="hoa", verb="export", subject="csv") == [2]


def test_pages_go_on_where_the_one_before_ended_while_the_log_grows(people: People) -> None:
    noted(people, 5)
    first = people.audit.search(AuditQuery(), 2)
    noted(people, 1)
    second = people.audit.search(AuditQuery(before=first.more), 2)
    last = people.audit.search(AuditQuery(before=second.more), 2)

    assert [[each.id for each in page.entries] for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert last.more is None
    assert [each.id for each in people.audit.every(AuditQuery())] == [6, 5, 4, 3, 2, 1]


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(), st.text(), st.dictionaries(st.text(), st.text()))))
def test_whatever_was_noted_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str, dict[str, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    engine = engine_of(URL.create("sqlite", database=str(folder / "station.db")))
    upgrade(engine)
    audit = AuditLog(engine, folder)
    made = [audit.note(Actor(a, b, "", a), AuditVerb.REVIEW, b, detail) for a, b, detail in said]

    assert list(audit.every(AuditQuery()))[::-1] == made
    assert audit.verify() == LogVerdict(len(said), None)
    engine.dispose()


def test_after_a_restore_the_log_goes_on_and_says_what_was_lost(people: People) -> None:
    noted(people, 5)
    people.place.do("delete from audit_entry where id > 2")
    people.audit.restored(LAN, {"backup": "x.db"})
    newest = people.audit.search(AuditQuery()).entries[0]

    assert (newest.id, newest.verb, newest.details) == (3, "restored", {"backup": "x.db", "entries_lost": 3})
    assert broken(people) is None


def test_a_restore_of_a_station_without_a_console_notes_nothing(people: People) -> None:
    people.audit.restored(LAN, {})

    assert people.audit.verify() == LogVerdict(0, None)
    assert not (people.place.folder / HEAD).exists()


def test_a_store_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    engine = engine_of(URL.create("sqlite", database=str(tmp_path / "no" / "station.db")))
    audit = AuditLog(engine, tmp_path)
    for act in (
        lambda: audit.note(LAN, AuditVerb.LOOK_UP),
        audit.verify,
        lambda: audit.search(AuditQuery()),
        lambda: audit.restored(LAN, {}),
    ):
        with pytest.raises(StoreError):
            act()
    assert not (tmp_path / HEAD).exists()


@pytest.mark.long
def test_a_kind_of_break_is_what_it_says() -> None:
    assert LogBreak(BreakKind.MISSING, 1, 2).words == "missing: entry 1-2"
