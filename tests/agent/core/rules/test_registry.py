"""agent.core.rules.registry"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.rules import kinds
from agent.core.rules.kind import Kind
from agent.core.rules.kinds.crowd import CrowdRule
from agent.core.rules.registry import BLIND_KINDS, KINDS, kind_of
from agent.core.rules.settings import RuleSettings

EXAMPLES = {"zone": "square", "start": [0.1, 0.5], "end": [0.9, 0.5], "direction_deg": 90.0}
SQUARE = {"id": "square", "polygon": [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_word_of_a_kind_in_the_configuration_makes_its_rule(kind: Kind) -> None:
    required = {name: EXAMPLES[name] for name, each in kind.rule.model_fields.items() if name in EXAMPLES}
    given = {"zones": [SQUARE], "rules": [{"id": "the-rule", "kind": kind.name, **required}]}
    (rule,) = RuleSettings.model_validate(given).rules

    assert type(rule) is kind.rule
    assert kind_of(rule) is kind


def test_each_kind_has_a_word_and_an_event_of_its_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len({kind.rule.event for kind in KINDS}) == len(KINDS)


def test_only_what_needs_no_detector_works_without_one() -> None:
    assert "motion" in BLIND_KINDS
    assert CrowdRule.kind_name() not in BLIND_KINDS


def test_every_module_of_the_kinds_is_one_whose_event_names_it() -> None:
    there = {path.stem for path in Path(kinds.__path__[0]).glob("[!_]*.py")}

    assert {kind.name for kind in KINDS} == there
