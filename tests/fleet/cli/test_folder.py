"""fleet.cli.folder"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["ca", "init", "--passphrase-file", "secret", "--folder"], "--folder"),
        (["ca", "list", "--folder"], "--folder"),
        (["bundle", "build", "--key", "release.key", "--passphrase-file", "secret", "--out"], "--out"),
        (["bundle", "lock", "--source"], "--source"),
        (["fleet", "init"], "folder"),
        (["fleet", "prepare", "--answers", "secret", "--checkout"], "--checkout"),
        (["fleet", "prepare", "--answers", "secret", "--province"], "--province"),
    ],
)
def test_an_empty_word_is_no_folder(words: list[str], option: str, empty: str, tmp_path: Path) -> None:
    """As `--folder "$CA"` gives where nobody set CA: an authority was made in the folder that one was in."""
    (tmp_path / "secret").write_text("correct horse battery\n")
    done = subprocess.run(
        [sys.executable, "-m", "agent", *words, empty],
        capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, stdin=subprocess.DEVNULL,
        env={"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "COLUMNS": "200", "LANGUAGE": "en"},
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for {option}" in done.stderr.replace("'", "")
    assert "it is empty, and names no folder; for this one write ." in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
