"""agent.cli.config"""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agent.cli.config import check_command
from agent.config.reference import example_text
from agent.config.schema import Config, parse
from agent.settings.dump import dumped
from agent.settings.reference import schema
from tests.agent.detectors.conftest import cells
from tests.agent.tools.test_check import working
from tests.support.plain_user import PLAIN

__all__ = ["cells", "working"]  # fixtures


CANARY = "pa55-w0rd-canary"


BROKEN = Path(__file__).resolve().parents[2] / "support" / "broken_configs"


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


def changed(config: dict[str, object], **parts: object) -> dict[str, object]:
    return {**config, **parts}


@pytest.mark.long
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


def test_a_text_that_a_sign_cuts_is_told_with_its_line_and_a_login_without_password_too(tmp_path: Path) -> None:
    text = f"""\
device:
  commune: hai-ninh
  id: hai-ninh-03
  place: Ngã tư #3
broker: {{host: 127.0.0.1}}
cameras:
  - name: north
    source:
      kind: rtsp
      url: rtsp://192.0.2.10:554/stream2
      username: admin
      password: #{CANARY}
"""
    done = ngatu(tmp_path, text.encode(), "check", "--offline")

    said = " ".join(re.sub("[│┃]", " ", done.stdout).split())
    cut = "what stands behind the # is a comment"
    assert done.returncode == 0, done.stderr
    assert f"config.yaml:4: device.place: {cut}" in said
    assert f"config.yaml:12: cameras[0].source.password: {cut}" in said
    assert "cameras[0].source.username is set, and cameras[0].source.password is not" in said
    assert CANARY not in done.stdout + done.stderr


@pytest.mark.long
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


def test_zones_under_a_misspelt_name_are_one_message(tmp_path: Path) -> None:
    text = (BROKEN / "unknown_zone.yaml").read_bytes().replace(b"- {id: parked, kind: object}", b"")
    done = ngatu(tmp_path, text.replace(b"zones:", b"zone:"), "check")

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith("cameras[0].zone: no such setting; did you mean zones?")


def test_what_a_list_or_a_secret_is_called_is_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "vi")
    text = (BROKEN / "unknown_zone.yaml").read_bytes()
    text = text.replace(b"zone: juntcion", b"zone: junction, schedule: '22:00-05:00'")
    text = text.replace(b"broker:", b"broker:\n  password: 7")
    done = ngatu(tmp_path, text.replace(b"- {id: parked, kind: object}", b""), "check")

    assert (done.returncode, done.stdout) == (2, "")
    secret, hours = done.stderr.splitlines()
    assert "cần giá trị bí mật" in secret and "cần danh sách nhóm thiết lập" in hours
    assert "group" not in done.stderr and "a secret" not in done.stderr


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


@pytest.mark.long
def test_the_schema_and_the_example_are_printed(tmp_path: Path) -> None:
    assert json.loads(ngatu(tmp_path, None, "config", "schema").stdout) == schema(Config)
    assert ngatu(tmp_path, None, "config", "example").stdout == example_text()


@pytest.mark.long
def test_what_holds_is_shown_and_accepted_again(tmp_path: Path, working: dict[str, object]) -> None:
    device = {"commune": "hai-ninh", "id": "check-03", "place": "08", "purpose": "no", "legal_basis": "12:30"}
    shown = ngatu(tmp_path, changed(working, device=device), "config", "show")
    again = ngatu(tmp_path, shown.stdout.encode(), "config", "show")

    assert shown.returncode == 0, shown.stderr
    assert again.stdout == shown.stdout
    assert parse(shown.stdout.encode(), "shown").device.place == "08"


@pytest.mark.long
def test_a_state_dir_that_is_closed_is_told_in_the_same_words_by_check_and_run(
    tmp_path: Path, working: dict[str, object]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    config = tmp_path / "config.yaml"
    config.write_text(dumped({**working, "state_dir": str(closed / "state")}), encoding="utf-8")
    try:
        checked, ran = (
            subprocess.run(
                [*PLAIN, sys.executable, "-m", "agent", command, "-c", str(config)],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                env={**os.environ, "COLUMNS": "400"},
            )
            for command in ("check", "run")
        )
    finally:
        closed.chmod(0o700)

    what, hint = ran.stderr.splitlines()
    assert what.startswith(f"state_dir {closed / 'state'} may not be entered by user ")
    assert what in checked.stdout
    assert hint.removeprefix("  hint: ") in checked.stdout
    assert (checked.returncode, ran.returncode) == (1, 1)
    assert "fault of ngatu" not in checked.stdout + ran.stderr


@pytest.mark.long
def test_who_waits_at_a_terminal_sees_that_it_works(tmp_path: Path, working: dict[str, object]) -> None:
    """A broker that takes the connection and says nothing is waited for."""
    config = tmp_path / "config.yaml"
    main, side = pty.openpty()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        broker = {"host": "127.0.0.1", "port": listener.getsockname()[1], "connect_timeout_s": 1}
        config.write_text(dumped({**working, "broker": broker}), encoding="utf-8")
        with subprocess.Popen(
            [sys.executable, "-m", "agent", "check", "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=side,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
        ) as running:
            os.close(side)
            shown = os.read(main, 4096)
            while b"trying the cameras" not in shown:
                shown += os.read(main, 4096)  # an error once the terminal's other end is closed
            assert running.wait(60) == 1
    os.close(main)
