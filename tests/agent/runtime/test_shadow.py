"""agent.runtime.shadow"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from agent.config import last_good
from agent.core.shadow.comparison import ShadowComparison
from agent.core.shadow.histogram import TimeHistogram
from agent.core.types import Event
from agent.detectors.card import hashed
from agent.runtime.app import Agent
from agent.runtime.launch import build
from agent.status import health
from agent.workers.shadow import record
from agent.workers.shadow.record import ShadowRecord, ShadowState
from tests.support.boxes import Box
from tests.support.brokers import free_port
from tests.support.shadowed import Fault, write_shadow

pytestmark = pytest.mark.long

MEASURED = ShadowComparison(old_ms=TimeHistogram({40: 30}), old_mb=200.0)
"""The old one's time is known, so the new one is shown the first crop."""


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path, free_port(), loop=False)


def with_shadow(box: Box, fault: Fault = "none", bounds: str = "") -> Path:
    """A model in the shadow of the box's; returns it."""
    model = write_shadow(box.folder / "shadow", fault)
    text = box.config.read_text()
    old = f"detector: {{model: {box.folder / 'squares.onnx'}"
    assert old in text
    box.config.write_text(text.replace(old, f"{old}, shadow: {{model: {model}{bounds}}}"))
    return model


def kept(
    box: Box, new: Path, state: ShadowState = ShadowState.RUNNING, seen: ShadowComparison = MEASURED
) -> None:
    """A record of an earlier life of the box."""
    folder = box.folder / "state"
    folder.mkdir(exist_ok=True)
    old = hashed(box.folder / "squares.onnx")
    assert record.save(folder, ShadowRecord(old, hashed(new), state, "it was seen", seen=seen))


def built(box: Box) -> Agent:
    agent, _ = build(last_good.choose(box.config))
    return agent


def ticked(agent: Agent) -> tuple[list[Event], bool]:
    """What one turn of the main loop tells, and whether the box wants to begin anew."""
    said_events: list[Event] = []
    left: list[bool] = []
    agent.shadow.tick(said_events.extend, lambda: left.append(True))
    return said_events, bool(left)


def test_the_old_model_tells_events_and_the_new_one_is_on_trial(box: Box) -> None:
    new = with_shadow(box)
    agent = built(box)
    said = health.report(agent.sources, agent.clock).shadow
    agent.close()

    assert agent.detector.name == "squares"
    assert "shadow" in agent.workers
    assert said is not None
    assert (said.model, said.sha256, said.state) == ("new-squares", hashed(new), "running")
    assert "0 of 500 crops" in (said.why or "")


def test_without_one_there_is_none_and_an_old_trial_is_forgotten(box: Box) -> None:
    new = write_shadow(box.folder / "shadow")
    kept(box, new, ShadowState.FAILED)
    agent = built(box)
    agent.close()

    assert "shadow" not in agent.workers
    assert health.report(agent.sources, agent.clock).shadow is None
    assert not (box.folder / "state" / record.NAME).exists()


def test_a_model_that_has_passed_comes_into_use_with_the_next_start(box: Box) -> None:
    kept(box, with_shadow(box), ShadowState.PASSED)
    agent = built(box)
    events, leaves = ticked(agent)
    again, _ = ticked(agent)
    said = health.report(agent.sources, agent.clock)
    agent.close()

    assert agent.detector.name == "new-squares"
    assert "shadow" not in agent.workers
    assert [each.detail for each in events] == ["new-squares: comes into use: it was seen"]
    assert not leaves and not again
    assert said.shadow is not None and said.shadow.state == "taken"
    assert not any(word.startswith("shadow") for word in said.degraded)


def test_one_that_has_been_taken_stays_over_restarts(box: Box) -> None:
    kept(box, with_shadow(box), ShadowState.TAKEN)
    agent = built(box)
    agent.close()

    assert agent.detector.name == "new-squares"


@pytest.mark.parametrize("state", [ShadowState.RUNNING, ShadowState.FAILED])
def test_nothing_but_a_pass_brings_it_into_use(box: Box, state: ShadowState) -> None:
    kept(box, with_shadow(box), state)
    agent = built(box)
    agent.close()

    assert agent.detector.name == "squares"


