"""What a kind of rule declares: what engine, configuration, overlay, preview and birth message know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.rule import BaseRule
from agent.core.rules.trajectory import Measure
from agent.core.types import Count, Instant

R = TypeVar("R", bound=BaseRule)
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Counter(Generic[R, M]):
    """How a kind of rule counts in intervals."""

    turn: Callable[[R, M, Instant], tuple[M, tuple[Count, ...]]]
    """After each frame: what is remembered next, and the interval that is over, if one is."""
    cut: Callable[[R, M, Instant], tuple[Count, ...]]
    """The interval so far, if there is one: the rule stops here."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[R, M]):
    """One kind of rule. `M` is what each of its rules remembers between frames; None for nothing."""

    rule: type[R]
    """Its settings."""
    memory: Callable[[], M]
    """What a rule remembers before its first frame."""
    evaluate: Callable[[R, M, RuleContext], tuple[M, Facts]]
    """What a rule remembers next, and what holds in this frame."""
    measure: Callable[[R], Measure] | None = None
    """What a rule follows of each road user from sighting to sighting."""
    counter: Counter[R, M] | None = None
    kept: Callable[[M], M] | None = None
    """What a rule still remembers when the camera was lost; None: nothing."""
    default: R | None = None
    """The rule that a camera has where its configuration names none."""

    @property
    def name(self) -> str:
        """The word that chooses it in the configuration."""
        return self.rule.kind_name()


def nothing() -> None:
    """The memory of a kind that remembers nothing."""
