"""tests.acceptance.faults: what the judges of the console's trials see"""

from __future__ import annotations

import pytest

from tests.acceptance.duty_room.followers import FollowerNotes
from tests.acceptance.duty_room.p_deaths import Due, judged
from tests.support.hostile_texts import HOSTILE, csv_faults, header_faults, json_faults
from tests.support.site_walk import PageReader, SiteRoute, inside

DUE = Due(("1/a", "1/b", "1/c"), frozenset({"1/b"}))
WELL = {"keys": ["1/a", "1/b", "1/c"], "places": [1, 2, 3], "pictured": ["1/b"]}


@pytest.mark.parametrize(("amiss", "word"), [
    ({"keys": ["1/a", "1/c"]}, "1 lack"),
    ({"keys": ["1/a", "1/b", "1/c", "1/d"]}, "1 are in no store"),
    ({"keys": ["1/a", "1/b", "1/c", "1/a"]}, "1 came twice"),
    ({"twice": 2}, "2 came twice"),
    ({"disordered": 1}, "1 came out of order"),
    ({"pictured": []}, "1 lack their picture"),
    ({"anew": 1}, "1 times told to begin anew"),
    ({"over": True}, "was logged out"),
])  # fmt: skip
def test_a_console_that_misses_doubles_or_swaps_is_seen(amiss: dict[str, object], word: str) -> None:
    assert judged(DUE, [FollowerNotes(**WELL)], DUE) == []  # type: ignore[arg-type]
    (found,) = judged(DUE, [FollowerNotes(**WELL | amiss)], DUE)  # type: ignore[arg-type]
    assert word in found


def test_what_came_after_the_store_was_read_is_nobodys_phantom() -> None:
    later = Due((*DUE.keys, "1/d"), DUE.pictured)
    notes = FollowerNotes(**WELL | {"keys": [*DUE.keys, "1/d"]})  # type: ignore[arg-type]
    assert judged(DUE, [notes], later) == []


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.startswith("formula")])
def test_a_formula_in_an_export_is_seen_and_one_with_an_apostrophe_is_none(name: str) -> None:
    cell = HOSTILE[name].replace('"', '""')
    assert csv_faults(f'a,"{cell}"\r\n')
    assert not csv_faults(f'a,"\'{cell.strip()}"\r\n')


def test_what_steers_is_seen_in_every_export_and_numbers_are_no_formulas() -> None:
    assert csv_faults("a\x1b[31m\n")
    assert not csv_faults("-3.5,+2,name\n")
    assert json_faults('{"a": "\u202e"}')
    assert json_faults("{}\n{")
    assert not json_faults('{"a": 1}\n{"a": 2}\n')
    assert header_faults([("X-Content-Type-Options", "nosniff"), ("Set-Cookie", "hostile=1")])
    assert header_faults([])


def test_links_and_forms_of_a_page_are_found_and_none_leads_off_the_site() -> None:
    page = """
      <a href="/events/a/b?x=1">x</a><a href="https://elsewhere.example/">y</a><a href="next">z</a>
      <form method="post" action="/plans"><input type="hidden" name="csrf" value="t"><input name="title">
      <textarea name="note"></textarea><select name="kind"><option value="a"><option value="b"></select>
      <input type="file" name="picture"><button name="do" value="it"></button></form>
    """
    read = PageReader(page)
    assert inside("http://here", "/boxes/one", read.links) == ["/events/a/b?x=1", "/boxes/next"]
    (form,) = read.forms
    assert (form.action, form.method, form.free, form.files) == (
        "/plans",
        "post",
        ["title", "note"],
        ["picture"],
    )
    assert form.fields == {"csrf": "t", "title": "", "note": ""}
    assert form.choices == {"kind": ["a", "b"], "do": ["it"]}


def test_a_route_knows_its_own_paths() -> None:
    route = SiteRoute("/events/{box}/{event_id}/report.pdf", frozenset({"GET"}), ("q",))
    assert route.parameters == ("box", "event_id")
    path = route.filled({"box": "a b", "event_id": "../x"})
    assert path == "/events/a%20b/..%2Fx/report.pdf"
    assert route.fits(path)
    assert not route.fits("/events/a/b/reportxpdf")
    assert not route.fits("/events/a/report.pdf")
