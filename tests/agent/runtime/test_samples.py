"""agent.runtime.samples"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.commands.audit import read_whole
from agent.config import last_good
from agent.core.pipeline import Outcome
from agent.core.types import Box, Instant, Motion
from agent.runtime.app import Agent
from agent.runtime.launch import build
from tests.support.boxes import Box as WholeBox
from tests.support.brokers import free_port
from tests.support.sampled_frames import LOOKED, grey, track

RIGHT = "samples: {enabled: true, purpose: a better detector, legal_basis: Decision 12}\n"
WALKER = Outcome(Motion((), 0.0), (track(Box(0.1, 0.1, 0.12, 0.16), label="person"),), crops=LOOKED)


def built(folder: Path, more: str) -> Agent:
    """A box that is built and does not run."""
    box = WholeBox(folder, free_port())
    with box.config.open("a") as file:
        file.write(more)
    agent, _ = build(last_good.choose(box.config))
    return agent


def test_a_box_keeps_nothing_unless_its_configuration_says_so(tmp_path: Path) -> None:
    agent = built(tmp_path, "")
    agent.samples.saw("road", grey(agent.clock.now()), WALKER)
    agent.close()

    assert "samples" not in agent.workers
    assert not (tmp_path / "state/samples").exists()


def test_a_box_that_may_keeps_a_frame_and_its_audit_log_says_so(tmp_path: Path) -> None:
    agent = built(tmp_path, RIGHT)
    assert "samples" in agent.workers
    now = agent.clock.now()
    for later_s in (0.0, 1.0):
        agent.samples.saw("road", grey(Instant(now.mono_s + later_s, now.wall_s + later_s)), WALKER)
    assert agent.samples.collector is not None
    agent.samples.collector.turn()
    agent.close()

    (file,) = (tmp_path / "state/samples").iterdir()
    lines, wrong = read_whole(tmp_path / "state/audit.log")
    (line,) = (json.loads(each.text) for each in lines)
    assert wrong is None
    assert (line["samples"], line["purpose"]) == ("kept", "a better detector")
    assert line["id"] in file.name


def test_a_folder_that_cannot_be_used_is_told_and_the_box_works_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/samples").write_text("a file")
    agent = built(tmp_path, RIGHT)
    agent.samples.saw("road", grey(agent.clock.now()), WALKER)
    agent.close()

    assert "samples" not in agent.workers
    assert "samples_unavailable" in capsys.readouterr().out


def test_a_mistake_of_ours_blinds_no_camera(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agent = built(tmp_path, RIGHT)
    broken: Outcome = None  # type: ignore[assignment]
    agent.samples.saw("road", grey(agent.clock.now()), broken)
    agent.samples.saw("road", grey(agent.clock.now()), WALKER)
    agent.close()

    assert agent.samples.collector is None
    assert capsys.readouterr().out.count("samples_stopped") == 1
