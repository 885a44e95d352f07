"""agent.tools.hardware.load"""

from __future__ import annotations

import threading
import time

from agent.tools.hardware.load import loaded_cores
from tests.support.threads import begun_since


def test_the_cores_work_while_the_block_runs_and_rest_afterwards() -> None:
    before, began = threading.enumerate(), time.process_time()
    with loaded_cores(2):
        assert len(begun_since(before)) == 2
        deadline = time.monotonic() + 20
        while time.process_time() - began < 0.3:
            assert time.monotonic() < deadline, "nobody works"
            time.sleep(0.01)
    assert not begun_since(before)
