"""A package registry without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.releases import pip_wheel


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package registry that is a folder; pip is in it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / pip_wheel().name).write_bytes(pip_wheel().read_bytes())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder
