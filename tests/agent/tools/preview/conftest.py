"""A box whose camera sees white squares go over a grey road, and what looks at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.boxes import ROAD_RULES
from tests.support.squares import write_clip, write_model


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the network and the clip."""
    folder = tmp_path_factory.mktemp("road")
    write_model(folder)
    write_clip(folder / "road.mp4")
    return folder


def write_config(folder: Path, road: Path) -> Path:
    """The configuration of the box in a folder."""
    file = folder / "box.yaml"
    file.write_text(
        "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: localhost}\n"
        f"state_dir: {folder / 'state'}\ndetector: {{model: {road / 'squares.onnx'}}}\n"
        f"cameras:\n  - name: road\n    source: {{kind: file, path: {road / 'road.mp4'}}}{ROAD_RULES}",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def config_file(tmp_path: Path, road: Path) -> Path:
    """The same for one test."""
    return write_config(tmp_path, road)
