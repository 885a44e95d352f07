"""station.web.api.boxes"""

from __future__ import annotations

import time

from agent.health_findings import HEALTH_LATE_S
from tests.station.web.api.conftest import Interface
from tests.support.told_boxes import ToldBox, at


def test_a_box_stands_as_the_wall_judges_it(interface: Interface) -> None:
    program = interface.program()
    (box,) = program.get("/api/v1/boxes").json()["boxes"]

    assert (box["box"], box["title"], box["state"]) == ("north-01", "Ngã tư Hải Ninh", "online")
    assert (box["version"], box["temperature_c"], box["waiting"]) == ("0.1.0", 51.5, 3)
    assert [(each["name"], each["title"], each["state"]) for each in box["cameras"]] == [
        ("north", "Hướng bắc", "streaming")
    ]
    judged = interface.console.boxes.find("north-01")
    assert judged is not None
    assert box["verdict"] == judged.verdict
    assert len(box["findings"]) == len(judged.findings)
    assert program.get("/api/v1/boxes/north-01").json()["box"] == "north-01"
    assert program.get("/api/v1/boxes/another").status_code == 404


def test_of_a_silent_box_a_program_reads_until_when_the_states_of_its_cameras_were_known(
    interface: Interface,
) -> None:
    now_s = time.time()
    box = ToldBox("south-01", now_s)
    interface.store.commit([box.status(), box.info(), box.health(ago_s=HEALTH_LATE_S + 20), box.camera()])
    program = interface.program()

    (speaks,) = program.get("/api/v1/boxes/north-01").json()["cameras"]
    (silent,) = program.get("/api/v1/boxes/south-01").json()["cameras"]

    assert speaks["known_until"] is None
    assert (silent["state"], silent["known_until"]) == (
        "streaming",
        at(now_s - HEALTH_LATE_S - 20),
    )
