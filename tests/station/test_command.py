"""station.command, with a real box at the other end"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from agent.errors import NgatuError
from agent.wire import codec
from agent.wire.payloads import AckPayload
from station.cli import commands
from station.command import CommandReply, arguments, new_command, shown
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
        f"commune: test-commune\nstate_dir: {tmp_path / 'store'}\n"
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
    assert order(config, "test-box-01", "set", "camera=road", "action=pause", "until=+30m", *signed)[0] == 0
    code, said = order(config, "test-box-01", "set", "camera=nord", "action=resume", *signed)
    assert code == 1
    assert "failed: there is no camera 'nord'; there are road" in said
    code, said = order(config, "test-box-01", "dance")
    assert code == 1
    assert "refused: there is no command 'dance'" in said
    code, said = order(config, "test-box-77", "ping", "--wait", "0.2")
    assert code == 3
    assert "no answer yet" in said
    assert '"issuer":"Tran"' in (box.folder / "state/audit.log").read_text()


def test_words_become_arguments() -> None:
    args = arguments(["camera=north", "until=+2h", "rule=a=b"])
    until_s = datetime.fromisoformat(args.pop("until")).timestamp()

    assert args == {"camera": "north", "rule": "a=b"}
    assert until_s == pytest.approx((datetime.now(UTC) + timedelta(hours=2)).timestamp(), abs=5)


@pytest.mark.parametrize("words", [["camera"], ["=north"], ["until=+2x"], ["until=+"], ["until=+-3h"]])
def test_a_word_that_is_no_argument_is_told(words: list[str]) -> None:
    with pytest.raises(NgatuError):
        arguments(words)


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


def test_an_answer_cannot_steer_the_technicians_terminal() -> None:
    steering = b'"detail":"a\\u001b[2J","result":{"x":"\\u009b31m\\u202e"}'
    words = b'{"id":"c-1","state":"done","time":"2026-03-02T11:04:07Z",' + steering + b"}"
    answer = codec.parse(AckPayload, words)

    said = shown(CommandReply("c-1", [answer]))

    assert not set("\x1b\x9b\u202e") & set(said)
    assert "done" in said
