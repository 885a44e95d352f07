"""agent.core.rules.kind"""

from __future__ import annotations

from typing import Literal

import pytest

from agent.core.rules.kind import Kind, nothing
from agent.core.rules.registry import KINDS
from agent.core.rules.rule import BaseRule
from agent.core.types import EventKind

EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


class Rain(BaseRule):
    event = EventKind.MOTION
    kind: Literal["rain"] = "rain"


class Nameless(BaseRule):
    event = EventKind.MOTION


def of(rule: type[BaseRule]) -> Kind:
    return Kind(rule=rule, memory=nothing, evaluate=lambda *_: (None, ()))


def test_a_kind_is_called_by_the_word_that_its_rule_has_in_the_configuration() -> None:
    assert of(Rain).name == "rain"


def test_a_rule_without_a_word_makes_no_kind() -> None:
    with pytest.raises(KeyError, match="kind"):
        _ = of(Nameless).name


def test_what_a_kind_does_not_declare_it_does_not_have() -> None:
    kind = of(Rain)

    assert kind.memory() is None
    assert (kind.measure, kind.counter, kind.kept, kind.default) == (None, None, None, None)


@EVERY_KIND
def test_two_rules_of_a_kind_begin_alike_and_share_no_memory(kind: Kind) -> None:
    first, second = kind.memory(), kind.memory()

    assert first == second
    assert first is not second or kind.memory is nothing


@EVERY_KIND
def test_a_kind_that_remembers_nothing_neither_counts_nor_keeps(kind: Kind) -> None:
    assert kind.memory is not nothing or (kind.counter, kind.kept) == (None, None)


@EVERY_KIND
def test_the_rule_that_a_camera_has_unasked_is_of_its_own_kind(kind: Kind) -> None:
    assert kind.default is None or type(kind.default) is kind.rule
