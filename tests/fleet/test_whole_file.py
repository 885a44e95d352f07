"""fleet.whole_file: the old or the new, whole, over a full disk, Ctrl-C and a power cut"""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.whole_file import require_takes, write_whole, written_whole
from tests.support.disks import filled, small_disk


def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled with the name of whatever is brought to the disk, as it is called at that moment."""
    names: list[str] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        really(handle)
        names.append(Path(f"/proc/self/fd/{handle}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def test_it_is_on_the_disk_before_it_has_its_name_and_the_name_is_thereafter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariants 1 and 2: a power cut before the first, between the two, or after the second."""
    names = synced(monkeypatch)
    write_whole(tmp_path / "ca.crt", b"whole")

    assert names == [".ca.crt.new", tmp_path.name]


def test_a_file_that_a_crash_left_half_written_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".ca.crt.new").write_bytes(b"hal")
    write_whole(tmp_path / "ca.crt", b"whole", 0o600)

    assert (tmp_path / "ca.crt").read_bytes() == b"whole"
    assert stat.S_IMODE((tmp_path / "ca.crt").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["ca.crt"]


def test_a_file_that_its_folder_does_not_take_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").mkdir()

    with pytest.raises(NgatuError, match=r"ca\.crt: Is a directory") as caught:
        write_whole(tmp_path / "ca.crt", b"whole")
    assert "is there room" in (caught.value.hint or "")
    assert [each.name for each in tmp_path.iterdir()] == ["ca.crt"]


def test_what_is_interrupted_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    """Invariant 3, over Ctrl-C."""
    write_whole(tmp_path / "ca.crt", b"old")

    with pytest.raises(KeyboardInterrupt), written_whole(tmp_path / "ca.crt") as file:
        file.write(b"new, but only a part")
        raise KeyboardInterrupt
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"ca.crt": b"old"}


def test_a_full_disk_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    """Invariant 3."""
    with small_disk(tmp_path / "stick", "64k") as stick:
        write_whole(stick / "ca.crt", b"old")
        filled(stick)
        with pytest.raises(NgatuError, match=r"ca\.crt: No space left on device"):
            write_whole(stick / "ca.crt", b"x" * 100_000)
        assert (stick / "ca.crt").read_bytes() == b"old"
        assert {each.name for each in stick.iterdir()} == {"ca.crt", "filling"}


def test_whether_a_folder_takes_files_is_known_before_any_is_made(tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("")
    require_takes(tmp_path, "hint")
    require_takes(tmp_path / "not" / "yet", "hint")

    with pytest.raises(NgatuError, match="paper: this is no folder"):
        require_takes(tmp_path / "paper" / "below", "hint")
    assert [each.name for each in tmp_path.iterdir()] == ["paper"]


def test_a_disk_that_may_only_be_read_is_known_before_anything_is_made(tmp_path: Path) -> None:
    with small_disk(tmp_path / "stick", "64k") as stick:
        subprocess.run(["mount", "-o", "remount,ro", str(stick)], check=True)
        with pytest.raises(NgatuError, match="stick: nothing may be written there"):
            require_takes(stick / "bundles", "hint")
