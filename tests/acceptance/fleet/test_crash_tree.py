"""tests/acceptance/fleet/crash_tree.py: what is synced stays, what is not may go, and a rename is one change"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.acceptance.fleet.crash_tree import Tree, record

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


@pytest.fixture(scope="module", autouse=True)
def _strace() -> None:
    if shutil.which("strace") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("strace is not here: apt install strace")


@pytest.fixture(scope="module")
def disks(_strace: None, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Path: content, of a hundred disks after the power was cut at the end of the program."""
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


@pytest.mark.parametrize("name", ["/f", "f"], ids=["absolute", "relative"])
def test_a_call_that_is_not_modelled_is_told(tmp_path: Path, name: str) -> None:
    for folder in ("root", "before"):
        (tmp_path / folder).mkdir()
    root = tmp_path / "root"
    path = f"{root}{name}" if name.startswith("/") else name
    program = f"import os; os.chdir({str(root)!r}); os.open('f', os.O_CREAT); os.link({path!r}, '{root}/g')"

    with pytest.raises(AssertionError, match="not modelled"):
        ops = record([sys.executable, "-I", "-c", program], root, tmp_path / "trace", os.environ)
        tree = Tree(tmp_path / "before")
        for op in ops:
            tree.do(op, root)
