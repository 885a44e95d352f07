"""station.handover.asking"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UsageError
from agent.wire.payloads import rfc3339
from agent.wire.verbs import ClipArgs, Verb, understood
from station.handover.asking import ClipForm, around, wanted_of
from station.lookup.places import BoxPlace, CameraPlace

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
PLACES = (BoxPlace(1, "pole-7", "Ngã tư", 0, (CameraPlace("north", "Hướng Bắc"),)),)
GOOD = ClipForm("pole-7/north", "2026-11-27T14:03:00", "2026-11-27T14:04:00", "12/2026", "va chạm")


def wanted(form: ClipForm) -> object:
    return wanted_of(form, PLACES, "Lê Văn A", "le.van.a", NOW, HERE)


def test_a_form_is_read_in_local_time() -> None:
    found = wanted_of(GOOD, PLACES, "Lê Văn A", "le.van.a", NOW, HERE)

    assert (found.box, found.camera, found.officer, found.issuer) == ("pole-7", "north", "Lê Văn A", "le.van.a")
    assert found.from_time == datetime(2026, 11, 27, 7, 3, tzinfo=UTC)
    assert found.to_time - found.from_time == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"place": ""}, "no such camera"),
        ({"place": "pole-7/../../etc"}, "no such camera"),
        ({"place": "pole-9/north"}, "no such camera"),
        ({"since": ""}, "from when until when"),
        ({"until": "soon"}, "from when until when"),
        ({"until": "2026-11-27T14:03:00"}, "not after the beginning"),
        ({"since": "2026-11-27T12:00:00"}, "more than an hour"),
        ({"since": "2026-11-27T15:30:00", "until": "2026-11-27T15:40:00"}, "not happened yet"),
        ({"case_number": " \t"}, "the case number is missing"),
        ({"purpose": ""}, "the purpose is missing"),
        ({"case_number": "9" * 101}, "the case number is too long"),
        ({"purpose": "x" * 301}, "the purpose is too long"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_clear_words(change: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why) as error:
        wanted(replace(GOOD, **change))
    assert error.value.hint


def test_what_is_still_being_recorded_may_be_asked_for() -> None:
    assert wanted(replace(GOOD, since="2026-11-27T14:59:00", until="2026-11-27T15:05:00"))


def test_a_moment_is_asked_for_with_what_was_around_it() -> None:
    assert around(NOW, HERE) == ("2026-11-27T14:59:30", "2026-11-27T15:00:30")


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_whatever_is_typed_is_understood_by_a_box_or_refused(
    place: str, since: str, until: str, case: str, purpose: str
) -> None:
    for form in (
        ClipForm(place, since, until, case, purpose),
        replace(GOOD, case_number=case, purpose=purpose),
    ):
        try:
            found = wanted_of(form, PLACES, "Lê Văn A", "le.van.a", NOW, HERE)
        except UsageError:
            continue
        args = {
            "camera": found.camera, "from": rfc3339(found.from_time), "to": rfc3339(found.to_time),
            "case_number": found.case_number, "purpose": found.purpose, "officer": found.officer,
        }  # fmt: skip
        assert isinstance(understood(Verb.CLIP, args), ClipArgs)
