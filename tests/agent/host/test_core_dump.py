"""agent.host.core_dump"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ABORTS = """
import os, resource
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
{more}
os.abort()
"""
FORBID = "from agent.host.core_dump import forbid_core_dumps; forbid_core_dumps()"


def dumped(folder: Path, more: str = "") -> bool:
    """Whether a process that aborts in this folder left a dump, as the kernel tells its parent."""
    child = subprocess.Popen([sys.executable, "-P", "-c", ABORTS.format(more=more)], cwd=folder)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = -os.WTERMSIG(status)
    return os.WCOREDUMP(status)


def test_a_process_that_forbade_it_leaves_no_dump(tmp_path: Path) -> None:
    assert not dumped(tmp_path, FORBID)
    assert not list(tmp_path.iterdir())
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 or not dumped(tmp_path):
        pytest.skip("no process leaves a dump on this machine: only the limit is tried")


def test_afterwards_the_limit_lets_no_dump_be_made() -> None:
    words = f"{FORBID}; import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    said = subprocess.run([sys.executable, "-P", "-c", words], capture_output=True, text=True, check=True)
    assert said.stdout.strip() in ("(1, 1)", "(0, 0)")


def test_a_limit_that_is_lower_already_stays() -> None:
    limits = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    words = f"{limits}; {FORBID}; print(resource.getrlimit(resource.RLIMIT_CORE))"
    said = subprocess.run([sys.executable, "-P", "-c", words], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "(0, 0)"
