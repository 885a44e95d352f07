"""agent.workers.shadow.record"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.shadow.comparison import FoundObjects, ShadowComparison, ShadowFailure
from agent.core.shadow.histogram import TimeHistogram
from agent.workers.shadow.record import NAME, ShadowRecord, ShadowState, forget, load, save

OLD, NEW = "a" * 64, "b" * 64
counts = st.integers(0, 10**6)
kinds = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.lists(counts, min_size=3, max_size=3).map(lambda some: FoundObjects(*sorted(some, reverse=True))),
    max_size=4,
)
times = st.dictionaries(st.integers(-50, 180), counts, max_size=6).map(TimeHistogram)
amounts = st.floats(0, 1e9)
seen = st.builds(
    ShadowComparison,
    watched_s=amounts,
    crops=counts,
    labels=kinds,
    sizes=kinds,
    only_new=st.dictionaries(st.text(max_size=20), counts, max_size=4),
    rests=counts,
    in_rests=counts,
    failures=st.dictionaries(st.sampled_from(ShadowFailure), counts),
    why=st.text(max_size=60),
    broken=st.text(max_size=60),
    old_ms=times,
    new_ms=times,
    old_mb=amounts,
    new_mb=amounts,
)
records = st.builds(
    ShadowRecord,
    st.just(OLD),
    st.just(NEW),
    st.sampled_from(ShadowState),
    st.text(max_size=60),
    st.booleans(),
    seen,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(records)
def test_a_trial_is_read_as_it_was_kept(tmp_path: Path, record: ShadowRecord) -> None:
    assert save(tmp_path, record)
    assert load(tmp_path, OLD, NEW) == record


@pytest.mark.parametrize(("old", "new"), [(OLD, OLD), (NEW, NEW), (NEW, OLD)])
def test_another_pair_of_models_begins_anew(tmp_path: Path, old: str, new: str) -> None:
    save(tmp_path, ShadowRecord(OLD, NEW, ShadowState.PASSED, "all"))

    assert load(tmp_path, old, new) == ShadowRecord(old, new)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_no_damage_brings_a_model_into_use(tmp_path: Path, data: st.DataObject) -> None:
    """Cut off or overwritten in the middle: it is as it was, or begins anew."""
    save(tmp_path, ShadowRecord(OLD, NEW, ShadowState.RUNNING, "", False, ShadowComparison(crops=7)))
    whole = (tmp_path / NAME).read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    (tmp_path / NAME).write_bytes(whole[:at] + data.draw(st.binary(max_size=8)))

    assert load(tmp_path, OLD, NEW).state is ShadowState.RUNNING


@pytest.mark.parametrize(
    "said",
    ["[]", "{}", "7", '{"form": 2}', '{"form": 1, "old_sha256": null}', "[" * 100_000],
)
def test_what_is_no_record_begins_anew(tmp_path: Path, said: str) -> None:
    (tmp_path / NAME).write_text(said)

    assert load(tmp_path, OLD, NEW) == ShadowRecord(OLD, NEW)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("crops", -1),
        ("crops", True),
        ("watched_s", -0.1),
        ("labels", {"car": [1, 2, 0]}),
        ("failures", {"x": 1}),
    ],
)
def test_figures_that_cannot_be_begin_anew(tmp_path: Path, key: str, value: object) -> None:
    save(tmp_path, ShadowRecord(OLD, NEW, ShadowState.PASSED))
    said = json.loads((tmp_path / NAME).read_text())
    said["seen"][key] = value
    (tmp_path / NAME).write_text(json.dumps(said))

    assert load(tmp_path, OLD, NEW) == ShadowRecord(OLD, NEW)


def test_a_folder_that_is_not_there_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    assert not save(tmp_path / "gone", ShadowRecord(OLD, NEW))
    forget(tmp_path / "gone")


def test_what_is_forgotten_begins_anew(tmp_path: Path) -> None:
    save(tmp_path, ShadowRecord(OLD, NEW, ShadowState.FAILED, "slow"))
    forget(tmp_path)

    assert load(tmp_path, OLD, NEW) == ShadowRecord(OLD, NEW)


def test_an_outcome_is_to_be_reported() -> None:
    ended = ShadowRecord(OLD, NEW, reported=True).ended(ShadowState.FAILED, "slow")

    assert (ended.state, ended.why, ended.reported) == (ShadowState.FAILED, "slow", False)
