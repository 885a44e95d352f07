"""station.shift.words"""

from __future__ import annotations

from agent.language import translated
from station.shift.alerts import ShiftAlert
from station.shift.shift import LineCount
from station.shift.words import became, judged_by, numbers, what


def alert(**fields: object) -> ShiftAlert:
    known = {
        "box_id": 1, "event_id": "e", "device": "b", "box": "b", "camera": "c", "kind": "wrong_way",
        "label": "motorcycle", "detail": None, "rule": "r", "began_ms": 0, "received_ms": 0, "replayed": False,
        "state": "new", "reason": "", "right_label": "", "note": "", "reviewer": "", "reviewed_ms": None,
        "picture_sha256": None,
    }  # fmt: skip
    return ShiftAlert(**(known | fields))  # type: ignore[arg-type]


def test_an_alert_says_of_whom_and_what() -> None:
    assert what(alert()) == "motorcycle, goes the wrong way"
    assert what(alert(kind="camera_blind", label=None, detail="covered")) == "the camera cannot see, covered"


def test_what_became_of_it_has_the_reason_of_a_false_one() -> None:
    assert translated(became(alert(state="false", reason="animal")), "vi").startswith("báo nhầm: ")
    assert became(alert()) == "not taken yet"
    false = alert(state="false", reason="wrong_label", right_label="car")
    assert became(false) == "false alarm: taken for something else; it is: car"
    assert became(alert(state="newer word")) == "newer word"


def test_who_works_on_an_alert_is_said_with_since_when_and_who_settled_it_with_the_moment() -> None:
    assert judged_by(alert(), "–") == ""
    taken = alert(state="seen", reviewer="Trung úy A", reviewed_ms=1)
    assert judged_by(taken, "02:13") == "Trung úy A, since 02:13"
    assert translated(became(taken), "vi") == "đang xử lý"
    settled = alert(state="confirmed", reviewer="Trung úy A", reviewed_ms=1)
    assert judged_by(settled, "02:40") == "Trung úy A, at 02:40"


def test_numbers_begin_with_the_most_frequent_label() -> None:
    found = {("car", "in"): 3, ("car", "out"): 1, ("motorcycle", "in"): 1_200, ("bus", "in"): 0}

    assert numbers(LineCount("b", "c", "r", found, 0)) == "motorcycle 1,200 in; car 3 in, 1 out"
