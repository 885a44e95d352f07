"""tests/fleet/crash_tree.py: what is synced stays, what is not may go, and a rename is one change"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.fleet.crash_tree import Tree, record

PROGRAM = """
import os, pathlib, sys
root = pathlib.Path(sys.argv[1])
def settle(folder):
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
(root / "made").mkdir()
with (root / "made" / "safe").open("w") as file:
    file.write("safe")
    file.flush()
    os.fsync(file.fileno())
settle(root / "made")
settle(root)
(root / "old").rename(root / "new")
(root / "made" / "loose").write_text("loose")
(root / "made" / "link").symlink_to("safe")
"""


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Path: content, of a hundred disks after the power was cut at the end of the program."""
    if shutil.which("strace") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("strace is not here: apt install strace")
    folder = tmp_path_factory.mktemp("crash")
    (folder / "root").mkdir()
    (folder / "root" / "old").write_text("kept")
    shutil.copytree(folder / "root", folder / "before")
    words = [sys.executable, "-I", "-c", PROGRAM, str(folder / "root")]
    ops = record(words, folder / "root", folder / "trace", os.environ)
    tree = Tree(folder / "before")
    for op in ops:
        tree.do(op, folder / "root")
    found = []
    for number in range(100):
        disk = folder / f"disk-{number}"
        tree.cut(disk, random.Random(number))
        files = (path for path in disk.rglob("*") if path.is_file())
        found.append({str(path.relative_to(disk)): path.read_text() for path in files})
    return found


def test_what_was_synced_is_on_every_disk(disks: list[dict[str, str]]) -> None:
    assert all(disk["made/safe"] == "safe" for disk in disks)


def test_a_rename_has_happened_or_has_not(disks: list[dict[str, str]]) -> None:
    names = [sorted({"old", "new"} & set(disk)) for disk in disks]

    assert ["old"] in names and ["new"] in names
    assert all(len(each) == 1 for each in names)
    assert all(disk.get("old", disk.get("new")) == "kept" for disk in disks)


def test_what_was_not_synced_is_there_or_gone_or_there_in_part(disks: list[dict[str, str]]) -> None:
    contents = {disk.get("made/loose") for disk in disks}

    assert {None, "", "loose"} <= contents and len(contents) > 3
    assert all(content is None or "loose".startswith(content) for content in contents)
    assert {"made/link" in disk for disk in disks} == {True, False}


def test_a_call_that_is_not_modelled_is_told(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    program = (
        "import os, sys; os.chdir(sys.argv[1]); os.open('f', os.O_CREAT); os.link('f', sys.argv[1] + '/g')"
    )
    if shutil.which("strace") is None:
        pytest.skip("strace is not here: apt install strace")
    words = [sys.executable, "-I", "-c", program, str(tmp_path / "root")]
    ops = record(words, tmp_path / "root", tmp_path / "trace", os.environ)
    shutil.rmtree(tmp_path / "root")
    (tmp_path / "root").mkdir()
    tree = Tree(tmp_path / "root")

    with pytest.raises(AssertionError, match="not modelled"):
        for op in ops:
            tree.do(op, tmp_path / "root")
