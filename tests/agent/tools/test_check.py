"""agent.tools.check"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import yaml

from agent.clock import Clock, SystemClock
from agent.config.schema import Config, parse
from agent.core.rules.kinds.object import ObjectRule
from agent.core.types import Instant
from agent.detectors import model_sha256
from agent.detectors.card import hashed
from agent.errors import CameraLost
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.tools import check
from agent.tools.check import CheckResult, CheckVerdict
from agent.workers.shadow import record
from station.watch.embedded import Address
from tests.agent.detectors.conftest import Writer, cells
from tests.conftest import SteppedClock
from tests.support.brokers import free_port
from tests.support.disks import small_disk
from tests.support.outboxes import message
from tests.support.shadowed import write_shadow

__all__ = ["cells"]  # fixtures

CANARY = "pa55-w0rd-canary"


@pytest.fixture
def working(
    tmp_path: Path, numbered_clip: Callable[..., Path], cells: Writer, embedded: Address
) -> dict[str, object]:
    """A configuration of which everything is there: a clip, a small network, a broker."""
    return {
        "device": {"commune": "hai-ninh", "id": "check-03", "purpose": "order", "legal_basis": "decision 12"},
        "broker": {"host": embedded.host, "port": embedded.port, "connect_timeout_s": 5},
        "state_dir": str(tmp_path / "state"),
        "detector": {"model": str(cells())},
        "cameras": [{"name": "north", "source": {"kind": "file", "path": str(numbered_clip())}}],
    }


def findings(config: object) -> dict[str, CheckResult]:
    found = [*check.offline(loaded(config)), *check.online(loaded(config), SystemClock())]
    return {finding.part: finding for finding in found}


def loaded(config: object) -> Config:
    return parse(yaml.safe_dump(config).encode(), "config.yaml")


def changed(config: dict[str, object], **parts: object) -> dict[str, object]:
    return {**config, **parts}


def test_an_error_that_nobody_foresaw_is_one_line_and_no_traceback() -> None:
    def broken() -> CheckResult:
        raise RuntimeError(f"first line rtsp://u:{CANARY}@h/x\nsecond")

    found = check.guarded("part", broken)
    assert found.verdict is CheckVerdict.BROKEN
    assert found.found == "RuntimeError: first line rtsp://…@h/x second"
    assert found.hint


def test_an_error_of_ours_keeps_its_hint() -> None:
    def lost() -> CheckResult:
        raise CameraLost("north: no picture", "is it on?")

    assert check.guarded("camera north", lost) == CheckResult(
        "camera north", "north: no picture", CheckVerdict.FAILED, "is it on?"
    )


def test_a_secret_that_is_missing_or_open_to_all_is_told(
    tmp_path: Path, working: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NGATU_TEST_MISSING", raising=False)
    path = tmp_path / "password"
    path.write_text(CANARY)
    path.chmod(0o644)
    source = {
        "kind": "rtsp",
        "url": "rtsp://127.0.0.1/x",
        "username": "u",
        "password": {"env": "NGATU_TEST_MISSING"},
    }
    config = changed(
        working,
        broker={
            "host": "127.0.0.1",
            "username": "u",
            "password": {"file": str(path)},
            "tls": {"ca": "/nowhere/ca.pem"},
        },
        cameras=[{"name": "north", "source": source}],
    )
    found = {finding.part: finding for finding in check.offline(loaded(config))}

    assert "can be read or changed by others" in found["broker.password"].found
    assert found["broker.password"].hint == f"chmod 600 {path}"
    assert "NGATU_TEST_MISSING is not set" in found["cameras[0].source.password"].found
    assert "/nowhere/ca.pem cannot be read" in found["broker.tls.ca"].found
    assert {finding.verdict for finding in found.values()} == {CheckVerdict.WARNING}
    assert CANARY not in repr(found)
    path.chmod(0o640)
    assert "broker.password" not in {finding.part for finding in check.offline(loaded(config))}


def test_a_label_that_the_model_does_not_know_is_told(working: dict[str, object]) -> None:
    rule = {"kind": "object", "id": "bikes", "labels": ["car", "tricycle"]}
    camera = {**working["cameras"][0], "rules": [rule]}  # type: ignore[index]
    found = check.check_detector(loaded(changed(working, cameras=[camera])), SystemClock())
    assert found.verdict is CheckVerdict.WARNING
    assert "rule bikes wants tricycle" in found.found
    assert "car," not in found.found
    assert found.hint == "the rule will never see these labels; the model knows car, bus, truck"


def test_labels_that_the_example_shows_as_the_default_are_no_warning(working: dict[str, object]) -> None:
    rule = {"kind": "object", "id": "road-users", "labels": list(ObjectRule(kind="object", id="a-rule").labels)}
    camera = {**working["cameras"][0], "rules": [rule]}  # type: ignore[index]
    found = check.check_detector(loaded(changed(working, cameras=[camera])), SystemClock())
    assert found.verdict is CheckVerdict.OK, found


def test_a_model_on_trial_is_loaded_and_how_far_it_is_told(working: dict[str, object], tmp_path: Path) -> None:
    new = write_shadow(tmp_path / "shadow")
    detector = {**working["detector"], "shadow": {"model": str(new)}}  # type: ignore[dict-item]
    found = check.check_shadow(loaded(changed(working, detector=detector)))

    assert found.verdict is CheckVerdict.OK
    assert "new-squares" in found.found and "running: 0 crops in 0 min" in found.found


def test_one_that_failed_on_this_box_is_a_warning_with_its_reason(
    working: dict[str, object], tmp_path: Path
) -> None:
    new = write_shadow(tmp_path / "shadow")
    config = loaded(
        changed(working, detector={**working["detector"], "shadow": {"model": str(new)}})  # type: ignore[dict-item]
    )
    config.state_dir.mkdir()
    one = record.ShadowRecord(model_sha256(config.detector), hashed(new))
    record.save(config.state_dir, one.ended(record.ShadowState.FAILED, "it is slow"))
    found = check.check_shadow(config)

    assert found.verdict is CheckVerdict.WARNING
    assert "failed: it is slow" in found.found


class Stopped(Clock):
    def __init__(self, wall_s: float) -> None:
        self.wall_s = wall_s

    def now(self) -> Instant:
        return Instant(1.0, self.wall_s)


def test_a_box_without_a_detector_needs_no_model(working: dict[str, object]) -> None:
    cameras = [{**each, "attention": {"enabled": False}} for each in working["cameras"]]  # type: ignore[attr-defined]
    away = changed(working, detector={"model": "/nowhere.onnx"}, cameras=cameras)

    finding = findings(away)["detector"]
    assert (finding.verdict, finding.found) == (
        check.CheckVerdict.OK,
        "off for every camera: only motion is told",
    )


def test_a_clock_from_before_the_agent_is_wrong() -> None:
    assert check.check_clock(Stopped(0.0)).verdict is CheckVerdict.FAILED
    assert check.check_clock(Stopped(1.8e9)).verdict in (CheckVerdict.OK, CheckVerdict.WARNING)


ROOMY = OutboxSettings(max_bytes=1 << 20, ballast_bytes=1 << 20)


def test_an_outbox_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert check.check_outbox(tmp_path / "new" / "deep" / "outbox.db", ROOMY).verdict is CheckVerdict.OK
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "outbox.db", Path("/proc/1/nix/outbox.db")):
        found = check.guarded("outbox", partial(check.check_outbox, path, ROOMY))
        assert found.verdict is CheckVerdict.FAILED
        assert found.hint


def test_a_disk_that_would_be_told_full_from_the_start_is_not_ok(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        found = check.check_outbox(disk / "outbox.db", OutboxSettings())

    assert found.verdict is CheckVerdict.FAILED
    assert found.found.endswith("/outbox.db, 2.0 MB free")
    assert "at least 7.3 MB are needed" in found.hint


@pytest.mark.parametrize(
    ("kib", "verdict", "full"), [(7400, CheckVerdict.WARNING, False), (6000, CheckVerdict.FAILED, True)]
)
def test_the_least_that_is_asked_for_is_what_the_outbox_works_with(
    kib: int, verdict: CheckVerdict, full: bool, tmp_path: Path, clock: SteppedClock
) -> None:
    settings = OutboxSettings()
    with small_disk(tmp_path / "disk", f"{kib}k") as disk:
        path = disk / "outbox.db"
        assert check.check_outbox(path, settings).verdict is verdict
        with closing(Outbox(path, settings, clock)) as outbox:
            outbox.put([message()])
            clock.advance(60)
            outbox.tend()
            assert outbox.condition().full is full
            if not full:  # what it has taken itself does not count against it
                assert check.check_outbox(path, settings).verdict is verdict


def test_a_disk_smaller_than_what_may_wait_is_a_warning(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "20m") as disk:
        found = check.check_outbox(disk / "outbox.db", OutboxSettings())

    assert found.verdict is CheckVerdict.WARNING
    assert found.hint.startswith("outbox.max_bytes lets it grow to 272.6 MB")


@pytest.mark.parametrize("protocol", ["auto", "5"])
def test_the_broker_is_asked_and_left_without_a_trace(working: dict[str, object], protocol: str) -> None:
    broker = {**working["broker"], "protocol": protocol}  # type: ignore[dict-item]
    found = check.check_broker(loaded(changed(working, broker=broker)))
    assert found.verdict is CheckVerdict.OK
    assert "no TLS" in found.found


def test_a_broker_that_speaks_only_3_1_1_is_found_by_itself(
    working: dict[str, object], embedded: Address
) -> None:
    broker = {"host": embedded.host, "port": embedded.port_311, "connect_timeout_s": 5, "protocol": "3.1.1"}
    assert "MQTT 3.1.1" in check.check_broker(loaded(changed(working, broker=broker))).found


def test_a_node_of_the_cluster_that_does_not_answer_is_a_warning_and_none_is_a_failure(
    working: dict[str, object],
) -> None:
    gone = f"127.0.0.1:{free_port()}"
    broker = {**working["broker"], "hosts": [gone]}  # type: ignore[dict-item]
    found = check.check_broker(loaded(changed(working, broker=broker)))
    assert found.verdict is CheckVerdict.WARNING
    assert "MQTT 5" in found.found and gone in found.found

    broker |= {"port": free_port()}
    found = check.guarded("broker", lambda: check.check_broker(loaded(changed(working, broker=broker))))
    assert found.verdict is CheckVerdict.FAILED


def test_a_camera_whose_name_dns_does_not_know_is_told_so(working: dict[str, object]) -> None:
    source = {"kind": "rtsp", "url": "rtsp://nobody.invalid/live"}
    (camera,) = loaded(changed(working, cameras=[{"name": "north", "source": source}])).cameras
    found = check.guarded("camera north", partial(check.check_camera, camera, SystemClock()))

    assert found.verdict is CheckVerdict.FAILED
    assert found.found == "north: rtsp://nobody.invalid/live has a name that DNS does not know"


def test_nobody_waits_for_a_silent_broker_longer_than_for_a_camera(
    working: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "ANSWER_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        broker = {"host": "127.0.0.1", "port": listener.getsockname()[1], "connect_timeout_s": 60}
        began_s = time.monotonic()
        found = check.guarded("broker", lambda: check.check_broker(loaded(changed(working, broker=broker))))

    assert time.monotonic() - began_s < 10
    assert "took the connection but never answered" in found.found
