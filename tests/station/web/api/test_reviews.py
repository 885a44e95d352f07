"""station.web.api.reviews"""

from __future__ import annotations

from tests.station.web.api.conftest import Interface

REVIEW = "/api/v1/events/north-01/e-1/review"


def test_a_step_is_taken_by_the_program_and_seen_by_all(interface: Interface) -> None:
    program = interface.program()
    before = program.get(REVIEW).json()["review"]
    assert (before["state"], before["change_id"], before["by"]) == ("new", 0, None)

    step = {"state": "false", "reason": "animal", "note": "một con chó", "seen": 0}
    after = program.put(REVIEW, json=step).json()

    assert (after["review"]["state"], after["review"]["reason"]) == ("false", "animal")
    assert after["review"]["by"] == "dispatch"
    assert [each["note"] for each in after["steps"]] == ["một con chó"]
    assert program.get(REVIEW).json() == after


def test_what_it_is_instead_is_taken_and_given_back(interface: Interface) -> None:
    program = interface.program()
    label = program.get("/api/v1/events/north-01/e-1").json()["event"]["label"]
    other = "bus" if label != "bus" else "truck"
    step = {"state": "false", "reason": "wrong_label", "seen": 0}

    assert program.put(REVIEW, json=step | {"right_label": label}).status_code == 409
    assert program.put(REVIEW, json=step | {"right_label": "cow"}).status_code == 409
    after = program.put(REVIEW, json=step | {"right_label": other}).json()

    assert after["review"]["right_label"] == other
    assert [each["right_label"] for each in after["steps"]] == [other]


def test_who_has_not_seen_the_last_step_changes_nothing(interface: Interface) -> None:
    program = interface.program()
    program.put(REVIEW, json={"state": "seen", "seen": 0})

    answer = program.put(REVIEW, json={"state": "confirmed", "seen": 0})
    assert (answer.status_code, set(answer.json())) == (409, {"error", "hint"})
    assert program.get(REVIEW).json()["review"]["state"] == "seen"


def test_a_step_that_lacks_something_is_refused(interface: Interface) -> None:
    program = interface.program()

    assert program.put(REVIEW, json={"state": "false", "seen": 0}).status_code == 409
    assert program.put(REVIEW, json={"state": "whatever", "seen": 0}).status_code == 422
    assert program.put(REVIEW, json={"state": "seen"}).status_code == 422
    assert program.put(REVIEW.replace("e-1", "e-99"), json={"state": "seen", "seen": 0}).status_code == 404


def test_the_queue_is_worked_off_page_by_page(interface: Interface) -> None:
    program = interface.program()
    first = program.get("/api/v1/reviews", params={"limit": 2}).json()
    second = program.get("/api/v1/reviews", params={"limit": 2, "cursor": first["next"]}).json()
    found = [each["event"] for each in [*first["alerts"], *second["alerts"]]]
    assert (sorted(found), second["next"]) == (["e-1", "e-2", "e-3"], None)

    program.put(REVIEW, json={"state": "confirmed", "seen": 0})
    left = program.get("/api/v1/reviews").json()["alerts"]
    assert sorted(each["event"] for each in left) == ["e-2", "e-3"]
    assert program.get("/api/v1/reviews", params={"cursor": "x"}).status_code == 422
    assert program.get("/api/v1/reviews", params={"box": "another"}).json()["alerts"] == []
