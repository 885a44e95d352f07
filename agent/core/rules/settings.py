"""What can be asked of a camera: its zones and rules, as they stand in the configuration."""

from __future__ import annotations

from collections import Counter
from typing import Self

from pydantic import Field, model_validator

from agent.core.rules.registry import KINDS, Rule
from agent.core.rules.rule import SharedRuleSettings
from agent.translatable import tr


class RuleSettings(SharedRuleSettings):
    """Zones and rules of one camera."""

    rules: tuple[Rule, ...] = Field(
        tuple(kind.default for kind in KINDS if kind.default is not None),
        max_length=64,
        description=f"What is told: {', '.join(kind.name for kind in KINDS)}.",
    )

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        known = [zone.id for zone in self.zones]
        for what, ids in (("zone", known), ("rule", [rule.id for rule in self.rules])):
            for name, times in Counter(ids).items():
                if times > 1:
                    raise ValueError(
                        tr(
                            "{what} {name} is given {times} times; each needs a name of its own",
                            what=what,
                            name=name,
                            times=times,
                        )
                    )
        for rule in self.rules:
            if rule.zone_id is not None and rule.zone_id not in known:
                there = ", ".join(known) or "none"
                raise ValueError(
                    tr(
                        "rule {id}: there is no zone {zone_id}; zones of this camera: {there}",
                        id=rule.id,
                        zone_id=rule.zone_id,
                        there=there,
                    )
                )
        return self
