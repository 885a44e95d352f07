"""fleet.bundle.build"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NgatuError
from fleet.bundle.archive import content, verify
from fleet.bundle.build import Recipe, build
from fleet.bundle.wheels import Board
from fleet.prepare import folder
from tests.conftest import ROOT
from tests.support.disks import filled, small_disk
from tests.support.licensed_wheels import PYAV, licensed_wheel
from tests.support.releases import HERE, Maker, wheel

BOARD = Board(os.uname().machine, HERE)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return wheel(tmp_path, "0.9.0")


@pytest.mark.usefixtures("shop")
def test_wheels_models_cards_unit_and_tool_go_in_and_are_signed(
    maker: Maker, own: Path, tmp_path: Path
) -> None:
    model = tmp_path / "eyes.onnx"
    model.write_bytes(b"eyes")
    model.with_suffix(".yaml").write_text("head: yolox\n")
    recipe = Recipe(source=ROOT, board=BOARD, models=[model], wheel=own, system_site=True)

    path, manifest = build(recipe, maker.key, tmp_path / "out")

    assert path.name == f"ngatu-0.9.0-{BOARD.arch}-py{HERE.replace('.', '')}.bundle"
    assert verify(path, maker.key.public_key()) == manifest
    assert {"models/eyes.onnx", "models/eyes.yaml", "ngatu.service", f"wheels/{own.name}"} <= set(
        manifest.files
    )
    assert {name for name in manifest.files if name.startswith("ngatu_release/")} == {
        f"ngatu_release/{each.name}"
        for each in (ROOT / "deploy/ansible/roles/ngatu_agent/files/ngatu_release").glob("*.py")
    }
    assert (manifest.version, manifest.floor, manifest.system_site) == ("0.9.0", "0.9.0", True)


def held(bundle: Path, name: str) -> str:
    """A file in a bundle, by the tar that everybody has."""
    return subprocess.run(["tar", "xOf", bundle, name], capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("shop")
def test_the_bundle_says_to_people_and_to_programs_what_lies_in_it_and_under_which_licence(
    maker: Maker, own: Path, tmp_path: Path
) -> None:
    models = [tmp_path / "eyes.onnx", tmp_path / "others.ncnn"]
    for model, licence in zip(models, ("AGPL-3.0", "MIT"), strict=True):
        model.write_bytes(b"eyes")
        model.with_suffix(".yaml").write_text(f"licence: {licence}\n")
    path, manifest = build(Recipe(ROOT, BOARD, models=models, wheel=own), maker.key, tmp_path / "out")

    bill = json.loads(held(path, "sbom.cdx.json"))
    listed = {each["properties"][0]["value"]: each for each in bill["components"]}
    assert {*listed, "LICENCES.txt", "sbom.cdx.json"} == set(manifest.files)
    assert listed["models/eyes.onnx"]["licenses"] == [{"license": {"name": "AGPL-3.0"}}]
    assert listed["models/others.ncnn"]["licenses"] == [{"license": {"name": "MIT"}}]
    assert {listed[f"models/{each.name}"]["type"] for each in models} == {"machine-learning-model"}
    assert listed["models/eyes.onnx"]["hashes"][0]["content"] == manifest.files["models/eyes.onnx"].sha256
    assert bill["metadata"]["component"]["version"] == "0.9.0"
    said = held(path, "LICENCES.txt")
    assert f"Licences of what lies in {path.name}\n" in said
    assert "\nngatu 0.9.0: not said in the wheel\n" in said and "\npip " in said


def test_where_a_wheel_brings_programs_under_the_gpl_its_text_goes_along(
    maker: Maker, shop: Path, tmp_path: Path
) -> None:
    licensed_wheel(shop, "av", "License-Expression: BSD-3-Clause", holds=PYAV)
    own = licensed_wheel(tmp_path, "ngatu", "Requires-Dist: av")
    path, manifest = build(Recipe(ROOT, BOARD, wheel=own), maker.key, tmp_path / "out")

    texts = {name for name in manifest.files if name.startswith("licences/")}
    assert texts == {"licences/GPL-2.0.txt", "licences/GPL-3.0.txt", "licences/LGPL-3.0.txt"}
    assert "Version 2, June 1991" in held(path, "licences/GPL-2.0.txt")
    assert "x264 (GPL-2.0-or-later), machine code in av-1.0-py3-none-any.whl" in held(path, "LICENCES.txt")
    assert texts <= {each["bom-ref"] for each in json.loads(held(path, "sbom.cdx.json"))["components"]}


@pytest.mark.long
@pytest.mark.usefixtures("shop")
def test_a_folder_of_fleet_init_serves_as_a_checkout(maker: Maker, own: Path, tmp_path: Path) -> None:
    folder.write(tmp_path / "there")
    recipe = Recipe(tmp_path / "there", BOARD, wheel=own)

    first, second = (
        build(each, maker.key, tmp_path / name)[0].read_bytes()
        for each, name in ((recipe, "one"), (replace(recipe, source=ROOT), "two"))
    )
    assert first == second


@pytest.mark.usefixtures("shop")
def test_a_card_that_cannot_be_read_is_told_and_no_bundle_is_left(
    maker: Maker, own: Path, tmp_path: Path
) -> None:
    model = tmp_path / "eyes.onnx"
    model.write_bytes(b"eyes")
    model.with_suffix(".yaml").write_text("head: [\n")

    with pytest.raises(NgatuError, match=r"eyes\.yaml: this is no card"):
        build(Recipe(ROOT, BOARD, models=[model], wheel=own), maker.key, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.long
@pytest.mark.usefixtures("shop")
def test_the_same_recipe_makes_the_same_bytes(maker: Maker, own: Path, tmp_path: Path) -> None:
    recipe = Recipe(source=ROOT, board=BOARD, wheel=own)

    first, second = (build(recipe, maker.key, tmp_path / name)[0].read_bytes() for name in ("one", "two"))

    assert first == second


def test_a_wheel_whose_name_is_too_long_for_a_tar_goes_in_by_a_shorter_one(
    maker: Maker, shop: Path, tmp_path: Path
) -> None:
    own = licensed_wheel(tmp_path, "ngatu", "Requires-Dist: fast")
    platforms = ".".join(f"manylinux_2_{minor}_{BOARD.arch}" for minor in range(17, 24))
    long = licensed_wheel(shop, "fast", "License: MIT").rename(shop / f"fast-1.0-py3-none-{platforms}.whl")
    bundle, manifest = build(Recipe(ROOT, BOARD, wheel=own), maker.key, tmp_path)
    (name,) = (each for each in manifest.files if each.startswith("wheels/fast"))
    assert name == f"wheels/fast-1.0-py3-none-manylinux_2_23_{BOARD.arch}.whl"
    assert manifest.files[name] == content(long)
    assert verify(bundle, maker.key.public_key()) == manifest


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "free_bytes",
    [lambda _: 0, lambda _: 200_000, lambda bundle: -(-bundle // 4096) * 4096],
    ids=["not even for the lock", "for the lock alone", "for the bundle alone"],
)
def test_a_full_disk_leaves_the_older_bundle_and_its_lock_as_they_were(
    maker: Maker, own: Path, tmp_path: Path, free_bytes: Callable[[int], int]
) -> None:
    recipe = Recipe(ROOT, BOARD, wheel=own)
    whole, _ = build(recipe, maker.key, tmp_path)
    size = whole.stat().st_size
    with small_disk(tmp_path / "stick", f"{size // 1024 + 400}k") as stick:
        older = {whole.name: "an older one", whole.with_suffix(".lock").name: "of an older one"}
        for name, text in older.items():
            (stick / name).write_text(text)
        filled(stick, free_bytes(size))
        with pytest.raises(NgatuError, match="No space left on device") as caught:
            build(recipe, maker.key, stick)
        assert "is there room? --out names another folder" in (caught.value.hint or "")
        (stick / "filling").unlink()
        assert {each.name: each.read_text() for each in stick.iterdir()} == older


def given(folder: Path, name: str, data: bytes = b"eyes") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.usefixtures("without_registry")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (lambda at: {"models": [given(at, "mắt.onnx")]}, r"mắt\.onnx: boxes take no file of that name"),
        (lambda at: {"models": [given(at, "eyes.pt")]}, r"eyes\.pt: this is no model that boxes can use"),
        (lambda at: {"models": [given(at, "eyes.onnx", b"")]}, r"eyes\.onnx: it is empty"),
        (lambda at: {"models": [given(at, "x" * 96 + ".onnx")]}, "the name has more than 100 characters"),
        (
            lambda at: {"models": [given(at / "1", "eyes.onnx"), given(at / "2", "eyes.onnx")]},
            r"2/eyes\.onnx: \S+/1/eyes\.onnx has the same name",
        ),
        (lambda at: {"wheel": licensed_wheel(at, "numpy")}, "it is a wheel of numpy, not of ngatu"),
        (lambda at: {"wheel": at / "none.whl"}, r"none\.whl: No such file"),
        (lambda at: {"wheel": given(at, "ngatu-0.9.0-py3-none-any.whl", b"")}, "this is no wheel"),
        (
            lambda at: {"wheel": wheel(at, "0.9.0").rename(at / "ngatu-0.9.0-py3-none-any (1).whl")},
            r"any \(1\)\.whl",
        ),
        (lambda _: {"extras": ["stattion"]}, r"--extra stattion: ngatu 0\.9\.0 has no such"),
        (lambda _: {"floor": "1.0.0"}, r"--floor 1\.0\.0: it is newer than the release itself, 0\.9\.0"),
        (lambda at: {"lock": given(at, "x.lock", b"# nothing\n")}, r"x\.lock: this lock names no package"),
    ],
)  # fmt: skip
def test_what_was_given_wrongly_is_named_before_a_wheel_is_fetched(
    maker: Maker, own: Path, tmp_path: Path, more: Callable[[Path], dict[str, Any]], message: str
) -> None:
    recipe = Recipe(**{"source": ROOT, "board": BOARD, "wheel": own} | more(tmp_path / "given"))
    with pytest.raises(NgatuError, match=message) as caught:
        build(recipe, maker.key, tmp_path / "out")
    assert caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.fixture
def without_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds nothing: whoever comes as far as to ask it is told so, and not what was given wrongly."""
    (tmp_path / "given").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def test_a_folder_that_takes_no_bundle_is_told_before_a_wheel_is_fetched(
    maker: Maker, own: Path, without_registry: None
) -> None:
    with pytest.raises(NgatuError, match="whl: this is no folder") as caught:
        build(Recipe(ROOT, BOARD, wheel=own), maker.key, own)
    assert "--out" in (caught.value.hint or "")


