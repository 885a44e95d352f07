"""agent.tools.check and agent.cli.config"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from agent.cli.config import check_command, dumped
from agent.cli.exit import one_line_errors
from agent.clock import Clock, SystemClock
from agent.config.reference import example_text
from agent.config.schema import Config, parse
from agent.core.types import Instant
from agent.errors import CameraLost
from agent.settings.reference import schema
from agent.tools import check
from agent.tools.check import CheckResult, CheckVerdict
from station.watch.embedded import Address
from tests.agent.detectors.conftest import Writer, cells

__all__ = ["cells"]  # fixtures

CANARY = "pa55-w0rd-canary"
BROKEN = Path(__file__).resolve().parents[2] / "support" / "broken_configs"


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


def ngatu(
    tmp_path: Path, config: dict[str, object] | bytes | None, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    path = tmp_path / "config.yaml"
    if isinstance(config, bytes):
        path.write_bytes(config)
    elif config is not None:
        path.write_text(dumped(config), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments, *(["-c", str(path)] if config is not None else [])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "COLUMNS": "200"},
    )


def findings(config: object) -> dict[str, CheckResult]:
    told = [*check.offline(loaded(config)), *check.online(loaded(config), SystemClock())]
    return {finding.part: finding for finding in told}


def loaded(config: object) -> Config:
    return parse(yaml.safe_dump(config).encode(), "config.yaml")


def changed(config: dict[str, object], **parts: object) -> dict[str, object]:
    return {**config, **parts}


def test_a_box_that_finds_everything_is_told_so(tmp_path: Path, working: dict[str, object]) -> None:
    done = ngatu(tmp_path, working, "check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for part in ("camera north", "detector", "outbox", "broker", "clock"):
        assert part in done.stdout
    assert "320×240 h264" in done.stdout
    assert "MQTT 5" in done.stdout
    assert not (tmp_path / "state").exists()


def test_offline_stops_after_the_file(tmp_path: Path, working: dict[str, object]) -> None:
    away = changed(working, broker={"host": "127.0.0.1", "port": 1}, detector={"model": "/nowhere.onnx"})
    done = ngatu(tmp_path, away, "check", "--offline")
    assert (done.returncode, done.stderr) == (0, "")
    assert "broker" not in done.stdout


def test_what_cannot_be_reached_is_told_beside_what_can(tmp_path: Path, working: dict[str, object]) -> None:
    cameras = [
        *working["cameras"],  # type: ignore[misc]
        {"name": "gone", "source": {"kind": "file", "path": "/nowhere/clip.mp4"}},
        {"name": "mute", "open_timeout_s": 2, "source": {"kind": "rtsp", "url": "rtsp://127.0.0.1:1/x"}},
    ]
    away = changed(working, cameras=cameras, broker={"host": "127.0.0.1", "port": 1, "connect_timeout_s": 3})
    done = ngatu(tmp_path, away, "check")

    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    verdicts = dict(re.findall(r"│ ([\w. ]+?) +│ .*? │ (\w+) +│", done.stdout))
    assert verdicts["camera north"] == verdicts["detector"] == "ok"
    assert verdicts["camera gone"] == verdicts["camera mute"] == verdicts["broker"] == "failed"


def test_a_wrong_file_ends_with_2_and_lines_on_stderr(tmp_path: Path) -> None:
    done = ngatu(tmp_path, (BROKEN / "unknown_zone.yaml").read_bytes(), "check")

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted(BROKEN.iterdir()), ids=lambda path: path.stem)
def test_no_wrong_file_gives_anything_but_lines(path: Path) -> None:
    command = typer.Typer()
    command.command()(check_command)
    done = CliRunner().invoke(command, ["-c", str(path)])

    assert (done.exit_code, done.stdout) == (2, "")
    assert "canary" not in done.stderr
    for line in done.stderr.splitlines():
        assert re.match(rf"{re.escape(str(path))}:\d+: \S", line)


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    done = ngatu(tmp_path, None, "check", "-c", str(tmp_path / "nowhere.yaml"))
    assert done.returncode == 2
    assert "cannot be read: No such file" in done.stderr
    assert "hint: " in done.stderr


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
    told = {finding.part: finding for finding in check.offline(loaded(config))}

    assert "can be read or changed by others" in told["broker.password"].found
    assert "NGATU_TEST_MISSING is not set" in told["cameras[0].source.password"].found
    assert "/nowhere/ca.pem cannot be read" in told["broker.tls.ca"].found
    assert {finding.verdict for finding in told.values()} == {CheckVerdict.WARNING}
    assert CANARY not in repr(told)
    path.chmod(0o640)
    assert "broker.password" not in {finding.part for finding in check.offline(loaded(config))}


def test_a_label_that_the_model_does_not_know_is_told(working: dict[str, object]) -> None:
    rule = {"kind": "object", "id": "bikes", "labels": ["car", "tricycle"]}
    camera = {**working["cameras"][0], "rules": [rule]}  # type: ignore[index]
    found = check.check_detector(loaded(changed(working, cameras=[camera])), SystemClock())
    assert found.verdict is CheckVerdict.WARNING
    assert "rule bikes wants tricycle" in found.found
    assert "car," not in found.found


class Stopped(Clock):
    def __init__(self, wall_s: float) -> None:
        self.wall_s = wall_s

    def now(self) -> Instant:
        return Instant(1.0, self.wall_s)


def test_a_box_without_a_detector_needs_no_model(working: dict[str, object]) -> None:
    cameras = [{**each, "attention": {"enabled": False}} for each in working["cameras"]]  # type: ignore[attr-defined]
    away = changed(working, detector={"model": "/nowhere.onnx"}, cameras=cameras)

    told = findings(away)["detector"]
    assert (told.verdict, told.found) == (check.CheckVerdict.OK, "off for every camera: only motion is told")


def test_a_clock_from_before_the_agent_is_wrong() -> None:
    assert check.check_clock(Stopped(0.0)).verdict is CheckVerdict.FAILED
    assert check.check_clock(Stopped(1.8e9)).verdict in (CheckVerdict.OK, CheckVerdict.WARNING)


def test_an_outbox_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert check.check_outbox(tmp_path / "new" / "deep" / "outbox.db").verdict is CheckVerdict.OK
    (tmp_path / "file").write_text("")
    assert check.check_outbox(tmp_path / "file" / "outbox.db").verdict is CheckVerdict.FAILED
    assert check.check_outbox(Path("/proc/1/outbox.db")).verdict is CheckVerdict.FAILED


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


def test_the_schema_and_the_example_are_printed(tmp_path: Path) -> None:
    assert json.loads(ngatu(tmp_path, None, "config", "schema").stdout) == schema(Config)
    assert ngatu(tmp_path, None, "config", "example").stdout == example_text()


def test_what_holds_is_shown_and_accepted_again(tmp_path: Path, working: dict[str, object]) -> None:
    device = {"commune": "hai-ninh", "id": "check-03", "place": "08", "purpose": "no", "legal_basis": "12:30"}
    shown = ngatu(tmp_path, changed(working, device=device), "config", "show")
    again = ngatu(tmp_path, shown.stdout.encode(), "config", "show")

    assert shown.returncode == 0, shown.stderr
    assert again.stdout == shown.stdout
    assert parse(shown.stdout.encode(), "shown").device.place == "08"


def test_a_command_that_breaks_says_so_in_two_lines_and_ends_with_70() -> None:
    @one_line_errors
    def command() -> None:
        raise RuntimeError(f"no\nidea rtsp://u:{CANARY}@h")

    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app)

    assert done.exit_code == 70
    assert done.stderr.splitlines() == [
        "ngatu is broken: RuntimeError: no idea rtsp://…@h",
        "  hint: report this line with `ngatu version`",
    ]
