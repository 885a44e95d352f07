"""fleet.bundle.scratch"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.bundle.scratch import scratch
from tests.support.disks import small_disk


def test_nothing_stays_of_it_whatever_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch() as folder:
        assert sorted(each.name for each in folder.iterdir()) == ["own", "wheels"]
    with pytest.raises(KeyboardInterrupt), scratch() as folder:
        (folder / "wheels" / "half").write_text("hal")
        raise KeyboardInterrupt

    assert not list(tmp_path.iterdir())


def test_a_disk_without_room_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(tmp_path / "tmp", "64k") as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        with pytest.raises(NgatuError, match=f"{disk}: No space left on device") as caught, scratch() as folder:
            (folder / "wheels" / "large").write_bytes(b"x" * 100_000)
        assert "TMPDIR=FOLDER" in (caught.value.hint or "")
        assert not list(disk.iterdir())


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match=r"gone\.whl: No such file"), scratch():
        (tmp_path / "gone.whl").read_bytes()
