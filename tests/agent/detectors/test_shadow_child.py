"""agent.detectors.shadow_child"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.detectors.settings import DetectorSettings
from tests.support.shadowed import write_shadow
from tests.support.squares import picture


def spoken(folder: Path, settings: dict[str, Any], *looks: list[int], parent: int | None = None) -> list[Any]:
    """What the child answers to these words; its input ends then."""
    memory = os.memfd_create("crop")
    os.write(memory, picture((100.0,), width=256, height=256).tobytes())
    words = [{"settings": settings}, *({"look": one} for one in looks)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent.detectors.shadow_child", str(memory), str(parent or os.getpid())],
        input="".join(f"{json.dumps(each)}\n" for each in words),
        capture_output=True, text=True, timeout=120, check=False, pass_fds=(memory,), cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    os.close(memory)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(model: Path) -> dict[str, Any]:
    return DetectorSettings(model=str(model)).model_dump(mode="json")


@pytest.mark.long
def test_it_answers_each_look_with_what_it_found_and_ends_with_its_input(tmp_path: Path) -> None:
    ready, *answers = spoken(tmp_path, of(write_shadow(tmp_path)), [256, 256], [256, 256])

    assert ready == {"ready": "new-squares"}
    assert len(answers) == 2
    for each in answers:
        assert [one[0] for one in each["found"]] == ["car"]
        assert each["ms"] > 0 and each["mb"] > 10 and each["nonsense"] is False


def test_it_says_why_it_cannot_load_and_ends(tmp_path: Path) -> None:
    (answer,) = spoken(tmp_path, of(tmp_path / "gone.onnx"), [256, 256])

    assert "gone.onnx: no such model" in answer["error"]


def test_outputs_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    _, answer = spoken(tmp_path, of(write_shadow(tmp_path, "nonsense")), [256, 256])

    assert answer["nonsense"] is True


def test_it_does_nothing_for_a_parent_that_is_gone(tmp_path: Path) -> None:
    """Its number is another one than that of whoever started it."""
    assert spoken(tmp_path, of(write_shadow(tmp_path)), parent=2**22) == []
