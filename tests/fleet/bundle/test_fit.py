"""fleet.bundle.fit"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from agent.errors import NgatuError
from fleet.bundle.fit import require_fit
from fleet.bundle.wheels import Board

JETSON = Board("aarch64", "3.12", 39)


def wheel(folder: Path, tag: str, python: str | None = None) -> Path:
    path = folder / f"onnxruntime_gpu-1.24.2-{tag}.whl"
    asks = f"Requires-Python: {python}\n" if python else ""
    with ZipFile(path, "w") as archive:
        archive.writestr(
            "onnxruntime_gpu-1.24.2.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.24.2\n{asks}",
        )
    return path


@pytest.mark.parametrize("tag", [
    "cp312-cp312-linux_aarch64", "cp312-cp312-manylinux_2_39_aarch64", "cp310-abi3-manylinux2014_aarch64",
    "py3-none-any", "cp312-cp312-manylinux_2_28_aarch64.manylinux_2_31_aarch64",
])  # fmt: skip
def test_a_wheel_of_the_board_is_taken(tmp_path: Path, tag: str) -> None:
    require_fit(wheel(tmp_path, tag, ">=3.10"), JETSON)


@pytest.mark.parametrize("tag", [
    "cp310-cp310-linux_aarch64", "cp312-cp312-linux_x86_64", "cp313-abi3-manylinux2014_aarch64",
    "cp312-cp312-manylinux_2_41_aarch64", "cp312-cp312t-linux_aarch64", "cp312-cp312-musllinux_1_2_aarch64",
])  # fmt: skip
def test_a_wheel_of_another_board_is_refused_with_what_it_is_for(tmp_path: Path, tag: str) -> None:
    with pytest.raises(
        NgatuError, match=f"it is for {tag}, and not for aarch64 with Python 3.12 and glibc 2.39"
    ):
        require_fit(wheel(tmp_path, tag), JETSON)


@pytest.mark.parametrize("asks", ["<3.12", ">=3.13", "==3.10.*"])
def test_a_wheel_that_asks_for_another_python_is_refused(tmp_path: Path, asks: str) -> None:
    with pytest.raises(
        NgatuError, match=f"it asks for Python {asks}, and the board has 3.12".replace("*", r"\*")
    ):
        require_fit(wheel(tmp_path, "py3-none-any", asks), JETSON)


def test_a_wheel_whose_name_says_nothing_is_told(tmp_path: Path) -> None:
    renamed = wheel(tmp_path, "py3-none-any").rename(tmp_path / "onnxruntime.whl")
    with pytest.raises(NgatuError, match="onnxruntime") as refused:
        require_fit(renamed, JETSON)
    assert "keep the name" in refused.value.hint
