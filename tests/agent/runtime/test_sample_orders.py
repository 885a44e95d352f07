"""agent.runtime.sample_orders"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.commands.audit import read_whole
from agent.commands.policy import Command
from agent.config import last_good
from agent.errors import NgatuError
from agent.runtime.app import Agent
from agent.runtime.launch import build
from agent.runtime.sample_orders import NOT_BY_ORDER, OFF, REQUESTS, UNAVAILABLE
from agent.wire.verbs import ReleaseArgs, SamplesArgs, Verb
from tests.support.boxes import Box
from tests.support.brokers import free_port
from tests.support.kept_samples import jpeg, sample

RIGHT = "samples: {enabled: true, purpose: a better detector, legal_basis: Decision 12, by_order: true}\n"
ARGS = SamplesArgs(purpose="two-wheelers", officer="Lê Văn A")


def built(folder: Path, more: str) -> Agent:
    """A box that is built and does not run."""
    box = Box(folder, free_port())
    with box.config.open("a") as file:
        file.write(more)
    agent, _ = build(last_good.choose(box.config))
    return agent


def command(order_id: str) -> Command:
    return Command(order_id, Verb.SAMPLES, ARGS, "duty", 1e9, 2e9, "ab" * 32)


@pytest.mark.parametrize(("more", "why"), [("", OFF), (RIGHT.replace(", by_order: true", ""), NOT_BY_ORDER)])
def test_a_box_sends_no_frame_unless_its_operator_has_allowed_it(tmp_path: Path, more: str, why: str) -> None:
    agent = built(tmp_path, more)
    with pytest.raises(NgatuError) as refused:
        agent.executor.samples(command("s-1"), ARGS, 1)
    agent.close()

    assert refused.value.what == why
    assert "sample orders" not in agent.workers
    assert not (tmp_path / "state" / REQUESTS).exists()
    assert agent.package_key is None


def test_a_box_that_may_notes_the_order_and_tells_the_key_by_which_it_signs(tmp_path: Path) -> None:
    agent = built(tmp_path, RIGHT)
    assert agent.samples.store is not None
    assert agent.samples.store.keep(*sample(1), jpeg())

    answer = agent.executor.samples(command("s-1"), ARGS, 1)
    released = agent.executor.release(command("s-2"), ReleaseArgs(request="s-1"))
    agent.close()

    assert answer["frames"] == 1
    assert released == {"was": "requested"}
    assert agent.package_key is not None
    assert "sample orders" in agent.workers


def test_that_the_station_has_them_stands_in_the_audit_log(tmp_path: Path) -> None:
    agent = built(tmp_path, RIGHT)
    worker, store = agent.sample_orders.worker, agent.samples.store
    assert not isinstance(worker, str)
    assert store is not None
    assert store.keep(*sample(1), jpeg())
    agent.executor.samples(command("s-1"), ARGS, 1)
    for _ in range(3):
        worker.turn(lambda _wait_s=0.0: None)
        given = agent.outbox.waiting(100, agent.clock.now())
        agent.outbox.acknowledge(agent.outbox.stream, [(each.seq, each.sha256[:16]) for each in given])
    worker.turn(lambda _wait_s=0.0: None)
    agent.close()

    lines, _ = read_whole(tmp_path / "state/audit.log")
    (line,) = [found for each in lines if (found := json.loads(each.text)).get("samples") == "handed_over"]
    assert (line["request"], line["frames"], line["left_out"]) == ("s-1", 1, 0)
    assert (line["officer"], line["purpose"], line["issuer"]) == ("Lê Văn A", "two-wheelers", "duty")


def test_where_what_was_ordered_cannot_be_noted_the_box_works_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / REQUESTS).mkdir()
    agent = built(tmp_path, RIGHT)
    agent.close()

    assert "sample_orders_unavailable" in capsys.readouterr().out
    assert isinstance(agent.sample_orders.worker, str)


def test_an_order_that_an_earlier_life_left_is_ended_where_nothing_may_leave_now(tmp_path: Path) -> None:
    agent = built(tmp_path, RIGHT)
    assert agent.samples.store is not None
    assert agent.samples.store.keep(*sample(1), jpeg())
    agent.executor.samples(command("s-1"), ARGS, 1)
    agent.close()

    agent = built(tmp_path, "")
    worker = agent.sample_orders.worker
    assert not isinstance(worker, str)
    worker.turn(lambda _wait_s=0.0: None)
    (word,) = [each for each in agent.outbox.waiting(100, agent.clock.now()) if b"s-1" in each.message.body]
    agent.close()

    assert json.loads(word.message.body)["state"] == "failed"
    assert json.loads(word.message.body)["detail"] == OFF


def test_frames_that_cannot_be_read_are_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/samples").write_text("a file")
    agent = built(tmp_path, RIGHT)
    agent.close()

    assert agent.sample_orders.worker == UNAVAILABLE
