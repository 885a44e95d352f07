"""agent.status.health"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from agent.core.throttle import FULL, Throttle
from agent.errors import ModelError, OutboxError
from agent.host.machine import Machine
from agent.status import health
from agent.status.health import Sources, report
from agent.wire import codec
from agent.wire.payloads import HealthPayload, MqttHealth, OutboxHealth, ThrottledHealth
from tests.agent.host.test_machine import board
from tests.agent.workers.test_camera import Post
from tests.conftest import SteppedClock

OUTBOX = OutboxHealth(
    pending=3, bytes=4096, oldest_s=2.5, dropped={"image": 4}, quarantined=1, confirm="receipt"
)


@pytest.fixture
def post(tmp_path: Path, clock: SteppedClock) -> Iterator[Post]:
    made = Post(tmp_path, clock)
    made.watcher()
    yield made
    made.outbox.close()
    made.detector.close()


@pytest.fixture
def sources(post: Post, clock: SteppedClock) -> Sources:
    return Sources(
        {"road": post.it},
        lambda: OUTBOX,
        lambda: MqttHealth(connected_s=8.0, reconnects=1, refused=0),
        Machine(clock, board(post.folder / "sys", throttled="50000", zones=(("cpu-thermal", "51234"),))),
        post.folder,
        "c" * 64,
        {"ngatu": "0.1.0"},
        "s-1",
        "box_restarted",
        clock.now(),
    )


def test_on_a_pi_every_field_of_the_contract_is_filled(
    post: Post, sources: Sources, clock: SteppedClock
) -> None:
    post.see(4)
    post.see(3, speed_px_s=130)
    told = report(sources, clock)

    plain = json.loads(codec.encode(told))
    assert [name for name, value in plain.items() if value in (None, {})] == []
    assert [name for name, value in plain["cameras"]["road"].items() if value is None] == ["frame_age_s"]
    assert plain["uptime_s"] == 7
    assert plain["boot_reason"] == "box_restarted"
    assert plain["throttled"]["under_voltage_since_boot"]
    schema = json.loads((Path(codec.__file__).parent / "schema" / "health.json").read_text())
    jsonschema.validate(plain, schema)


def test_a_healthy_box_is_not_degraded_but_for_its_clock(sources: Sources, clock: SteppedClock) -> None:
    assert set(report(sources, clock).degraded) <= {"clock_untrusted"}


def lost(post: Post) -> None:
    post.it._enter("lost", "no picture for 10 s")


def without_a_detector(post: Post) -> None:
    post.detector.broken = ModelError("squares: the network failed")
    post.see(4)
    post.see(3, speed_px_s=130)


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (lost, "camera_lost:road"),
        (without_a_detector, "detector_failed:road"),
    ],
)
def test_what_a_camera_suffers_from_is_told(
    post: Post, sources: Sources, clock: SteppedClock, trouble: Callable[[Post], None], word: str
) -> None:
    trouble(post)

    assert word in report(sources, clock).degraded


def test_what_the_box_suffers_from_is_told(sources: Sources, clock: SteppedClock, tmp_path: Path) -> None:
    hot = replace(sources, machine=Machine(clock, board(tmp_path / "hot", zones=(("cpu-thermal", "86000"),))))
    weak = replace(sources, machine=Machine(clock, board(tmp_path / "weak", throttled="3")))
    capped = replace(sources, machine=Machine(clock, board(tmp_path / "capped", throttled="2")))
    slowed = replace(sources, pace=lambda: Throttle(0.5, hot=True, busy=True))
    full = replace(sources, outbox=lambda: OUTBOX.model_copy(update={"full": True}))
    failing = replace(sources, outbox=lambda: OUTBOX.model_copy(update={"in_memory": "disk I/O error"}))
    silent = replace(sources, outbox=lambda: OUTBOX.model_copy(update={"oldest_s": 3600.0}))

    assert "overheated" in report(hot, clock).degraded
    assert "under_voltage" in report(weak, clock).degraded
    assert "overheated" not in report(weak, clock).degraded
    assert "overheated" in report(capped, clock).degraded
    assert {"overheated", "busy"} <= set(report(slowed, clock).degraded)
    assert "unconfirmed" in report(silent, clock).degraded
    assert "storage_full" in report(full, clock).degraded
    assert "storage_ram_only" in report(failing, clock).degraded


def test_an_outbox_that_cannot_be_read_is_told_and_hides_nothing_else(
    sources: Sources, clock: SteppedClock
) -> None:
    def broken() -> OutboxHealth:
        raise OutboxError("outbox: disk I/O error")

    told = report(replace(sources, outbox=broken), clock)

    assert told.outbox is None
    assert "storage_full" in told.degraded
    assert told.mqtt is not None


def test_every_word_of_degraded_is_short_and_plain() -> None:
    told = HealthPayload(time="2026-03-02T11:04:07Z", throttled=ThrottledHealth(under_voltage=True))
    words = list(health._degraded(told, {}, FULL))

    assert words == ["storage_full", "under_voltage"]
