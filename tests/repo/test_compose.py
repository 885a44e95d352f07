"""deploy/oci: what compose starts fits the image and the station"""

from __future__ import annotations

from typing import Any

import yaml

from fleet.oci.__main__ import CONFIG
from station.config import load
from tests.conftest import ROOT

FOLDER = ROOT / "deploy/oci"


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    return found


def test_broker_and_station_are_the_image_that_is_made_and_keep_what_it_says_in_volumes() -> None:
    named = services()
    ours = [named["broker"], named["station"]]
    assert {each["image"] for each in ours} == {f"${{NGATU_IMAGE:-{CONFIG.name}}}"}
    kept = [volume.split(":")[1] for each in ours for volume in each["volumes"] if not volume.startswith("./")]
    assert sorted(kept) == sorted(CONFIG.volumes)


def test_nothing_is_served_beyond_this_machine_and_ours_have_no_rights() -> None:
    ports = [port for each in services().values() for port in each.get("ports", ())]
    assert ports == ["127.0.0.1:1883:1883"]
    for name in ("broker", "station"):
        each = services()[name]
        assert (each["read_only"], each["cap_drop"]) == (True, ["ALL"])
        assert each["security_opt"] == ["no-new-privileges:true"]


def test_the_stations_file_is_read_and_names_the_other_services() -> None:
    config = load(FOLDER / "station.yaml")
    assert (config.broker.host, config.broker.port) == ("broker", 1883)
    assert config.database.url == "postgresql://ngatu@database/ngatu"
    assert config.database.password is not None
    assert str(config.database.password.file) == "/run/secrets/database"
    assert {"broker", "database", "station"} == set(services())
    assert str(config.state_dir) in CONFIG.volumes
