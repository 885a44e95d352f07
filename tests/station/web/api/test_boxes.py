"""station.web.api.boxes"""

from __future__ import annotations

from tests.station.web.api.conftest import Interface


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
