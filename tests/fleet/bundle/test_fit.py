"""fleet.bundle.fit"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from agent.errors import NgatuError
from fleet.bundle.fit import require_fit, short_name
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


def test_a_name_that_is_too_long_for_a_bundle_keeps_the_best_of_its_platforms(tmp_path: Path) -> None:
    many = (
        "cp312-cp312-manylinux2014_aarch64.manylinux_2_17_aarch64.manylinux_2_28_aarch64.manylinux_2_41_aarch64"
    )
    long = wheel(tmp_path, many)
    held = long.read_bytes()
    short = short_name(long, JETSON)
    assert short.name == "onnxruntime_gpu-1.24.2-cp312-cp312-manylinux_2_28_aarch64.whl"
    assert [*tmp_path.iterdir()] == [short] and short.read_bytes() == held
    require_fit(short, JETSON)


def test_a_name_that_a_bundle_can_hold_stays(tmp_path: Path) -> None:
    path = wheel(tmp_path, "cp312-cp312-manylinux2014_aarch64.manylinux_2_17_aarch64")
    assert short_name(path, JETSON) == path and path.exists()


def test_a_name_that_is_too_long_even_so_is_told(tmp_path: Path) -> None:
    path = wheel(tmp_path, "py3-none-any").rename(tmp_path / f"{'a' * 90}-1.0-py3-none-any.whl")
    with pytest.raises(NgatuError, match="has more than 100 characters"):
        short_name(path, JETSON)
