"""What is to become of a model in the shadow: it passed, it failed and why, or nobody can tell yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.core.shadow.comparison import FoundObjects, ShadowComparison, ShadowFailure
from agent.core.shadow.settings import ShadowTrialSettings

MEASURED: Final = 30
"""So many looks of each are timed before one is called slow, and seen of a label before it is judged."""
DEATHS: Final = 3
"""So many deaths are no accident."""
FAILED_LEAST: Final = 3
"""Fewer failures than this are no share of anything."""
SLOW: Final = ((0.5, "median"), (0.95, "95th percentile"))


class ShadowOutcome(StrEnum):
    """How the trial stands."""

    CANNOT_TELL = "cannot tell"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ShadowVerdict:
    """The outcome, and its reasons in words; of one that passed: what it passed by."""

    outcome: ShadowOutcome
    why: tuple[str, ...]

    @property
    def words(self) -> str:
        """All reasons in one line."""
        return "; ".join(self.why)


def judged(state: ShadowComparison, settings: ShadowTrialSettings) -> ShadowVerdict:
    """The verdict as of now. What cannot get well any more fails at once, the rest when there is enough."""
    wrong = [*_broken(state, settings), *_costly(state, settings)]
    enough = not (lacks := tuple(_lacks(state, settings)))
    if enough:
        wrong += [*_blind(state, settings), *_flooding(state, settings)]
    if wrong:
        return ShadowVerdict(ShadowOutcome.FAILED, tuple(wrong))
    if enough:
        return ShadowVerdict(ShadowOutcome.PASSED, (summary(state),))
    if state.watched_s >= settings.give_up_s:
        hours = f"nobody can tell after {state.watched_s / 3600:.1f} h"
        return ShadowVerdict(ShadowOutcome.FAILED, (hours, *lacks))
    return ShadowVerdict(ShadowOutcome.CANNOT_TELL, lacks)


def summary(state: ShadowComparison) -> str:
    """What was seen, in one line."""
    whole, line = state.all, f"{state.crops} crops in {state.watched_s / 60:.0f} min"
    if whole.objects:
        line += f", {whole.found} of {whole.objects} sure objects found"
    old, new = state.old_ms.quantile_ms(0.5), state.new_ms.quantile_ms(0.5)
    if old is not None and new is not None:
        line += f", {new:.1f} ms a crop (old: {old:.1f})"
    return line


def _lacks(state: ShadowComparison, settings: ShadowTrialSettings) -> Iterator[str]:
    """What is still to come before anybody can tell."""
    if state.watched_s < settings.for_s:
        yield f"{state.watched_s / 60:.0f} of {settings.for_s / 60:.0f} min"
    if state.crops < settings.crops:
        yield f"{state.crops} of {settings.crops} crops"
    if (objects := state.all.objects) < settings.objects:
        yield f"{objects} of {settings.objects} objects of which the old one is sure"
    if (times := state.old_ms.count) < MEASURED:
        yield f"the old one's time was measured {times} of {MEASURED} times"


def _broken(state: ShadowComparison, settings: ShadowTrialSettings) -> Iterator[str]:
    if state.broken:
        yield f"it cannot work here: {state.broken}"
    deaths = state.failures.get(ShadowFailure.DIED, 0) + state.failures.get(ShadowFailure.LATE, 0)
    looks = state.crops + state.failed
    if deaths >= DEATHS:
        yield f"its process ended or hung {deaths} times: {state.why}"
    elif state.failed >= FAILED_LEAST and state.failed > settings.failures * looks:
        yield f"{state.failed} of {looks} looks failed: {state.why}"


def _costly(state: ShadowComparison, settings: ShadowTrialSettings) -> Iterator[str]:
    if state.old_mb and state.new_mb > state.old_mb + settings.more_memory_mb:
        yield f"it needs {state.new_mb:.0f} MB, the old one {state.old_mb:.0f}"
    if min(state.old_ms.count, state.new_ms.count) < MEASURED:
        return
    for share, name in SLOW:
        old, new = state.old_ms.quantile_ms(share) or 0.0, state.new_ms.quantile_ms(share) or 0.0
        if new > settings.times_slower * old:
            yield f"it takes {new:.0f} ms a crop ({name}), the old one {old:.0f}"
            return


def _blind(state: ShadowComparison, settings: ShadowTrialSettings) -> Iterator[str]:
    whole = state.all
    if whole.found < settings.found * whole.objects:
        yield f"it found {whole.found} of {whole.objects} objects of which the old one was sure"
        return
    for label, each in sorted(state.labels.items()):
        if each.objects >= MEASURED and each.found < settings.found * each.objects:
            yield f"it found {each.found} of {each.objects} of the label {label}"
    if _misnamed(whole, settings):
        yield f"of {whole.found} objects that both found it called {whole.same_label} the same"


def _misnamed(whole: FoundObjects, settings: ShadowTrialSettings) -> bool:
    return whole.found >= MEASURED and whole.same_label < settings.same_label * whole.found


def _flooding(state: ShadowComparison, settings: ShadowTrialSettings) -> Iterator[str]:
    if state.rests >= MEASURED and state.in_rests > settings.flood * state.rests:
        crops = f"{state.rests} crops where nothing moves and the old one sees none"
        yield f"it saw {state.in_rests} objects in {crops}"
