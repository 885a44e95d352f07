"""benchmarks.page_cache"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from benchmarks.page_cache import forget_libraries


def resident(path: Path) -> float:
    """Share of a file's pages that the kernel holds (mincore(2))."""
    size = path.stat().st_size
    held = (ctypes.c_ubyte * (size // mmap.PAGESIZE))()
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as view:
        start = ctypes.addressof(ctypes.c_char.from_buffer(view))
        failed = libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(size), held)
    assert not failed, os.strerror(ctypes.get_errno())
    return sum(page & 1 for page in held) / len(held)


def test_libraries_just_written_are_read_anew_and_other_files_stay(tmp_path: Path) -> None:
    library, other = tmp_path / "package" / "part.so.1", tmp_path / "notes.txt"
    library.parent.mkdir()
    for path in (library, other):
        path.write_bytes(os.urandom(256 * mmap.PAGESIZE))
    assert resident(library) == 1
    forget_libraries(tmp_path)
    if resident(library) == 1:
        pytest.skip("this file system keeps its files in memory")
    assert resident(library) < 0.1
    assert resident(other) == 1
