"""P28, P29: whatever the bytes of a configuration or of an order, the answer is one of ours."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.commands.policy import Refusal, read, untimely
from tests.acceptance.faults.pytests import passed
from tests.acceptance.faults.suite import Trial, promise
from tests.agent.commands.test_policy import ISSUED_S, TOPICS, VERBS, KnownTime, payloads


@promise(
    "P28",
    "fuzzed configurations: random structures, settings in their places, mutated bytes",
    "a Config or one ConfigError each",
    minutes=1.2,
    patient=True,
)
def configurations(trial: Trial) -> str:
    """The fuzz tests of the configuration, at the size of a release; their time limit holds for each file."""
    each = trial.size(3400, 34_000, quick=50)
    words = (
        "tests/agent/config/test_schema.py",
        "-k",
        "random or mutated or hostile",
        f"--hypothesis-seed={trial.seed}",
    )
    passed(*words, environment={"NGATU_FUZZED_CONFIGS": str(each)})
    return f"3 x {each} files: no exception but ConfigError"


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
    def judged(payload: bytes, verb: str, retained: bool) -> None:
        found = read(TOPICS.below(f"command/{verb}"), payload, retained, TOPICS)
        refused = isinstance(found, Refusal) or untimely(found, KnownTime(ISSUED_S, True)) is not None
        seen[refused] += 1
        assert not (retained and not isinstance(found, Refusal)), "a retained order was taken"

    judged()
    return f"{sum(seen)} orders: {seen[0]} understood, {seen[1]} refused, no other exception"
