"""Promises whose trial is a test of the project at another size."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.acceptance.faults.suite import Broken
from tests.conftest import ROOT


def passed(*words: str, environment: dict[str, str], limit_s: float = 1200) -> int:
    """Run these tests; how many passed.

    Raises:
        Broken: one failed, or none ran.
    """
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:schemathesis",
            f"--timeout={limit_s:g}",
            *words,
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    count = re.search(r"(\d+) passed", done.stdout)
    if done.returncode or not count:
        raise Broken(done.stdout[-400:] + done.stderr[-200:])
    return int(count[1])
