"""Real commands in the language of whoever calls them"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.settings.dump import dumped
from tests.agent.detectors.conftest import cells
from tests.agent.tools.test_check import working

__all__ = ["cells", "working"]  # fixtures

VIETNAMESE = {"LANG": "vi_VN.UTF-8"}


def ngatu(*arguments: str, said: dict[str, str] = VIETNAMESE) -> subprocess.CompletedProcess[str]:
    """A process of its own that knows of no language but what is said; the locale itself need not be there."""
    others = {
        name: value
        for name, value in os.environ.items()
        if name != "LANGUAGE" and not name.startswith(("LC_", "LANG"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        capture_output=True,
        check=False,
        timeout=60,
        env={**others, "COLUMNS": "160", **said},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.long
@pytest.mark.parametrize("said", [VIETNAMESE, {"LC_ALL": "vi_VN.UTF-8"}, {"LANGUAGE": "vi", "LANG": "C"}])
def test_mistakes_of_a_file_are_told_in_vietnamese(tmp_path: Path, said: dict[str, str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "device:\n  commune: hai-ninh\n  id: Bốn\nbroker: {host: h, ports: 1}\ncameras: []\n", "utf-8"
    )
    done = ngatu("check", "-c", str(file), said=said)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{file}:3: device.id: \"Bốn\" không đúng: cần 2 đến 32 ký tự trong a-z, 0-9 và '-'",
        f"{file}:4: broker.ports: không có thiết lập này; có phải ý bạn là port?",
        f"{file}:5: cameras: 0 phần tử; cần 1..64 phần tử",
    ]


@pytest.mark.long
def test_the_check_of_a_box_speaks_vietnamese(tmp_path: Path, working: dict[str, object]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(dumped(working), encoding="utf-8")
    done = ngatu("check", "-c", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("phần", "kết quả", "đánh giá", "│ tốt", "giải mã bằng", "còn trống"):
        assert words in done.stdout


@pytest.mark.long
def test_the_file_chooses_where_the_machine_speaks_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("language: vi\ncameras: []\n", encoding="utf-8")
    services = ngatu("run", "-c", str(file), said={"LANG": "en_GB.UTF-8"})
    for_once = ngatu("run", "-c", str(file), said={"LANG": "en_GB.UTF-8", "LANGUAGE": "en"})

    assert "bắt buộc phải có, nhưng đang thiếu" in services.stderr
    assert "required, but missing" in for_once.stderr


@pytest.mark.long
@pytest.mark.parametrize("said", [{}, {"LANG": "fr_FR.UTF-8"}, {"LANG": "C"}, {"LANG": "tlh"}])
def test_a_language_that_nobody_has_written_is_english(tmp_path: Path, said: dict[str, str]) -> None:
    done = ngatu("check", "-c", str(tmp_path / "nowhere.yaml"), said=said)

    assert done.returncode == 2
    assert "cannot be read: No such file" in done.stderr
    assert "hint: start from `ngatu config example`" in done.stderr


def test_a_language_that_the_file_cannot_choose_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("language: fr\n", encoding="utf-8")

    assert f'{file}:1: language: "fr" is not one of en, vi' in ngatu("check", "-c", str(file), said={}).stderr
