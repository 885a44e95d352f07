"""tests.acceptance.faults.real_time"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = """
import os
from tests.acceptance.faults.real_time import give_up_real_time
{give_up}
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except PermissionError:
    print("refused")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask for real time")
def test_a_process_that_gave_it_up_gets_no_real_time_though_it_is_root() -> None:
    def said(give_up: str) -> str:
        words = [sys.executable, "-c", ASK.format(give_up=give_up)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert said("give_up_real_time()") == "refused\n"
    assert said("") == ""
