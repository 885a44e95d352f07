"""agent.status.health"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from agent.clock import Clock, Trust
from agent.core.throttle import Throttle
from agent.errors import ModelError, OutboxError
from agent.evidence.settings import RecordSettings
from agent.host.camera_stats import CameraState, State
from agent.host.machine import Machine
from agent.mqtt.settings import BrokerSettings
from agent.status.health import Sources, of_certificate, report
from agent.status.session import Session
from agent.transport.settings import TlsSettings
from agent.wire import codec
from agent.wire.payloads import MOST_DEGRADED, HealthPayload, MqttHealth, OutboxHealth, ShadowHealth
from agent.workers.footage.keeper import FootageFigures
from agent.workers.footage.recorder import Recorder
from agent.workers.footage.sources import SharedFootage
from fleet.report.words import ENGLISH, VIETNAMESE
from tests.acceptance.faults.p_tls import Authority
from tests.agent.host.test_machine import board
from tests.agent.workers.watching.test_camera import Post
from tests.conftest import SteppedClock
from tests.support.footage import RingBench

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
        session=Session("s-1", clock.now(), "box_restarted", "c" * 64, {"ngatu": "0.1.0"}),
        state_dir=post.folder,
        cameras={"road": post.it},
        machine=Machine(
            clock, board(post.folder / "sys", throttled="50000", zones=(("cpu-thermal", "51234"),))
        ),
        outbox=lambda: OUTBOX,
        mqtt=lambda: MqttHealth(connected_s=8.0, reconnects=1, refused=0),
        certificate_ends=lambda: datetime(2027, 3, 2, 11, tzinfo=UTC),
    )


def test_on_a_pi_every_field_of_the_contract_is_filled(
    post: Post, sources: Sources, clock: SteppedClock
) -> None:
    post.see(4)
    post.see(3, speed_px_s=130)
    it = report(sources, clock)

    plain = json.loads(codec.encode(it))
    empty = [name for name, value in plain.items() if value in (None, {})]
    assert empty == ["footage", "shadow"]  # it records nothing, and no model is on trial
    assert [name for name, value in plain["cameras"]["road"].items() if value is None] == [
        "frame_age_s",
        "recording",
    ]
    assert plain["uptime_s"] == 7
    assert plain["boot_reason"] == "box_restarted"
    assert plain["throttled"]["under_voltage_since_boot"]
    schema = json.loads((Path(codec.__file__).parent / "schema" / "health.json").read_text())
    jsonschema.validate(plain, schema)


def test_a_healthy_box_is_not_degraded_but_for_its_clock(sources: Sources, clock: SteppedClock) -> None:
    assert set(report(sources, clock).degraded) <= {"clock_untrusted"}


def lost(post: Post) -> None:
    post.it.state = CameraState("lost", post.clock.now(), "no picture for 10 s")


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


def test_a_clock_that_went_far_forward_is_told_until_it_is_believed(
    sources: Sources, clock: SteppedClock
) -> None:
    figures = FootageFigures(clock_ahead_s=40 * 86_400.0)
    assert "clock_jumped" in report(replace(sources, footage=lambda: figures), clock).degraded
    assert "clock_jumped" not in report(replace(sources, footage=FootageFigures), clock).degraded


def test_of_very_many_rules_that_are_paused_the_box_says_as_many_as_the_wire_takes(
    post: Post, sources: Sources, clock: SteppedClock
) -> None:
    lost(post)
    paused = [f"road/rule-{at}" for at in range(2 * MOST_DEGRADED)]

    it = report(replace(sources, paused=lambda: paused), clock)

    assert len(it.degraded) == MOST_DEGRADED and it.degraded[0] == "camera_lost:road"
    assert codec.parse(HealthPayload, codec.encode(it)).degraded == it.degraded


def with_a_board(tmp: Path, clock: Clock, throttled: str | None = None, temp: str = "51234") -> Machine:
    return Machine(clock, board(tmp, throttled=throttled, zones=(("cpu-thermal", temp),)))


def test_what_the_box_suffers_from_is_told(sources: Sources, clock: SteppedClock, tmp_path: Path) -> None:
    def words(**changed: Any) -> set[str]:
        return set(report(replace(sources, trust=lambda: Trust("ntp"), **changed), clock).degraded)

    def outbox(**changed: Any) -> set[str]:
        return words(outbox=lambda: OUTBOX.model_copy(update=changed))

    assert words() == set()
    assert words(machine=with_a_board(tmp_path / "hot", clock, temp="86000")) == {"overheated"}
    assert words(machine=with_a_board(tmp_path / "weak", clock, throttled="3")) == {"under_voltage"}
    assert words(machine=with_a_board(tmp_path / "capped", clock, throttled="2")) == {"overheated"}
    assert words(throttle=lambda: Throttle(0.5, hot=True, busy=True)) == {"overheated", "busy"}
    assert outbox(full=True) == {"storage_full"}
    assert outbox(in_memory="disk I/O error") == {"storage_ram_only"}
    assert outbox(oldest_s=3600.0) == {"unconfirmed"}
    assert outbox(pictures="key_missing") == {"outbox_key_missing"}
    assert outbox(pictures="plain") == outbox(pictures="encrypted") == set()
    assert words(paused=lambda: ["road/the-line"]) == {"paused:road/the-line"}
    assert words(session=replace(sources.session, config_refused=True)) == {"config_refused"}


def test_an_outbox_that_cannot_be_read_is_told_and_hides_nothing_else(
    sources: Sources, clock: SteppedClock
) -> None:
    def broken() -> OutboxHealth:
        raise OutboxError("outbox: disk I/O error")

    it = report(replace(sources, outbox=broken), clock)

    assert it.outbox is None
    assert "storage_full" in it.degraded
    assert it.mqtt is not None


def test_the_end_of_the_certificate_is_told_where_there_is_one_that_can_be_read(tmp_path: Path) -> None:
    cert, key = Authority(tmp_path).issue("north-01")
    broker = BrokerSettings(tls=TlsSettings(cert=cert, key=key))
    ends = of_certificate(broker)

    assert ends is not None
    assert ends == TlsSettings(cert=cert).certificate_ends()
    assert of_certificate(BrokerSettings()) is None
    assert of_certificate(BrokerSettings(tls=TlsSettings())) is None


def everything_is_wrong(post: Post, sources: Sources, tmp_path: Path) -> Iterator[HealthPayload]:
    """A box with all troubles, its camera in one state after the other."""
    without_a_detector(post)
    trouble = {"full": True, "in_memory": "disk I/O error", "oldest_s": 3600.0, "pictures": "key_missing"}
    bad = OUTBOX.model_copy(update=trouble)
    record, ring = RecordSettings(mode="continuous"), RingBench(tmp_path / "ring").ring
    recorder = Recorder("road", record, SharedFootage("road", post.clock), ring, post.clock)
    recorder.figures.why = "the disk failed"
    wrong = replace(
        sources,
        session=replace(sources.session, config_refused=True),
        machine=with_a_board(tmp_path / "bad", post.clock, throttled="3", temp="86000"),
        outbox=lambda: bad,
        throttle=lambda: Throttle(0.5, hot=True, busy=True),
        trust=lambda: Trust("unknown"),
        paused=lambda: ["road"],
        recorders={"road": recorder},
        footage=lambda: FootageFigures(clock_ahead_s=40 * 86_400.0),
        shadow=lambda: ShadowHealth(model="roads-416", state="failed"),
    )
    for state in get_args(State):
        post.it.state = CameraState(state, post.clock.now())
        yield report(wrong, post.clock)


def test_every_word_of_degraded_is_plain_and_explained_to_the_administrator(
    post: Post, sources: Sources, tmp_path: Path
) -> None:
    reports = list(everything_is_wrong(post, sources, tmp_path))
    words = {each.partition(":")[0] for one in reports for each in one.degraded}

    of_cameras = {"camera_lost", "camera_stalled", "camera_blind"}  # the report names these by themselves
    for language in (ENGLISH, VIETNAMESE):
        explained = {key.removeprefix("degraded_") for key in language if key.startswith("degraded_")}
        assert words - of_cameras == explained - {"other"}
    assert of_cameras <= words
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+){0,2}", word) for word in words)
    named = {each for one in reports for each in one.degraded if ":" in each}
    assert {each.partition(":")[2] for each in named} == {"road", "roads-416"}
