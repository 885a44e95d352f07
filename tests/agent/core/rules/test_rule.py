"""agent.core.rules.rule"""

from __future__ import annotations

from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.kinds.zone import ZoneRule


def test_a_rule_says_what_it_is_about_whatever_its_kind() -> None:
    line = LineRule(id="line", start=(0.1, 0.5), end=(0.9, 0.5), labels=("bus",))
    zone = ZoneRule(id="enter", zone="square")
    motion = MotionRule(id="motion")

    assert (line.zone_id, line.ends, line.wanted) == (None, ((0.1, 0.5), (0.9, 0.5)), ("bus",))
    assert (zone.zone_id, zone.ends) == ("square", ())
    assert (motion.zone_id, motion.ends, motion.wanted) == (None, (), ())
    assert [each.kind_name() for each in (line, zone, motion)] == ["line", "zone", "motion"]
