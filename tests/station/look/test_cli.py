"""station.look.cli, with a real box and a real broker"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import typer
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from typer.testing import CliRunner

from agent.core.types import Instant
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.topics import Topics
from station.cli import commands
from tests.acceptance.faults.chaos import chaos
from tests.acceptance.faults.p_look import write_noise
from tests.support.boxes import Box, at_work
from tests.support.brokers import Mosquitto, until
from tests.support.forwarders import client
from tests.support.jpegs import jpeg

pytestmark = [pytest.mark.long, pytest.mark.broker]
app = typer.Typer()
app.add_typer(commands)


@pytest.fixture
def config(tmp_path: Path, mosquitto: Mosquitto) -> Path:
    path = tmp_path / "station.yaml"
    path.write_text(
        f"commune: test-commune\nstate_dir: {tmp_path / 'station'}\n"
        f"broker: {{host: 127.0.0.1, port: {mosquitto.port}}}\n"
    )
    return path


@pytest.fixture
def box(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Box]:
    box = Box(tmp_path, mosquitto.port)
    with at_work(box):
        until(lambda: box.accepted() > 0, 40, "the box watches")
        yield box


def words_of(config: Path, folder: Path, seconds: int, camera: str = "road") -> list[str]:
    who = ["--officer", "Lan", "--purpose", "case 12"]
    return [
        "look",
        "test-box-01",
        camera,
        "-c",
        str(config),
        "--save",
        str(folder),
        "--seconds",
        str(seconds),
        *who,
    ]


def audit(box: Box) -> list[dict[str, object]]:
    return [json.loads(line) for line in (box.folder / "state/audit.log").read_text().splitlines()]


def test_an_officer_sees_what_the_camera_sees_now_and_it_is_in_the_log(
    config: Path, box: Box, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, words_of(config, tmp_path / "seen", 3))
    assert result.exit_code == 0, result.stdout + result.stderr
    noted = json.loads((tmp_path / "seen/look.json").read_text())

    assert noted["complete"]
    assert 4 <= len(noted["pictures"]) <= 7
    for each in noted["pictures"]:
        assert sha256((tmp_path / "seen" / each["file"]).read_bytes()).hexdigest() == each["sha256"]
    last = audit(box)[-1]
    assert (last["verb"], last["issuer"], last["state"], last["n"]) == (
        "look",
        "Lan",
        "done",
        noted["result"]["audit"],
    )
    assert last["args"] == {
        "camera": "road", "seconds": 3, "per_second": 2.0, "officer": "Lan", "purpose": "case 12",
    }  # fmt: skip


STALL_S = 9.0


def test_a_picture_that_a_dead_link_held_up_is_not_shown_as_what_is_now(
    config: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """What is on the way when the link stands still comes when it moves again."""
    page = tmp_path / "seen/index.html"
    with chaos(mosquitto.port) as link:
        # So slow that a picture is on the way nearly always, also when the link dies.
        link.behave(rate_bytes_s=32_000)
        source = f"{{kind: file, path: {tmp_path / 'road.mp4'}, loop: true}}"
        moves = "[{kind: motion, id: movement}]"
        box = Box(tmp_path, link.port, f"  - {{name: road, max_fps: 2, source: {source}, rules: {moves}}}\n")
        write_noise(tmp_path / "road.mp4")
        with at_work(box):
            until(lambda: "broker_connected" in box.log.read_text(), 40, "the box is connected")
            command = [sys.executable, "-m", "agent", *words_of(config, tmp_path / "seen", 20)]
            with subprocess.Popen(command, stderr=subprocess.DEVNULL) as looking:
                until((tmp_path / "seen/0002.jpg").exists, 20, "pictures come")
                link.behave(silent=True)
                until(lambda: "nothing has come since" in page.read_text(), STALL_S, "the page says so")
                shown = [newest(page)]
                assert shown == [None]
                wait_until_s = time.monotonic() + STALL_S - 6
                until(lambda: time.monotonic() > wait_until_s, STALL_S, "the link is dead")
                link.behave(silent=False)
                while looking.poll() is None:
                    shown.append(newest(page))
                    time.sleep(0.02)
    noted = json.loads((tmp_path / "seen/look.json").read_text())
    late = [each["number"] for each in noted["pictures"] if each["late"]]

    assert looking.returncode == 0 and noted["complete"], noted
    assert late, "one was on the way"
    assert not set(late) & {int(each[:4]) for each in shown[:-1] if each}
    assert noted["pictures"][-1]["number"] not in late, "and those after it are shown"


def newest(page: Path) -> str | None:
    """The picture that the page shows, if the look lasts."""
    text = page.read_text()
    found = re.search(r'src="(\d+\.jpg)"', text)
    return found[1] if found and "refresh" in text else None


def test_over_mqtt_3_1_1_pictures_come_as_well(config: Path, tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Without the properties that say when and of what they are."""
    box = Box(tmp_path, mosquitto.port)
    box.config.write_text(box.config.read_text().replace("broker: {", "broker: {protocol: '3.1.1', "))
    with at_work(box):
        until(lambda: box.accepted() > 0, 40, "the box watches")
        result = CliRunner().invoke(app, words_of(config, tmp_path / "seen", 2))

    assert result.exit_code == 0, result.stdout + result.stderr
    assert json.loads((tmp_path / "seen/look.json").read_text())["complete"]


