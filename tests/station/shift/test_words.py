"""station.shift.words"""

from __future__ import annotations

from agent.language import translated
from station.shift.alerts import ShiftAlert
from station.shift.shift import LineCount
from station.shift.words import MOST_LABELS, became, judged_by, numbers, what


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


def test_of_very_many_labels_and_directions_those_with_most_are_said_and_the_rest_counted() -> None:
    found = {(f"kind-{at:03}", "in"): 1_000 - at for at in range(MOST_LABELS + 88)}
    of_labels = numbers(LineCount("b", "c", "r", found, 0))
    assert of_labels.startswith("kind-000 1,000 in; kind-001 999 in; ")
    assert of_labels.endswith(f"kind-{MOST_LABELS - 1:03} {1_001 - MOST_LABELS} in; and 88 more")
    assert translated(of_labels, "vi").endswith("; và 88 mục nữa")

    ways = {("car", f"way-{at:03}"): 2 for at in range(MOST_LABELS + 5)}
    of_ways = numbers(LineCount("b", "c", "r", ways, 0))
    assert of_ways.endswith(f"2 way-{MOST_LABELS - 1:03}, and 5 more")
