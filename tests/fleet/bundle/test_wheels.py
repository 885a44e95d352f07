"""fleet.bundle.wheels: the set of wheels is whole for the board, whatever Python the controller has"""

from __future__ import annotations

import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from agent.errors import NgatuError
from fleet.bundle.wheels import Board, closure, fetch, own_wheel, read_wheel
from tests.conftest import ROOT
from tests.support.releases import HERE


def wheel(folder: Path, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> Path:
    """A wheel without code."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
    path = folder / f"{name}-{version}-{tag}.whl"
    with ZipFile(path, "w") as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
        )
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def fetched(own: Path, board: Board, tmp_path: Path, **more: object) -> set[str]:
    into = tmp_path / "into"
    into.mkdir()
    return {path.name.split("-")[0] for path in fetch(own, board, into, **more)}  # type: ignore[arg-type]


@pytest.mark.long
def test_what_the_board_needs_and_the_controller_does_not_is_fetched_too(shop: Path, tmp_path: Path) -> None:
    other = "3.11" if HERE != "3.11" else "3.13"
    wheel(shop, "old_only", "1.0")
    wheel(shop, "here_only", "1.0")
    own = wheel(
        tmp_path, "ngatu", "0.1.0",
        f'old_only; python_version == "{other}"', f'here_only; python_version == "{HERE}"',
    )  # fmt: skip

    assert fetched(own, Board("aarch64", other), tmp_path) == {"ngatu", "pip", "old_only"}


def test_a_wheel_of_the_board_is_taken_and_no_other(shop: Path, tmp_path: Path) -> None:
    wheel(shop, "fast", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    wheel(shop, "fast", "1.0", tag="cp311-cp311-manylinux_2_28_aarch64")
    wheel(shop, "fast", "2.0", tag="cp311-cp311-manylinux_2_41_aarch64")
    own = wheel(tmp_path, "ngatu", "0.1.0", "fast")
    into = tmp_path / "into"
    into.mkdir()

    names = [path.name for path in fetch(own, Board("aarch64", "3.11", glibc=36), into)]
    assert "fast-1.0-cp311-cp311-manylinux_2_28_aarch64.whl" in names
    assert len([name for name in names if name.startswith("fast")]) == 1


def test_a_package_without_a_wheel_for_the_board_is_told(shop: Path, tmp_path: Path) -> None:
    wheel(shop, "fast", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    own = wheel(tmp_path, "ngatu", "0.1.0", "fast")

    with pytest.raises(NgatuError, match="fast"):
        fetched(own, Board("aarch64", "3.11"), tmp_path)


@pytest.mark.long
def test_a_package_that_is_source_alone_is_built_from_no_other_bytes_than_the_known_ones(
    shop: Path, tmp_path: Path
) -> None:
    with tarfile.open(shop / "font-roboto-0.0.1.tar.gz", "w:gz") as archive:
        (tmp_path / "setup.py").write_text("raise SystemExit('it was run')")
        archive.add(tmp_path / "setup.py", "font-roboto-0.0.1/setup.py")
    own = wheel(tmp_path, "ngatu", "0.1.0", 'font-roboto>=0.0.1; extra == "station"')

    assert fetched(own, Board("aarch64", "3.11"), tmp_path) == {"ngatu", "pip"}
    with pytest.raises(NgatuError, match=r"(?i)hash") as refused:
        fetch(own, Board("aarch64", "3.11"), tmp_path / "into", ["station"])
    assert "it was run" not in str(refused.value)


def test_a_vendors_wheel_takes_the_place_of_a_package(shop: Path, tmp_path: Path) -> None:
    """On a Jetson ONNX Runtime comes from the vendor, under another name and with a version of its own."""
    wheel(shop, "onnxruntime", "1.20", "not_there_for_gpus")
    wheel(shop, "not_there_for_gpus", "1")
    theirs = wheel(tmp_path / "vendor", "onnxruntime_gpu", "1.18.0", tag="cp310-cp310-linux_aarch64")
    own = wheel(tmp_path, "ngatu", "0.1.0", "onnxruntime>=1.20")

    found = fetched(own, Board("aarch64", "3.10"), tmp_path, instead={"onnxruntime": theirs})
    assert found == {"ngatu", "pip", "onnxruntime_gpu"}


def test_extras_bring_what_they_need(tmp_path: Path) -> None:
    here = {
        each.name: each
        for each in (
            read_wheel(wheel(tmp_path, "ngatu", "0.1.0", 'sql[fast]; extra == "station"')),
            read_wheel(wheel(tmp_path, "sql", "2.0", 'quick; extra == "fast"')),
            read_wheel(wheel(tmp_path, "quick", "1.0")),
        )
    }

    assert closure(here, [Requirement("ngatu")], Board("aarch64", "3.11")) == ({"ngatu"}, [])
    assert closure(here, [Requirement("ngatu[station]")], Board("aarch64", "3.11")) == (
        {"ngatu", "sql", "quick"}, [],
    )  # fmt: skip


def test_a_version_that_is_not_good_enough_is_lacking(tmp_path: Path) -> None:
    here = {
        each.name: each
        for each in (
            read_wheel(wheel(tmp_path, "ngatu", "0.1.0", "sql>=2")),
            read_wheel(wheel(tmp_path, "sql", "1.0")),
        )
    }

    assert closure(here, [Requirement("ngatu")], Board("aarch64", "3.11"))[1] == ["sql>=2"]


def test_a_file_that_is_no_wheel_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    path.write_text("x")

    with pytest.raises(NgatuError, match="this is no wheel"):
        read_wheel(path)


def test_what_is_no_checkout_builds_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="this is no checkout of ngatu"):
        own_wheel(tmp_path, tmp_path)


@pytest.mark.long
def test_the_same_source_makes_the_same_wheel(tmp_path: Path) -> None:
    """Needs the registry: pip builds in an environment of its own."""
    wheels = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        wheels.append(own_wheel(ROOT, tmp_path / name))

    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with ZipFile(wheels[0]) as archive:
        names = archive.namelist()
    assert "agent/runtime/app.py" in names and "fleet/bundle/archive.py" in names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)
