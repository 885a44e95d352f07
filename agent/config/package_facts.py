"""What a package of footage says beside it: which box made it, of what it consists, how its clocks stood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from agent import __version__
from agent.clock import Clock, Trust
from agent.config.schema import Config, config_sha256
from agent.core.types import Instant
from agent.evidence.clips.cut import FactsOf
from agent.evidence.fragment import StoredFragment
from agent.evidence.links import VOUCHED
from agent.evidence.package.manifest import CORRECTED, ClockFacts, Facts, SigningBox
from agent.wire.codec import moment

KNOWN: Final = (*VOUCHED, CORRECTED)
"""Somebody vouched for it, then or later."""


def package_facts(
    config: Config,
    versions: Mapping[str, str],
    model: tuple[str, str] | None,
    clock: Clock,
    trusted: Callable[[], Trust],
) -> FactsOf:
    """The facts of packages that are made now; `model` is the detector's name and hash, None: none ran."""
    device = config.device
    box = SigningBox(
        commune=device.commune,
        device=device.id,
        role=device.role,
        version=__version__,
        versions=dict(versions),
        config_sha256=config_sha256(config),
        model=model[0] if model else None,
        model_sha256=model[1] if model else None,
        utc_offset_s=device.utc_offset_s,
    )

    def facts(fragments: Sequence[StoredFragment]) -> Facts:
        return Facts(
            box=box,
            clocks=_clocks(fragments),
            made=moment(clock.now()),
            made_clock=trusted().state,
        )

    return facts


def _clocks(fragments: Sequence[StoredFragment]) -> tuple[ClockFacts, ...]:
    """Of each boot the first moment that somebody vouched for, then or later; else its first one."""
    found: dict[str, ClockFacts] = {}
    for each in fragments:
        corrected = each.clock not in VOUCHED and abs(each.wall_s - each.start.wall_s) > 1e-3
        state = CORRECTED if corrected else each.clock
        known = found.get(each.boot)
        if known is None or (known.state not in KNOWN and state in KNOWN):
            found[each.boot] = ClockFacts(each.boot, state, each.start.mono_s, _wall(each.wall_s))
    return tuple(found.values())


def _wall(wall_s: float) -> datetime:
    return moment(Instant(0.0, wall_s))
