"""Facts of a whole province for the tests of the report, in the shapes that hosts and boxes really print."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.wire.payloads import HealthPayload, InfoPayload, StatusPayload

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
SESSION = "01a2104d-099d-7eef-8c91-b027ce58d547"
DF = "/ 31268536320 21474836480\n/var/lib/ngatu 31268536320 {free}\n"
EXT4 = "/sys/fs/ext4/mmcblk0p2/lifetime_write_kbytes {written}\n/sys/fs/ext4/mmcblk0p2/errors_count {errors}\n"


def certificates(days: int, *roles: str) -> str:
    """As `ngatu-certificate state` prints them."""
    return json.dumps({
        role: {"pending": False, "serial": "3f2a", "name": role, "days_left": days, "hosts": [],
               "ends": (NOW + timedelta(days=days)).isoformat()}
        for role in roles
    })  # fmt: skip


def release(version: str | None = "0.2.0", **more: Any) -> str:
    """As `ngatu-release status` prints it."""
    return json.dumps({
        "version": version, "setup": "3", "previous": "2", "trial": None, "floor": "0.1.0",
        "releases": ["0.1.0", "0.2.0"],
        "last": {"outcome": "confirmed", "setup": "3", "version": version, "why": ""},
        **more,
    })  # fmt: skip


def look(
    name: str = "hai-ninh-01", state: str = "online", ago_s: float = 20, version: str = "0.2.0", **more: Any
) -> str:
    """As `ngatu box look` prints it: what the payloads are on the wire."""
    health: dict[str, Any] = {
        "session": SESSION, "time": NOW - timedelta(seconds=ago_s), "uptime_s": 86_400, "cpu_pct": 41.0,
        "versions": {"ngatu": version}, "cpu_temp_c": 58.2, "throttled": {},
        "disk": {"free_bytes": 21_474_836_480, "written_bytes": 190_000_000},
        "cameras": {"north": {"state": "streaming", "fps_in": 25.0, "fps_analysed": 3.0, "frame_age_s": 0.2}},
        "clock": {"state": "ntp", "error_ms": 12}, "mqtt": {"connected_s": 7200, "reconnects": 1, "refused": 0},
        "outbox": {"pending": 2, "bytes": 4_194_304, "oldest_s": 1.5, "dropped": {}, "quarantined": 0},
    } | more  # fmt: skip
    payloads = {
        "status": StatusPayload.model_validate(
            {"state": state, "session": SESSION, "time": NOW - timedelta(hours=2)}
        ),
        "info": InfoPayload.model_validate(
            {
                "commune": "hai-ninh",
                "device": name,
                "session": SESSION,
                "time": NOW,
                "versions": {"ngatu": version},
            }
        ),
        "health": HealthPayload.model_validate(health),
    }
    return json.dumps({key: each.model_dump(mode="json", by_alias=True) for key, each in payloads.items()})


def box(name: str = "hai-ninh-01", **more: Any) -> dict[str, Any]:
    """A box as report.yml writes it; `more` replaces parts."""
    return {
        "name": name, "commune": name[:-3], "place": "Ngã tư Lê Lợi – Trần Phú", "address": "10.20.1.11",
        "bundle": "/srv/ngatu/bundles/ngatu-0.2.0-aarch64-py311.bundle", "reached": True, "why": "",
        "release": release(), "certificates": certificates(72, "box"),
        "storage": DF.format(free=21_474_836_480) + EXT4.format(written=310_000_000, errors=0),
        "secrets": '{"way": "host", "names": ["outbox.key", "north"]}',
        "look": look(name), "look_why": "", **more,
    }  # fmt: skip


SSH = "Task failed: Make sure this host can be reached over ssh: ssh: connect to host x port 22: No route\r\n"
"""As Ansible says it."""
SILENT = {"reached": False, "why": SSH, "release": "", "certificates": "", "storage": "", "secrets": ""}


def host(name: str = "tram-hai", **more: Any) -> dict[str, Any]:
    """A host of the station as report.yml writes it."""
    return {
        "name": name, "address": "10.20.0.2", "reached": True, "why": "",
        "certificates": certificates(72, "broker", "operator", "station-hai-ninh"),
        "storage": "/ 512110190592 400000000000\n", "crl": "nextUpdate=May 20 08:00:00 2027 GMT\n",
        "failed": "", **more,
    }  # fmt: skip


def province() -> list[dict[str, Any]]:
    """Boxes of every kind."""
    camera = {"state": "streaming", "fps_in": 25.0, "fps_analysed": 3.0}
    return [
        box("hai-ninh-01"),
        box("hai-ninh-02", look=look(
            cameras={"north": camera, "south": {"state": "lost"}}, degraded=["camera_lost:south"])),
        box("hai-ninh-03", **SILENT, look=look(state="offline", ago_s=11 * 3600)),
        box("hai-ninh-04", look=look(
            degraded=["under_voltage", "clock_untrusted"], clock={"state": "floor"}, cpu_temp_c=77.4,
            throttled={"under_voltage": True, "under_voltage_since_boot": True})),
        box("hai-tay-01", look=look(version="0.1.0"), release=release("0.1.0", last={
            "outcome": "reverted", "setup": "4", "version": "0.2.0",
            "why": "nobody confirmed it within 240 s"})),
        box("hai-tay-02", certificates=certificates(11, "box")),
        box("hai-tay-03", **SILENT, look='{"status": null, "info": null, "health": null}'),
        box("hai-tay-04", storage=DF.format(free=500_000_000) + EXT4.format(written=2_900_000_000, errors=3)
            + "/sys/block/mmcblk0/device/life_time 0x02 0x09\n"),
        box("dong-ha-01", look=look(degraded=["unconfirmed"], outbox={
            "pending": 4812, "oldest_s": 39_000, "dropped": {"image": 12}, "quarantined": 1})),
        box("dong-ha-02", **SILENT),
        box("dong-ha-03", look="", look_why="tram-dong-ha:8884: Connection refused"),
        *(box(f"dong-ha-{number:02}") for number in range(4, 10)),
    ]  # fmt: skip


def write(folder: Path, boxes: list[dict[str, Any]], *hosts: dict[str, Any]) -> Path:
    """A file of facts."""
    path = folder / "facts.json"
    path.write_text(json.dumps({"made": NOW.isoformat(), "boxes": boxes, "hosts": hosts}))
    return path
