"""agent.runtime.parts"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from agent.clock import SystemClock
from agent.config.schema import load
from agent.core.pipeline import Outcome
from agent.core.types import Box as Rectangle
from agent.core.types import Motion
from agent.errors import NgatuError
from agent.evidence.encryption import new_identity
from agent.evidence.retention.budget import WriteBudgetSpent
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.runtime.app import Agent
from tests.support.boxes import NGATU, Box
from tests.support.brokers import free_port
from tests.support.footage import HandClock, piece
from tests.support.sampled_frames import LOOKED, grey, track
from tests.support.threads import begun_since

WALKER = Outcome(Motion((), 0.0), (track(Rectangle(0.1, 0.1, 0.12, 0.16), label="person"),), crops=LOOKED)


def changed(box: Box, *changes: tuple[str, str]) -> Box:
    """The box with other words in its configuration."""
    text = box.config.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    box.config.write_text(text)
    return box


def a_model_that_is_not_there(box: Box) -> str:
    (box.folder / "squares.onnx").unlink()
    return "squares.onnx"


def a_state_dir_that_cannot_be_made(box: Box) -> str:
    (box.folder / "file").write_text("")
    changed(box, (str(box.folder / "state"), str(box.folder / "file" / "state")))
    return "is not a folder"


def a_provider_that_is_not_there(box: Box) -> str:
    changed(box, ("detector: {", "detector: {provider: tensorrt, "))
    return "no tensorrt"


def a_port_that_is_taken(box: Box) -> str:
    taken = socket.create_server(("127.0.0.1", 0))
    box.taken = taken  # type: ignore[attr-defined]  # open as long as the test
    changed(box, ("interval_s: 5", f"interval_s: 5, metrics_port: {taken.getsockname()[1]}"))
    return "health.metrics_port"


def a_second_agent(box: Box) -> str:
    box.first = Outbox(box.folder / "state/outbox.db", OutboxSettings(), SystemClock())  # type: ignore[attr-defined]
    return "is in use by another process"


@pytest.mark.long
@pytest.mark.parametrize(("mistake", "code"), [(a_model_that_is_not_there, 2), (a_second_agent, 1)])
def test_what_cannot_start_is_told_in_a_line_with_its_exit_code(
    tmp_path: Path, mistake: Callable[[Box], str], code: int
) -> None:
    box = Box(tmp_path, free_port())
    expected = mistake(box)
    done = subprocess.run(
        [*NGATU, "run", "-c", str(box.config)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == code, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) <= 4
    assert '"started"' not in done.stdout
    if hasattr(box, "first"):
        box.first.close()


@pytest.mark.parametrize("years", [50, -50])
def test_a_clock_that_steps_by_decades_and_back_costs_a_box_nothing_before_its_time(
    tmp_path: Path, years: int
) -> None:
    box, clock, year_s, day_s = Box(tmp_path, free_port()), HandClock(), 365 * 86_400, 86_400
    clock.wall_s += 60 * year_s
    _, recipient = new_identity()
    changed(box, ("  - name: road\n", "  - name: road\n    record: {mode: continuous}\n"))
    with box.config.open("a") as file:
        file.write(
            "samples: {enabled: true, purpose: a better detector, legal_basis: Decision 12}\n"
            f"evidence: {{recipient: {recipient}, daily_write_bytes: 100000000}}\n"
        )
    (tmp_path / "state").mkdir()
    (tmp_path / "state/outbox.db").write_bytes(b"no database" * 1000)
    agent = Agent(load(box.config), clock, trusted=clock.trust)
    ring, collector, store = agent.footage.ring, agent.samples.collector, agent.samples.store
    assert ring is not None and collector is not None and store is not None

    def work(seconds: float) -> None:
        for _ in range(round(seconds / 3600)):
            clock.go_on(3600)
            agent.timekeeper.look()
            collector.turn()
            agent.outbox.tend()

    def record() -> None:
        run = f"run-{clock.mono_s}"
        ring.append(piece("road", run, "init", clock.now(), 0.0, b"init"))
        for _ in range(20):
            ring.append(piece("road", run, "media", clock.now(), 2.0, bytes(3_000_000)))
            clock.go_on(2)

    def left() -> tuple[int, int]:
        return len(store.samples()), len([*(tmp_path / "state").glob("outbox.db.damaged.1")])

    agent.timekeeper.look()
    for _ in range(2):
        agent.samples.saw("road", grey(clock.now()), WALKER)
        clock.go_on(1)
    work(3600)
    record()
    for step in (years, -years):
        clock.wall_s += step * year_s
        work(3600)
        assert left() == (1, 1)
        with pytest.raises(WriteBudgetSpent):
            record()
    work(6.8 * day_s)
    record()
    assert left() == (1, 1)
    work(day_s)
    assert left() == (1, 0)
    work(7 * day_s)
    assert left() == (0, 0)
    ring.close()
    agent.close()


@pytest.mark.parametrize(
    "mistake",
    [
        a_model_that_is_not_there,
        a_provider_that_is_not_there,
        a_state_dir_that_cannot_be_made,
        a_port_that_is_taken,
    ],
)
def test_what_cannot_start_leaves_nothing_behind(tmp_path: Path, mistake: Callable[[Box], str]) -> None:
    box = Box(tmp_path, free_port())
    expected = mistake(box)
    threads, family = threading.enumerate(), psutil.Process().children(recursive=True)
    with pytest.raises(NgatuError) as caught:
        Agent(load(box.config), SystemClock()).run()

    assert expected in str(caught.value)
    assert not begun_since(threads)
    assert not set(psutil.Process().children(recursive=True)) - set(family)
    Outbox(tmp_path / "state/outbox.db", OutboxSettings(), SystemClock()).close()  # nobody holds it any more
    if hasattr(box, "taken"):
        box.taken.close()
