"""agent.detectors.places"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.detectors import places
from agent.detectors.card import hashed
from agent.detectors.places import SHIPPED, find_card, find_model, models_dir
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError

Writer = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a system folder that does not exist yet."""
    monkeypatch.delenv("NGATU_MODELS", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(places, "SYSTEM", tmp_path / "var")
    return tmp_path


def test_the_setting_comes_first_then_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_MODELS", "/srv/models")

    assert models_dir(Path("/opt/m")) == Path("/opt/m")
    assert models_dir() == Path("/srv/models")


def test_then_the_users_folder_then_the_systems(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    personal = home / "home/.local/share/ngatu/models"

    assert models_dir() == personal
    (home / "var").mkdir()
    assert models_dir() == home / "var"
    personal.mkdir(parents=True)
    assert models_dir() == personal
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    (home / "data/ngatu/models").mkdir(parents=True)
    assert models_dir() == home / "data/ngatu/models"


def test_a_name_is_looked_up_where_models_lie(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"x")

    assert find_model(DetectorSettings(model="mine", models_dir=tmp_path)) == tmp_path / "mine.onnx"


def test_a_model_that_is_missing_is_told_with_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        find_model(DetectorSettings(models_dir=tmp_path))
    assert caught.value.hint == "get it with: ngatu models fetch yolov3-tiny-416"

    with pytest.raises(ModelError, match="no such model"):
        find_model(DetectorSettings(model="./other.onnx", models_dir=tmp_path))


def test_the_card_beside_the_model_serves(cells: Writer) -> None:
    model = cells()

    card, path = find_card(model, hashed(model))

    assert (card.name, path) == ("cells", model.with_suffix(".yaml"))


def test_a_card_in_the_settings_comes_first(cells: Writer, tmp_path: Path) -> None:
    model = cells()
    other = tmp_path / "other.yaml"
    text = model.with_suffix(".yaml").read_text(encoding="utf-8")
    other.write_text(text.replace("name: cells", "name: other"), encoding="utf-8")

    assert find_card(model, hashed(model), other)[0].name == "other"


def test_a_shipped_card_is_found_by_the_files_hash(tmp_path: Path) -> None:
    sha256 = "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14"

    card, path = find_card(tmp_path / "renamed.onnx", sha256)

    assert (card.name, path.parent) == ("yolox-nano-416", SHIPPED)


def test_a_model_without_a_card_is_told(cells: Writer) -> None:
    model = cells()
    model.with_suffix(".yaml").unlink()

    with pytest.raises(ModelError, match="no model card"):
        find_card(model, hashed(model))


def test_a_changed_model_is_refused(cells: Writer) -> None:
    model = cells()
    model.write_bytes(model.read_bytes() + b"\0")

    with pytest.raises(ModelError, match="was written for") as caught:
        find_card(model, hashed(model))
    assert "ngatu models fetch cells" in caught.value.hint


def test_a_card_without_a_hash_is_refused_with_the_line_to_add(cells: Writer) -> None:
    model = cells(sha256=None)

    with pytest.raises(ModelError, match="sha256: this field is missing") as caught:
        find_card(model, hashed(model))
    assert f"sha256: {hashed(model)}" in caught.value.hint