def test_what_a_box_says_is_no_markup_for_the_terminal(
    config: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """A copied card sends a picture whose time would end the command, or lead a click elsewhere."""
    data, topics = jpeg(b"dark"), Topics("test-commune", "test-box-01")
    digest = sha256(data).hexdigest()

    def obey(card: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        name = json.loads(message.payload)["id"]
        user = Properties(PacketTypes.PUBLISH)
        user.UserProperty = [("number", "1"), ("time", "[/bold][link=http://x]"), ("sha256", digest)]
        card.publish(topics.of(MessageKind.LOOK, command_id=name, number="1"), data, 1, properties=user)
        result = {"sent": 1, "pictures_sha256": codec.pictures_sha256([digest])}
        body = json.loads(codec.ack(name, "done", Instant(0.0, time.time()), None, result))
        added = {"seq": 1, "stream": "s-1", "published_at": "2026-03-02T11:04:07.412Z"}
        card.publish(topics.of(MessageKind.ACK, command_id=name), json.dumps({**body, **added}), 1)

    with client(mosquitto.port, topics.of(MessageKind.COMMAND, verb="look")) as (card, _):
        card.on_message = obey
        result = CliRunner().invoke(app, words_of(config, tmp_path / "seen", 2))

    assert result.exit_code == 0, (result.exception, result.stderr)
    assert json.loads((tmp_path / "seen/look.json").read_text())["complete"]


def test_a_refusal_is_told_in_words_and_leaves_no_folder(config: Path, box: Box, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, words_of(config, tmp_path / "seen", 3, camera="nowhere"))

    assert result.exit_code == 1
    assert "the box says: there is no camera 'nowhere'; there are road" in result.stderr
    assert not (tmp_path / "seen").exists()


def test_an_officer_who_goes_ends_the_look(config: Path, box: Box, tmp_path: Path) -> None:
    # A shell starts what it has in the background with Ctrl-C ignored, and these tests, too.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from agent.cli.main import main; main()"
    command = [sys.executable, "-c", program, *words_of(config, tmp_path / "seen", 60)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as looking:
        until((tmp_path / "seen/0002.jpg").exists, 20, "pictures come")
        looking.send_signal(signal.SIGINT)
        assert looking.wait(20) != 0
    until(lambda: audit(box)[-1]["state"] == "done", 20, "the look ends")

    assert audit(box)[-1]["detail"] == "nobody looked any more"
    assert not json.loads((tmp_path / "seen/look.json").read_text())["complete"]


def test_a_box_that_does_not_answer_is_told_as_such(config: Path, mosquitto: Mosquitto, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, words_of(config, tmp_path / "seen", 1))

    assert result.exit_code == 1
    assert "the broker knows no such box" in result.stderr
    assert not (tmp_path / "seen").exists()


@pytest.mark.parametrize("option", ["--officer", "--purpose"])
def test_nobody_looks_without_a_name_and_a_purpose(config: Path, tmp_path: Path, option: str) -> None:
    words = words_of(config, tmp_path / "seen", 3)
    at = words.index(option)

    assert CliRunner().invoke(app, [*words[:at], *words[at + 2 :]]).exit_code == 2
    result = CliRunner().invoke(app, [*words[:at], option, "", *words[at + 2 :]])
    assert (result.exit_code, option.strip("-") in result.stderr) == (2, True)
    assert not (tmp_path / "seen").exists()
