"""tests.fleet: the part that every change runs where hosts can be made; `make test-fleet` is the whole"""

from __future__ import annotations

import pytest

from tests.acceptance.faults.suite import gathered, tried

pytestmark = pytest.mark.long


@pytest.mark.timeout(600)
def test_real_hosts_can_be_made_and_leave_nothing_behind() -> None:
    verdict = tried(gathered("fleet")["F0"], 1, "quick")
    if verdict.outcome == "not tried":
        pytest.skip(verdict.measured)
    assert verdict.outcome == "kept", verdict.measured
