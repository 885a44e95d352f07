"""Every kind of rule. A new one is a module in `kinds` and a line in each of the two lists here.

Configuration, engine, overlay and birth message know the kinds from here and from what each declares (kind.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from agent.core.rules.kind import Kind
from agent.core.rules.kinds import (
    crowd,
    left_object,
    line,
    loitering,
    motion,
    stopped_vehicle,
    wrong_way,
    zone,
)
from agent.core.rules.kinds import object as objects
from agent.core.rules.rule import BaseRule

KINDS: tuple[Kind[Any, Any], ...] = (
    motion.KIND,
    objects.KIND,
    zone.KIND,
    line.KIND,
    loitering.KIND,
    stopped_vehicle.KIND,
    wrong_way.KIND,
    crowd.KIND,
    left_object.KIND,
)
"""In the order in which the configuration's reference shows them."""

if TYPE_CHECKING:
    Rule = BaseRule
else:
    Rule = Annotated[Union[tuple(kind.rule for kind in KINDS)], Field(discriminator="kind")]  # noqa: UP007

BLIND_KINDS = frozenset(kind.name for kind in KINDS if not kind.rule.needs_detector)
"""Names of those that need no detector."""

_BY_RULE = {kind.rule: kind for kind in KINDS}


def kind_of(rule: BaseRule) -> Kind[Any, Any]:
    """The kind of a rule that the configuration made."""
    return _BY_RULE[type(rule)]
