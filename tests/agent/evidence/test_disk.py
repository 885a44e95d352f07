"""agent.evidence.disk: what a file takes, and whose disk it is."""

from __future__ import annotations

import errno
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.evidence.disk import BLOCK_BYTES, FootageDiskFails, on_disk, own_disk
from tests.support.disks import small_disk


@given(st.integers(min_value=0, max_value=1 << 40))
def test_a_file_takes_whole_blocks_and_less_than_one_more_than_it_is_long(size: int) -> None:
    assert on_disk(size) % BLOCK_BYTES == 0
    assert 0 <= on_disk(size) - size < BLOCK_BYTES


def test_a_disk_is_its_own_only_if_neither_the_system_nor_what_is_beside_lies_on_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "10m") as disk:
        assert own_disk(disk / "not" / "yet" / "there", tmp_path)
        assert not own_disk(disk, disk)
    assert not own_disk(Path("/"), None)


def test_an_error_of_the_disk_says_where_and_what_to_look_at() -> None:
    fails = FootageDiskFails.because(Path("/footage"), OSError(errno.ENOSPC, "No space left on device"))
    assert fails.what == "/footage: No space left on device"
    assert "full" in str(fails.hint)
