"""agent.core.rules.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.loitering import LoiteringRule
from agent.core.rules.settings import RuleSettings
from agent.core.types import EventKind, Severity

SQUARE = {"id": "square", "polygon": [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]}


def test_what_a_person_writes_becomes_rules() -> None:
    settings = RuleSettings.model_validate(
        {
            "zones": [SQUARE],
            "rules": [
                {"kind": "line", "id": "stop-line", "start": [0.1, 0.5], "end": [0.9, 0.5], "tell": ["in"]},
                {
                    "kind": "loitering",
                    "id": "night-watch",
                    "zone": "square",
                    "schedule": [{"days": ["sat", "sun"], "start": "22:00", "end": "05:00"}],
                },
            ],
        }
    )

    line, watch = settings.rules
    assert isinstance(line, LineRule)
    assert line.tell == ("in",)
    assert isinstance(watch, LoiteringRule)
    assert watch.labels == ("person",)
    assert watch.severity is Severity.ALERT


def test_motion_and_objects_are_told_by_default() -> None:
    assert [rule.event for rule in RuleSettings().rules] == [EventKind.MOTION, EventKind.OBJECT]


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([{"kind": "zone", "id": "enter", "zone": "nowhere"}], "no zone nowhere; zones of this camera: square"),
        ([{"kind": "object", "id": "one"}] * 2, "rule one is given 2 times"),
        ([{"kind": "line", "id": "dot", "start": [0.5, 0.5], "end": [0.5, 0.5]}], "same point"),
        ([{"kind": "line", "id": "off", "start": [0.5, 0.5], "end": [0.5, 1.5]}], "less than or equal to 1"),
        ([{"kind": "tripwire", "id": "wire"}], "tripwire"),
        ([{"kind": "object", "id": "UP"}], "pattern"),
        ([{"kind": "object", "id": "all", "labels": []}], "at least 1"),
        ([{"kind": "object", "id": "all", "lables": ["car"]}], "Extra inputs"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_words(rules: list[dict[str, object]], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        RuleSettings.model_validate({"zones": [SQUARE], "rules": rules})


def test_two_zones_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="zone square is given 2 times"):
        RuleSettings.model_validate({"zones": [SQUARE, SQUARE]})
