"""fleet.report.evaluate: who needs somebody, how soon, and in which order"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.report.evaluate import Urgency, evaluate
from fleet.report.gather import read
from tests.support.provinces import DF, EXT4, SILENT, box, certificates, host, look, province, release, write

LOST = '{"status": null, "info": null, "health": null}'


def needs(folder: Path, **more: Any) -> list[tuple[str, int]]:
    """(key, urgency) of each finding of a box."""
    boxes, _ = evaluate(read(write(folder, [box(**more)])))
    return [(each.key, int(each.urgency)) for each in boxes[0].findings]


def test_a_box_that_works_needs_nobody(tmp_path: Path) -> None:
    assert needs(tmp_path) == []


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"look": look(state="offline")}, [("offline", 2)]),
        ({"look": look(state="stopped")}, [("stopped", 2)]),
        ({"look": LOST}, [("never_heard", 2)]),
        ({"look": "", "look_why": "refused"}, [("broker_mute", 2)]),
        ({"look": look(ago_s=420)}, [("health_late", 2)]),
        ({"look": look(session="another")}, [("health_missing", 1)]),
        (SILENT, [("unreachable_online", 1)]),
        (SILENT | {"look": LOST}, [("never_heard", 2), ("unreachable", 2)]),
        ({"look": look(cameras={})}, [("no_camera", 2)]),
        ({"look": look(cameras={"north": {"state": "lost"}}, degraded=["camera_lost:north"])}, [("camera", 2)]),
        ({"look": look(cameras={"north": {}})}, [("camera", 2)]),
        ({"look": look(degraded=["detector_failed:north"])}, [("degraded", 2)]),
        ({"look": look(degraded=["storage_ram_only"])}, [("degraded", 2)]),
        ({"look": look(degraded=["clock_untrusted"])}, [("degraded", 1)]),
        ({"look": look(degraded=["something_new:north"])}, [("degraded", 1)]),
        ({"look": look(throttled={"under_voltage_since_boot": True})}, [("under_voltage_once", 1)]),
        ({"look": look(cpu_temp_c=76.0)}, [("warm", 1)]),
        ({"look": look(cpu_temp_c=86.0, degraded=["overheated"])}, [("degraded", 1)]),
        ({"look": look(outbox={"oldest_s": 7200, "pending": 9})}, [("waiting", 1)]),
        ({"look": look(outbox={"dropped": {"image": 2}})}, [("dropped", 1)]),
        ({"look": look(outbox={"quarantined": 1})}, [("quarantined", 1)]),
        ({"look": look(version="0.1.0")}, [("other_version", 1)]),
        ({"release": ""}, [("no_release", 2)]),
        ({"release": release(trial={"version": "0.2.0", "back": "0.1.0"})}, [("on_trial", 1)]),
        ({"release": release(last={"outcome": "reverted", "why": "fell"})}, [("taken_back", 1)]),
        ({"certificates": "{}"}, [("no_certificate", 2)]),
        ({"certificates": certificates(31, "box")}, []),
        ({"certificates": certificates(29, "box")}, [("certificate_ends", 1)]),
        ({"certificates": certificates(13, "box")}, [("certificate_ends", 2)]),
        ({"certificates": certificates(-1, "box")}, [("certificate_over", 2)]),
        ({"storage": DF.format(free=3_000_000_000)}, [("disk_full", 1)]),
        ({"storage": DF.format(free=900_000_000)}, [("disk_full", 2)]),
        ({"storage": EXT4.format(written=1, errors=1)}, [("disk_errors", 2)]),
        ({"storage": "/ 9 9\n/sys/block/mmcblk0/device/life_time 0x01 0x08\n"}, [("disk_worn", 1)]),
        ({"storage": "/ 9 9\n/sys/block/mmcblk0/device/life_time 0x0a 0x01\n"}, [("disk_worn", 2)]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_box_is_found(tmp_path: Path, more: dict[str, Any], found: list[Any]) -> None:
    assert needs(tmp_path, **more) == found


def test_what_a_lost_box_had_said_is_not_held_against_it_now(tmp_path: Path) -> None:
    lost = look(
        state="offline", cameras={"north": {"state": "lost"}}, degraded=["storage_full", "camera_lost:north"]
    )

    assert needs(tmp_path, look=lost) == [("offline", 2)]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, []),
        (SILENT | {"crl": ""}, [("unreachable", 2)]),
        ({"failed": "ngatu-station@hai-ninh.service loaded failed failed x\n"}, [("unit_failed", 2)]),
        ({"failed": "ngatu-crl-watch.service loaded failed failed x\n"}, [("unit_failed", 1)]),
        ({"crl": "nextUpdate=Jan 24 08:00:00 2027 GMT\n"}, [("crl_ends", 1)]),
        ({"crl": "nextUpdate=Dec  1 08:00:00 2026 GMT\n"}, [("crl_ends", 2)]),
        ({"certificates": certificates(20, "broker")}, [("certificate_ends", 1)]),
        ({"kept": '{"kept": 256}\n'}, []),
        ({"kept": '{"kept": 257}\n'}, [("kept_many", 2)]),
        ({"kept": '{"kept": "many"}\n'}, []),
    ],
)
def test_what_is_wrong_with_a_station_is_found(tmp_path: Path, more: dict[str, Any], found: list[Any]) -> None:
    more = {key: value for key, value in more.items() if key != "release"}
    _, hosts = evaluate(read(write(tmp_path, [], host(**more))))

    assert [(each.key, int(each.urgency)) for each in hosts[0].findings] == found


def test_whatever_presses_most_is_first_and_nobody_is_missing(tmp_path: Path) -> None:
    boxes, _ = evaluate(read(write(tmp_path, province())))
    names = [each.subject.name for each in boxes]

    assert sorted(names) == sorted(each["name"] for each in province())
    assert [each.urgency for each in boxes] == sorted((each.urgency for each in boxes), reverse=True)
    assert names[0] == "hai-ninh-03" and names[-1] == "hai-ninh-01"
    assert sum(each.urgency is Urgency.GOOD for each in boxes) == 7
    for one in boxes:
        assert list(one.findings) == sorted(one.findings, key=lambda each: -each.urgency)


def test_a_camera_is_called_as_its_officers_call_it_with_the_name_that_its_file_has(tmp_path: Path) -> None:
    states = {"north": {"state": "lost"}, "south": {"state": "lost"}, "east": {"state": "lost"}}
    said = json.loads(look(cameras=states, degraded=["recording_stopped:north", "storage_full"]))
    titles = {"north": "Hướng chợ", "south": "south", "west": "Cầu", "east": "W" * 4_000}
    said["info"]["cameras"] = [{"id": name, "name": title} for name, title in titles.items()]

    (found,), _ = evaluate(read(write(tmp_path, [box(look=json.dumps(said))])))

    called = [each.values.get("camera") or each.values.get("of") for each in found.findings]
    assert sorted(filter(None, called)) == ["Hướng chợ (north)"] * 2 + [f"{'W' * 100} (east)", "south"]
