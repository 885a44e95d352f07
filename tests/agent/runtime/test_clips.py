"""agent.runtime.clips"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.config import last_good
from agent.errors import NgatuError
from agent.evidence.box_key import box_key
from agent.evidence.encryption import new_identity
from agent.runtime.app import Agent
from agent.runtime.launch import build
from agent.wire.verbs import ReleaseArgs
from agent.workers.footage.clips import ClipWorker
from tests.support.boxes import Box
from tests.support.brokers import free_port
from tests.support.squares import write_clip


@contextmanager
def built(folder: Path, record: str, evidence: str) -> Iterator[Agent]:
    """A box that is built and does not run."""
    source = f"{{kind: file, path: {write_clip(folder / 'road.mp4')}, loop: true}}"
    cameras = f"  - name: road\n    source: {source}\n    rules: [{{kind: motion, id: m-1}}]\n{record}"
    box = Box(folder, free_port(), cameras)
    with box.config.open("a") as file:
        file.write(evidence)
    agent, _ = build(last_good.choose(box.config))
    try:
        yield agent
    finally:
        agent.close()


def recorded(folder: Path) -> tuple[Path, str, str]:
    return folder, "    record: {mode: continuous}\n", f"evidence: {{recipient: {new_identity()[1]}}}\n"


def test_a_box_that_records_can_be_asked_and_tells_its_key(tmp_path: Path) -> None:
    with built(*recorded(tmp_path)) as agent:
        assert isinstance(agent.clips.worker, ClipWorker)
        assert "clips" in agent.workers
        key = box_key(tmp_path / "state/evidence.key").public_key().public_bytes_raw()
        assert base64.b64decode(agent.clips.key or "") == key


def test_a_box_that_records_nothing_says_so_and_makes_no_key(tmp_path: Path) -> None:
    with built(tmp_path, "", "") as agent:
        assert agent.clips.worker == "this box keeps no footage: no camera of it is recorded"
        assert "clips" not in agent.workers
        assert not (tmp_path / "state/evidence.key").exists()


def test_a_key_that_cannot_be_read_is_told_and_the_box_works_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/evidence.key").write_text("rubbish")
    with built(*recorded(tmp_path)) as agent:
        assert str(agent.clips.worker).startswith("footage cannot be handed over: the key for packages")
        assert agent.clips.key is None
    assert "clips_unavailable" in capsys.readouterr().out


def test_an_order_to_a_box_without_footage_is_refused_in_those_words(tmp_path: Path) -> None:

    with built(tmp_path, "", "") as agent, pytest.raises(NgatuError, match="this box keeps no footage"):
        agent.executor.release(None, ReleaseArgs(request="q-1"))  # type: ignore[arg-type]
