"""benchmarks.province.real.written"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WRITES = """
import os, sys
from benchmarks.province.real.written import written_bytes
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
before = written_bytes()
os.write(file, bytes(12_345))
os.pwrite(file, bytes(55), 0)
print(written_bytes() - before)
"""


def test_each_byte_that_is_given_to_the_system_is_counted_once(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITES, str(tmp_path / "file")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)

    assert int(done.stdout) == 12_400
