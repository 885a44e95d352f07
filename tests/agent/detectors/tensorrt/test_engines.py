"""agent.detectors.tensorrt.engines"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.detectors.settings import DetectorSettings
from agent.detectors.tensorrt.engines import (
    KEPT,
    engine_folder,
    engines_dir,
    has_engine,
    machine,
    make_room,
    provider_options,
)

MODEL = "ab" * 32
ORIN = {
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n",
}
CARD = "Model: \t\t NVIDIA L4\nIRQ:   \t\t 35\nVideo BIOS: \t 95.04.29.00.06\nBus Location: \t 0000:31:00.0\n"


def root(folder: Path, files: dict[str, str], tensorrt: str | None = "10.3.0") -> Path:
    """A machine with these files, and with this TensorRT as its packages leave it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if tensorrt:
        libraries = folder / "usr/lib/aarch64-linux-gnu"
        libraries.mkdir(parents=True, exist_ok=True)
        (libraries / f"libnvinfer.so.{tensorrt}").touch()
        link = libraries / "libnvinfer.so.10"
        link.unlink(missing_ok=True)
        link.symlink_to(f"libnvinfer.so.{tensorrt}")
    return folder


def settings(folder: Path, **more: object) -> DetectorSettings:
    return DetectorSettings.model_validate({"provider": "tensorrt", "engines_dir": folder, **more})


def test_whatever_an_engine_is_built_of_gives_it_another_folder(tmp_path: Path) -> None:
    jetson = root(tmp_path / "orin", ORIN)
    wanted = settings(tmp_path)
    folders = {
        "as it is": engine_folder(wanted, MODEL, "1.24.2", jetson),
        "model": engine_folder(wanted, "cd" * 32, "1.24.2", jetson),
        "runtime": engine_folder(wanted, MODEL, "1.25.0", jetson),
        "precision": engine_folder(settings(tmp_path, fp16=True), MODEL, "1.24.2", jetson),
        "batch": engine_folder(settings(tmp_path, batch=1), MODEL, "1.24.2", jetson),
        "board": engine_folder(
            wanted, MODEL, "1.24.2",
            root(tmp_path / "agx", ORIN | {"proc/device-tree/model": "NVIDIA Jetson AGX Orin\0"}),
        ),
        "L4T": engine_folder(
            wanted, MODEL, "1.24.2", root(tmp_path / "l4t", ORIN | {"etc/nv_tegra_release": "# R38\n"})
        ),
        "TensorRT": engine_folder(wanted, MODEL, "1.24.2", root(tmp_path / "trt", ORIN, "10.7.0")),
        "card": engine_folder(
            wanted, MODEL, "1.24.2",
            root(tmp_path / "pc", {"proc/driver/nvidia/gpus/0000:31:00.0/information": CARD}),
        ),
    }  # fmt: skip
    assert len(set(folders.values())) == len(folders)
    assert all(folder.parent == tmp_path for folder in folders.values())


def test_the_same_machine_finds_its_engine_again_whatever_number_the_bus_gives_the_card(tmp_path: Path) -> None:
    one, other = (
        root(tmp_path / name, {f"proc/driver/nvidia/gpus/{bus}/information": CARD.replace("0000:31:00.0", bus)})
        for name, bus in (("one", "0000:31:00.0"), ("other", "0000:17:00.0"))
    )
    assert list(machine(one)) == list(machine(other))
    assert any("NVIDIA L4" in word for word in machine(one))


def test_a_machine_without_a_gpu_says_nothing_and_still_has_a_folder(tmp_path: Path) -> None:
    assert [word for word in machine(tmp_path) if word] == []
    assert engine_folder(settings(tmp_path), MODEL, "1.24.2", tmp_path).parent == tmp_path


@pytest.mark.parametrize(("variables", "place"), [
    ({"CACHE_DIRECTORY": "/var/cache/ngatu-engines:/var/cache/more"}, "/var/cache/ngatu-engines"),
    ({"CACHE_DIRECTORY": "", "XDG_CACHE_HOME": "/somewhere"}, "/somewhere/ngatu/engines"),
    ({"CACHE_DIRECTORY": "", "XDG_CACHE_HOME": "", "HOME": "/home/tran"}, "/home/tran/.cache/ngatu/engines"),
])  # fmt: skip
def test_engines_lie_in_the_cache_of_the_unit_or_of_the_user(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], place: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert engines_dir(DetectorSettings()) == Path(place)


def test_onnx_runtime_is_told_to_keep_engine_and_timings_in_that_folder(tmp_path: Path) -> None:
    options = provider_options(settings(tmp_path, fp16=True), tmp_path / "key")
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(tmp_path / "key")
    assert (options["trt_engine_cache_enable"], options["trt_timing_cache_enable"]) == ("1", "1")
    assert options["trt_fp16_enable"] == "1"
    assert provider_options(settings(tmp_path), tmp_path)["trt_fp16_enable"] == "0"


def test_of_the_folders_the_latest_are_kept_and_this_one_always(tmp_path: Path) -> None:
    keys = [f"{number:032x}" for number in range(KEPT + 3)]
    for age, key in enumerate(keys):
        (tmp_path / key).mkdir()
        os.utime(tmp_path / key, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "of somebody else").mkdir()
    oldest = tmp_path / keys[-1]

    make_room(oldest)

    left = {path.name for path in tmp_path.iterdir()}
    assert left == {oldest.name, *keys[: KEPT - 1], "of somebody else"}
    assert not has_engine(oldest)
    (oldest / "TensorrtExecutionProvider_TRTKernel_1_0_sm87.engine").touch()
    assert has_engine(oldest)
