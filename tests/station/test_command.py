"""station.command, with a real box at the other end"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from station.cli import commands
from station.command import new_command, wait_until
from station.watch.embedded import Address
from tests.agent.wire.test_signature import pem
from tests.support.boxes import Box, Station, at_work
from tests.support.brokers import Mosquitto, until

app = typer.Typer()
app.add_typer(commands)


@pytest.fixture
def config(tmp_path: Path, embedded: Address) -> Path:
    path = tmp_path / "station.yaml"
    path.write_text(
        f"commune: test-commune\nstate_dir: {tmp_path / 'station'}\n"
        f"broker: {{host: {embedded.host}, port: {embedded.port}}}\n"
    )
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The station's private key; its other half is beside it."""
    private, public = pem(Ed25519PrivateKey.generate())
    (tmp_path / "command.key").write_bytes(private)
    (tmp_path / "command.pub").write_bytes(public)
    return tmp_path / "command.key"


@pytest.fixture
def box(tmp_path: Path, embedded: Address, keys: Path) -> Iterator[Box]:
    box, station = Box(tmp_path, embedded.port), Station(tmp_path, embedded.port)
    with box.config.open("a") as file:
        file.write(f"commands: {{key: {keys.with_suffix('.pub')}}}\n")
    with at_work(station, box):  # without a station that gives receipts, pictures are held back
        yield box


def order(config: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["station", "command", "-c", str(config), *words], env={"COLUMNS": "160"})
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.long
def test_a_technician_orders_and_reads_what_became_of_it(
    config: Path, box: Box, tmp_path: Path, keys: Path
) -> None:
    signed = ("--key", str(keys))
    picture = tmp_path / "north.jpg"
    until(lambda: box.accepted() > 0, 40, "the box watches")

    assert order(config, "test-box-01", "ping", *signed)[0] == 0
    code, said = order(config, "test-box-01", "ping")
    assert code == 1
    assert "refused: unsigned" in said
    code, said = order(
        config, "test-box-01", "snapshot", "camera=road", "--save", str(picture), "--issuer", "Tran", *signed
    )
    assert code == 0, said
    assert picture.read_bytes().startswith(b"\xff\xd8")
    (kept,) = re.findall(r"^its picture: ([0-9a-f]{64}), kept", said, re.MULTILINE)
    assert sha256(picture.read_bytes()).hexdigest() == kept
    assert order(config, "test-box-01", "set", "camera=road", "action=pause", "until=+30m", *signed)[0] == 0
    code, said = order(config, "test-box-01", "set", "camera=nord", "action=resume", *signed)
    assert code == 1
    assert "failed: there is no camera 'nord'; there are road" in said
    code, said = order(config, "test-box-01", "dance")
    assert code == 2
    assert "there is no order 'dance'" in said
    code, said = order(config, "test-box-77", "ping", "--wait", "0.2")
    assert code == 3
    assert "no answer yet" in said
    assert '"issuer":"Tran"' in (box.folder / "state/audit.log").read_text()


def test_each_command_is_new_and_lives_as_long_as_it_is_told() -> None:
    made: list[Any] = [new_command({}, issuer="x", life_s=600) for _ in range(100)]

    assert len({each.id for each in made}) == 100
    assert all(
        (each.expires_at - each.issued_at).total_seconds() == pytest.approx(600, abs=0.01) for each in made
    )


@pytest.mark.broker
def test_a_box_that_the_broker_has_never_seen_is_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(f"commune: test-commune\nbroker: {{port: {mosquitto.port}}}\n")
    code, said = order(path, "test-box-77", "ping")

    assert code == 1
    assert "the broker knows no such box" in said


def test_nothing_is_sent_of_an_order_that_no_box_could_do(tmp_path: Path) -> None:
    """There is no broker, and nobody asks for one."""
    path = tmp_path / "station.yaml"
    path.write_text("commune: test-commune\nbroker: {port: 1}\n")
    for words, what in (
        (["snapshto", "camera=road"], "there is no order 'snapshto'; did you mean snapshot?"),
        (["snapshot", "camera=North"], 'camera: "North" is not 2 to 32 of'),
        (["snapshot"], "snapshot needs camera; write snapshot camera=NAME"),
        (["set", "camera=road", "action=pause", "until=tomorrow"], 'until: "tomorrow" is no time'),
        (["ping", "--save", "x.jpg"], "--save: ping has no picture"),
        (["snapshot", "camera=road", "--save", str(tmp_path / "no/x.jpg")], "there is no folder"),
    ):
        code, said = order(path, "test-box-01", *words)
        assert (code, what in said) == (2, True), said
    code, said = order(path, "Test Box 1", "ping")
    assert (code, "'Test Box 1' cannot stand in a topic" in said) == (2, True), said


def test_what_is_kept_in_time_is_waited_for(tmp_path: Path) -> None:
    assert not wait_until((tmp_path / "a").exists, within_s=0.1)
    (tmp_path / "a").touch()
    assert wait_until((tmp_path / "a").exists, within_s=0.0)
