"""Every kind of rule: a new one is a module in `kinds`, and the line of its event in `EventKind` that names it.

Configuration, engine, overlay, preview and birth message know the kinds from here and from what each declares
(kind.py).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from agent.core.rules.kind import Kind
from agent.core.rules.rule import BaseRule
from agent.core.types import EventKind

KINDS: tuple[Kind[Any, Any], ...] = tuple(
    import_module(f"agent.core.rules.kinds.{event.rule}").KIND for event in EventKind if event.rule is not None
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
