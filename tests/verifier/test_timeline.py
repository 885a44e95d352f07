"""verifier.timeline"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.package.compose import compose
from agent.evidence.package.manifest import PackageGap, PackageManifest
from tests.support.footage import NOON_S
from tests.support.packages import FACTS, request_of
from verifier.findings import Fault, PackageFinding
from verifier.timeline import bar, span

REQUEST = request_of("north", NOON_S, NOON_S + 60)
NOTHING = compose(REQUEST, [], [], [], FACTS, Ed25519PrivateKey.generate()).manifest


def manifest(*covered: tuple[float, float]) -> PackageManifest:
    start = REQUEST.start
    ranges = tuple((start + timedelta(seconds=a), start + timedelta(seconds=b)) for a, b in covered)
    return replace(NOTHING, covered=ranges, gaps=())


def finding(fault: Fault, start_s: float, end_s: float) -> PackageFinding:
    return PackageFinding(
        fault, "f", "", REQUEST.start + timedelta(seconds=start_s), REQUEST.start + timedelta(seconds=end_s)
    )


def test_what_is_there_and_what_is_not_are_told_apart() -> None:
    assert bar(manifest((0, 20), (40, 60)), (), 6) == "==..=="
    assert bar(NOTHING, (), 6) == "......"


def test_what_is_wrong_hides_what_is_missing_and_that_what_is_there() -> None:
    faults = (finding(Fault.MISSING, 10, 30), finding(Fault.ALTERED, 20, 30))

    assert bar(manifest((0, 60)), faults, 6) == "=?X==="
    assert bar(manifest((0, 60)), faults[::-1], 6) == "=?X==="


def test_a_moment_has_a_cell_too() -> None:
    assert bar(manifest((0, 60)), (finding(Fault.FOREIGN, 30, 30),), 6) == "===X=="
    assert bar(manifest((0, 60)), (finding(Fault.FOREIGN, 60, 60),), 6) == "=====X"


@pytest.mark.long
def test_a_short_gap_is_not_hidden_by_its_neighbours() -> None:
    gap = PackageGap(REQUEST.start + timedelta(seconds=31), REQUEST.start + timedelta(seconds=33), "")

    assert bar(replace(manifest((0, 31), (33, 60)), gaps=(gap,)), (), 6) == "===.=="


@pytest.mark.long
def test_what_was_recorded_beyond_what_was_asked_for_is_shown() -> None:
    start, end = span(manifest((-10, 50)))

    assert (start - REQUEST.start, end - REQUEST.end) == (timedelta(seconds=-10), timedelta())
