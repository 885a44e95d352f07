"""tests.acceptance.faults: the part of the suite that every change runs; `make test-faults` is all"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.faults.suite import (
    LOOK_S,
    Broken,
    Machine,
    NotTried,
    Outcome,
    Promise,
    Trial,
    Verdict,
    all_tried,
    exit_status,
    gathered,
    tried,
)

QUICK = ("P1", "P3", "P5", "P8")
"""Those that take seconds and reach furthest."""


@pytest.mark.long
@pytest.mark.broker
@pytest.mark.parametrize("number", QUICK)
def test_the_promise_is_kept_at_its_smallest_size(number: str) -> None:
    seed = int.from_bytes(os.urandom(4))
    verdict = tried(gathered()[number], seed, "quick")
    if verdict.outcome == "not tried":
        (pytest.fail if os.environ.get("CI") else pytest.skip)(verdict.measured)
    assert verdict.outcome == "kept", (
        f"{verdict.measured}; repeat: python -m tests.acceptance.faults --quick --seed {seed}"
    )


@pytest.mark.parametrize(("error", "outcome"), [
    (Broken("3 lost"), "BROKEN"),
    (AssertionError("3 lost"), "BROKEN"),
    (RuntimeError("3 lost"), "BROKEN"),
    (NotTried("3 lost"), "not tried"),
])  # fmt: skip
def test_whatever_a_trial_raises_becomes_its_verdict(error: Exception, outcome: str) -> None:
    def run(_trial: Trial) -> str:
        raise error

    verdict = tried(Promise("P0", "", "", run), 1)
    assert (verdict.outcome, "3 lost" in verdict.measured) == (outcome, True)


def test_a_verdict_says_what_the_trial_and_its_children_used_of_the_processor() -> None:
    busy = "import time\nwhile time.process_time() < 0.6: pass"

    def run(_trial: Trial) -> str:
        subprocess.run([sys.executable, "-c", busy], check=True)
        return ""

    assert 0.6 <= tried(Promise("P0", "", "", run), 1).processor_s < 5
    assert tried(Promise("P0", "", "", lambda _trial: ""), 1).processor_s < 0.3


@pytest.mark.parametrize(("outcomes", "status", "if_allowed"), [
    (["kept", "kept"], 0, 0),
    (["kept", "not tried"], 3, 0),
    (["not tried", "BROKEN"], 1, 1),
    ([], 3, 0),
])  # fmt: skip
def test_what_was_not_tried_is_a_failure_unless_it_is_allowed(
    outcomes: list[Outcome], status: int, if_allowed: int
) -> None:
    verdicts = [Verdict("P0", "", "", "", outcome, 0.0, 0.0, 1) for outcome in outcomes]
    assert (exit_status(verdicts), exit_status(verdicts, allow_missing=True)) == (status, if_allowed)


def test_a_trial_has_an_empty_folder_and_leaves_nothing() -> None:
    folders: list[Path] = []

    def run(trial: Trial) -> str:
        folders.append(trial.folder)
        (trial.folder / "left").touch()
        return str(trial.size(60, 1000)) + str(trial.chance().random())

    each = Promise("P0", "", "", run)
    first, again = tried(each, 7, "quick"), tried(each, 7, "quick")
    assert (first.outcome, first.measured) == ("kept", again.measured)
    assert first.measured.startswith("6")
    assert not any(folder.exists() for folder in folders)


class Times(NamedTuple):
    """What the cores of a machine spent in what."""

    user: float
    nice: float
    idle: float
    iowait: float


@pytest.mark.parametrize(("later", "patient", "spare"), [
    (Times(user=13.1, nice=0.0, idle=20.9, iowait=0.0), 0, False),
    (Times(user=11.9, nice=0.0, idle=22.1, iowait=0.0), 0, True),
    (Times(user=11.9, nice=0.7, idle=20.7, iowait=0.7), 0, True),
    (Times(user=12.1, nice=1.9, idle=20.0, iowait=0.0), 4, True),
    (Times(user=12.3, nice=1.7, idle=20.0, iowait=0.0), 4, False),
])  # fmt: skip
def test_one_more_trial_begins_only_where_the_machine_had_something_to_spare(
    later: Times, patient: int, spare: bool
) -> None:
    spent, now_s = Times(user=10.0, nice=0.0, idle=20.0, iowait=0.0), 100.0
    machine = Machine(lambda: spent, lambda: now_s)
    spent = later
    assert not machine.has_spare(patient)  # it was not watched yet

    now_s += LOOK_S
    assert machine.has_spare(patient) is spare
    assert not machine.has_spare(patient)  # it is watched anew


@pytest.mark.long
def test_several_trials_at_one_time_are_each_tried_once() -> None:
    chosen = [each for number, each in gathered().items() if number in ("P46", "P61", "P54")]

    numbers = [each.number for each in all_tried("faults", chosen, 1, "quick", 3)]
    assert sorted(numbers) == ["P46", "P54", "P61"]


def test_what_is_patient_gives_way_to_what_is_tried_beside_it() -> None:
    patient = {number for number, each in gathered().items() if each.patient}

    assert {"P3", "P28", "P37", "P38"} <= patient
    assert not patient & {"P22", "P23", "P24", "P41"}