def test_a_pass_of_other_bytes_counts_for_nothing(box: Box) -> None:
    """The file was changed after its trial."""
    kept(box, with_shadow(box), ShadowState.PASSED)
    write_shadow(box.folder / "shadow", "blind")
    agent = built(box)
    agent.close()

    assert agent.detector.name == "squares"
    assert "shadow" in agent.workers


def test_one_that_passed_and_cannot_be_loaded_any_more_is_taken_back(box: Box) -> None:
    new = with_shadow(box)
    new.with_suffix(".yaml").write_text("name: no card\n")
    kept(box, new, ShadowState.PASSED)
    agent = built(box)
    events, _ = ticked(agent)
    said = health.report(agent.sources, agent.clock)
    agent.close()

    assert agent.detector.name == "squares"
    assert len(events) == 1 and "taken back: it passed and cannot be loaded" in (events[0].detail or "")
    assert "shadow_failed:new-squares" in said.degraded


def test_a_trial_that_passes_is_told_once_and_then_the_box_begins_anew(box: Box) -> None:
    new = with_shadow(box)
    kept(box, new)
    agent = built(box)
    trial = agent.shadow.record
    assert trial is not None
    assert agent.shadow.trial is not None  # what its thread would do in an hour
    agent.shadow.trial.record = trial.ended(ShadowState.PASSED, "all of it")
    events, leaves = ticked(agent)
    again, _ = ticked(agent)
    agent.close()

    assert [each.detail for each in events] == ["new-squares: comes into use: all of it"]
    assert leaves and not again


def events_of(box: Box) -> set[tuple[str, str, str]]:
    """What the box has told of the clip: kinds, phases and rules."""
    with closing(sqlite3.connect(box.folder / "state" / "outbox.db")) as database:
        bodies = [
            json.loads(row[0])
            for row in database.execute("select body from message where topic like '%/event'")
        ]
    return {(each["kind"], each["phase"], each["rule"]["id"]) for each in bodies}


def shadows(box: Box) -> list[psutil.Process]:
    """The processes of models on trial that it has now."""
    assert box.process is not None
    found = []
    with suppress(psutil.Error):  # they and the box end while they are looked at
        for each in psutil.Process(box.process.pid).children():
            if "agent.detectors.shadow_child" in each.cmdline():
                found.append(each)
    return found


def test_a_shadow_that_hangs_or_dies_costs_no_event(tmp_path: Path) -> None:
    """It hangs in its first look, and is killed again and again."""
    plain, shadowed = two_boxes(tmp_path)
    kept(shadowed, with_shadow(shadowed, "hangs"))
    plain.start().wait(60)
    seen = 0
    shadowed.start()
    code = None
    while code is None:
        with suppress(subprocess.TimeoutExpired):
            code = shadowed.wait(0.5)
        for each in shadows(shadowed):
            seen += 1
            if seen % 5 == 4:
                each.kill()

    assert code == 0
    assert seen > 0, "the shadow was never at work"
    assert events_of(shadowed) == events_of(plain) != set()


def test_a_shadow_that_cannot_be_loaded_costs_no_event(tmp_path: Path) -> None:
    """Its process lives for a moment only, so what the box wrote down says that it was tried."""
    plain, shadowed = two_boxes(tmp_path)
    new = with_shadow(shadowed, "broken")
    kept(shadowed, new)
    plain.start().wait(60)
    code = shadowed.start().wait(60)
    said = record.load(shadowed.folder / "state", hashed(shadowed.folder / "squares.onnx"), hashed(new))

    assert code == 0
    assert said.state is ShadowState.FAILED and said.seen.broken, "the shadow was never at work"
    assert events_of(shadowed) == events_of(plain) != set()


def two_boxes(folder: Path) -> tuple[Box, Box]:
    """The same but for what a test puts into the shadow of the second."""
    boxes = []
    for name in ("plain", "shadowed"):
        (folder / name).mkdir()
        boxes.append(Box(folder / name, free_port(), loop=False))
    return boxes[0], boxes[1]
