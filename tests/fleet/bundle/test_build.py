"""fleet.bundle.build"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.bundle.archive import verify
from fleet.bundle.build import Recipe, build
from fleet.bundle.wheels import Board
from tests.conftest import ROOT
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


@pytest.mark.usefixtures("shop")
def test_the_same_recipe_makes_the_same_bytes(maker: Maker, own: Path, tmp_path: Path) -> None:
    recipe = Recipe(source=ROOT, board=BOARD, wheel=own)

    first, second = (build(recipe, maker.key, tmp_path / name)[0].read_bytes() for name in ("one", "two"))

    assert first == second


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
