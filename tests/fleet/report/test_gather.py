"""fleet.report.gather: what hosts printed becomes facts, and what they did not print is no fact"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.report.gather import read
from tests.support.provinces import NOW, box, host, province, release, write
from tests.support.releases import TOOL


def test_every_fact_of_a_box_is_read(tmp_path: Path) -> None:
    (read_box,) = read(write(tmp_path, [box()])).boxes

    assert read_box.wanted == "0.2.0"
    assert read_box.release is not None and read_box.release.version == "0.2.0"
    assert [(each.role, each.days_left) for each in read_box.certificates] == [("box", 72)]
    assert read_box.status is not None and read_box.status.state == "online"
    assert read_box.info is not None and read_box.info.versions == {"ngatu": "0.2.0"}
    assert read_box.health is not None and read_box.health.cameras["north"].state == "streaming"
    assert read_box.secrets == "host"
    assert read_box.storage is not None and read_box.storage.written_bytes == 310_000_000 * 1024


def test_a_box_of_which_nothing_is_known_is_there_all_the_same(tmp_path: Path) -> None:
    nothing = {"name": "hai-ninh-09", "reached": False, "why": "no route", "look_why": "the broker is down"}
    (facts,) = read(write(tmp_path, [nothing])).boxes

    assert (facts.name, facts.reached, facts.ssh_error, facts.broker_error) == (
        "hai-ninh-09", False, "no route", "the broker is down",
    )  # fmt: skip
    assert (facts.release, facts.certificates, facts.storage, facts.status) == (None, (), None, None)


def test_a_box_that_the_broker_does_not_know_was_asked_for(tmp_path: Path) -> None:
    (facts,) = read(write(tmp_path, [box(look='{"status": null, "info": null, "health": null}')])).boxes

    assert (facts.broker_error, facts.status) == ("", None)


def test_a_payload_that_cannot_be_read_is_no_payload(tmp_path: Path) -> None:
    (facts,) = read(
        write(tmp_path, [box(look='{"status": {"state": "sleeping"}, "info": 3, "health": null}')])
    ).boxes

    assert (facts.status, facts.info, facts.health) == (None, None, None)


def test_what_the_release_tool_really_prints_is_read(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-I", "-B", TOOL, "--root", tmp_path, "status"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (facts,) = read(write(tmp_path, [box(release=printed)])).boxes

    assert facts.release is not None
    assert (facts.release.version, facts.release.on_trial, facts.release.taken_back) == (None, False, "")
    assert set(json.loads(printed)) == set(json.loads(release()))


def test_a_station_tells_when_its_list_ends_and_what_has_failed(tmp_path: Path) -> None:
    failed = "mosquitto.service loaded failed failed Mosquitto\n"
    (station,) = read(write(tmp_path, [], host(failed=failed))).hosts

    assert station.crl_ends == datetime(2027, 5, 20, 8, tzinfo=UTC)
    assert station.failed == ("mosquitto.service",)
    assert [each.role for each in station.certificates] == ["broker", "operator", "station-hai-ninh"]


def test_a_whole_province_is_read(tmp_path: Path) -> None:
    fleet = read(write(tmp_path, province(), host()))

    assert (fleet.made, len(fleet.boxes), len(fleet.hosts)) == (NOW, 17, 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Invalid JSON"),
        ("{}", r"made: Field required"),
        ('{"made": "2026-11-25T08:00:00"}', "timezone"),
        ('{"made": "2026-11-25T08:00:00Z", "boxes": [{}]}', r"boxes\.0\.name: Field required"),
    ],
)
def test_another_file_is_refused_in_a_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text)

    with pytest.raises(NgatuError, match=why):
        read(path)


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match=r"facts\.json: No such file"):
        read(tmp_path / "facts.json")
