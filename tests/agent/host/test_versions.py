"""agent.host.versions: which versions are installed"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host import versions


def test_each_library_that_the_agent_stands_on_has_a_version() -> None:
    assert set(versions.versions()) == set(versions.NAMES)


def test_a_vendors_build_counts_under_the_usual_name_and_says_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "onnxruntime_gpu-1.20.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.20.0\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert versions.versions() == {"onnxruntime": "onnxruntime-gpu 1.20.0"}
