"""P28, P29: whatever the bytes of a configuration or of an order, the answer is one of ours."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.commands.policy import Refusal, read, untimely
from agent.errors import ConfigError
from tests.acceptance.faults.pytests import passed
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.agent.commands.test_policy import ISSUED_S, TOPICS, VERBS, KnownTime, payloads
from tests.agent.config.test_schema import EXAMPLE, MINIMAL, judged
from tests.support.fuzzed_configs import mutated, settings_in_place, structure, yaml_of


@promise(
    "P28",
    "fuzzed configurations: random structures, settings in their places, mutated bytes",
    "a Config or one ConfigError each",
    minutes=1.2,
    patient=True,
)
def configurations(trial: Trial) -> str:
    """By the judge of the configuration's own fuzz tests: their time limit holds for each file."""
    each, dice = trial.size(3400, 34_000, quick=50), trial.chance("P28")
    refused = 0
    for _ in range(each):
        refused += isinstance(judged(yaml_of(structure(dice)).encode("utf-8", "replace")), ConfigError)
        refused += isinstance(judged(yaml_of(settings_in_place(dice)).encode("utf-8", "replace")), ConfigError)
        whole = dice.choice((EXAMPLE, MINIMAL.encode()))
        refused += isinstance(judged(mutated(whole, dice.randint(1, 12), dice)), ConfigError)
    if not 0 < refused < 3 * each:
        raise Broken(f"{refused} of {3 * each} files were refused: they are all alike")
    passed("tests/agent/config/test_schema.py", "-k", "hostile", environment={})
    return f"3 x {each} files: {refused} refused, and no exception but ConfigError"


@promise(
    "P29",
    "fuzzed orders on the command topics",
    "an order or one refusal each; nothing retained or untimely is done",
    patient=True,
)
def orders(trial: Trial) -> str:
    """Noise, JSON, wrong fields and flipped bytes, under right and wrong verbs."""
    count = trial.size(10_000, 100_000, quick=200)
    seen = [0, 0]

    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(payloads(), st.sampled_from([*VERBS, "", "../x", "#"]) | st.text(max_size=30), st.booleans())
    def answered(payload: bytes, verb: str, retained: bool) -> None:
        found = read(TOPICS.below(f"command/{verb}"), payload, retained, TOPICS)
        refused = isinstance(found, Refusal) or untimely(found, KnownTime(ISSUED_S, True)) is not None
        seen[refused] += 1
        assert not (retained and not isinstance(found, Refusal)), "a retained order was taken"

    answered()
    return f"{sum(seen)} orders: {seen[0]} understood, {seen[1]} refused, no other exception"
