"""verifier.single_file"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.footage import NOON_S
from tests.support.packages import Maker, recorded


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file that whoever receives a package is given, a package, and the key of its box."""
    root = tmp_path_factory.mktemp("court")
    maker = Maker(recorded(root / "ring"))
    maker.write(root / "package", NOON_S + 3, NOON_S + 57, "decrypted")
    maker.public(root / "box.pub")
    maker.footage.bench.ring.close()
    for name in ("ngatu-verify.pyz", "again.pyz"):
        subprocess.run([sys.executable, "-m", "verifier.single_file", root / name], check=True)
    yield root


def judged(room: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Away from the sources, and without what the environment would add."""
    command = [sys.executable, *words, "ngatu-verify.pyz", "package", "--key", "box.pub"]
    variables = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, cwd=room, env=variables, capture_output=True, check=False, encoding="utf-8")


def test_it_judges_where_nothing_of_ours_is_installed(room: Path) -> None:
    done = judged(room)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("authentic: ")


def test_it_speaks_vietnamese(room: Path) -> None:
    assert judged(room, LANG="vi_VN.UTF-8").stdout.startswith("xác thực: ")


def test_what_it_lacks_is_told_in_words(room: Path) -> None:
    done = judged(room, "-IS")  # without what is installed beside Python's own library

    assert done.returncode == 1
    assert "needs the Python package cryptography\n  hint: apt install python3-cryptography" in done.stderr


def test_the_same_sources_give_the_same_bytes(room: Path) -> None:
    assert (room / "ngatu-verify.pyz").read_bytes() == (room / "again.pyz").read_bytes()
    assert (room / "ngatu-verify.pyz").stat().st_size < 200_000


def test_it_is_as_large_as_the_guide_says(room: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "verify.md").read_text(encoding="utf-8")
    said = re.search(r"one file of (\d+) KB", guide)

    assert said is not None
    assert (room / "ngatu-verify.pyz").stat().st_size == pytest.approx(int(said[1]) * 1000, rel=0.12)
