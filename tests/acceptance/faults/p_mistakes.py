"""P66: whoever makes a mistake is told what, where and what to do."""

from __future__ import annotations

from collections import Counter

from tests.acceptance.faults.mistakes.mistake import WORDLESS_S, all_mistakes
from tests.acceptance.faults.mistakes.trial import made
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise

AT_ONCE = 4
USUALLY = 60


@promise(
    "P66", "mistakes of a technician, an officer, an administrator, an integrator and a newcomer are made",
    "the exit code of its row, one message with what, where and what to do, no traceback, "
    f"no {WORDLESS_S:g} s without a word",
    minutes=1.2,
)  # fmt: skip
def mistakes_are_told(trial: Trial) -> str:
    """Rows of docs/design/mistakes.md, made anew; which ones chance says, and before a release all of them."""
    every = all_mistakes()
    count = min(len(every), trial.size(USUALLY, len(every), quick=12))
    picked = set(trial.chance("P66").sample(range(len(every)), count))
    chosen = [each for number, each in enumerate(every) if number in picked]
    outcomes = list(made(chosen, trial.folder, AT_ONCE))
    amiss = [each for each in outcomes if each.amiss]
    if amiss:
        words = "; ".join(f"{each.mistake.name}: {each.amiss[0]}" for each in amiss)
        raise Broken(f"{len(amiss)} of {len(outcomes)} are told wrong: {words}")
    if lacking := Counter(each.untried for each in outcomes if each.untried):
        raise NotTried(", ".join(f"{count} mistakes: {why}" for why, count in lacking.items()))
    makers = Counter(each.mistake.who for each in outcomes)
    longest = max(each.said.wordless_s for each in outcomes if each.said)
    shares = ", ".join(f"{count} of the {who}" for who, count in makers.items())
    said = f"{len(outcomes)} of {len(every)} mistakes ({shares})"
    return f"{said}: each told in one message; longest without a word {longest:.1f} s"
