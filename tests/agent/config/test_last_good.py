"""agent.config.last_good"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import last_good
from agent.errors import ConfigError
from tests.support.boxes import Box
from tests.support.brokers import free_port


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box that runs as a service."""
    (tmp_path / "service").mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "service"))
    return Box(tmp_path, free_port())


def test_a_file_that_has_become_wrong_does_not_stop_a_service(box: Box) -> None:
    good = last_good.choose(box.config)
    last_good.keep(good)
    box.config.write_text("cameras: [")
    chosen = last_good.choose(box.config)

    assert chosen.config == good.config
    assert "box.yaml" in (chosen.refused or "")
    last_good.keep(chosen)  # which is no news
    box.config.unlink()
    assert last_good.choose(box.config).config == good.config


def test_without_a_good_one_the_mistakes_are_told(box: Box) -> None:
    box.config.write_text("cameras: [")

    with pytest.raises(ConfigError):
        last_good.choose(box.config)


def test_at_a_terminal_the_mistakes_are_told(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    last_good.keep(last_good.choose(box.config))
    monkeypatch.delenv("STATE_DIRECTORY")
    box.config.write_text("cameras: [")

    with pytest.raises(ConfigError):
        last_good.choose(box.config)


def test_the_kept_file_is_for_the_agent_alone(box: Box) -> None:
    last_good.keep(last_good.choose(box.config))

    assert (box.folder / "service" / last_good.NAME).stat().st_mode & 0o077 == 0
