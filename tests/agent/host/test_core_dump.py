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


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="no process may dump here: nothing can be planted"
)
def test_the_same_process_leaves_one_where_it_was_not_forbidden(tmp_path: Path) -> None:
    if not dumped(tmp_path):
        pytest.skip("the kernel of this machine writes no dumps")


def test_a_limit_that_is_lower_already_stays() -> None:
    limits = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    words = f"{limits}; {FORBID}; print(resource.getrlimit(resource.RLIMIT_CORE))"
    said = subprocess.run([sys.executable, "-P", "-c", words], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "(0, 0)"