@pytest.mark.usefixtures("shop")
def test_a_wheel_in_place_of_a_package_that_nobody_asks_for_is_refused(
    maker: Maker, own: Path, tmp_path: Path
) -> None:
    """Else it would be left out in silence: the slip is in the package's name."""
    theirs = licensed_wheel(tmp_path / "theirs", "onnxruntime_gpu")
    recipe = Recipe(ROOT, BOARD, wheel=own, instead={"onnxruntim": theirs})
    with pytest.raises(NgatuError, match="--instead onnxruntim: nothing in this bundle asks for a package"):
        build(recipe, maker.key, tmp_path / "out")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"models": [Path("nowhere.onnx")]}, r"nowhere\.onnx: there is no such model"),
        ({"floor": "newest"}, "newest: boxes cannot put this version in order"),
        ({"source": Path("/")}, "/: the unit or the release tool is missing"),
    ],
)
def test_what_cannot_go_in_is_named_and_no_bundle_is_left(
    maker: Maker, own: Path, tmp_path: Path, more: dict[str, object], message: str
) -> None:
    recipe = Recipe(**{"source": ROOT, "board": BOARD, "wheel": own} | more)  # type: ignore[arg-type]

    with pytest.raises(NgatuError, match=message):
        build(recipe, maker.key, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there_is_told_before_a_wheel_is_built(maker: Maker, tmp_path: Path) -> None:
    recipe = Recipe(source=ROOT, board=BOARD, models=[Path("nowhere.onnx")], wheel=tmp_path / "no.whl")

    with pytest.raises(NgatuError, match=r"nowhere\.onnx: there is no such model"):
        build(recipe, maker.key, tmp_path / "out")
