"""Footage for the province: asked for at its console, cut at a real box, judged at a real station, carried by
two brokers and a real worker, fetched at the console, and judged again by the verifier that lies in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import URL

from agent.evidence.encryption import new_identity
from station.access.audit_log import AuditLog, AuditQuery
from station.store.database import engine_of
from tests.support.asked_commune import worker_at
from tests.support.backups import own_database
from tests.support.boxes import NGATU, Box, Station, at_work
from tests.support.brokers import Mosquitto, until
from tests.support.duty_screen import csrf_of
from tests.support.province_desk import province_screen
from tests.support.province_keys import key_pair
from tests.support.provinces_up import ProvincePlace
from tests.support.real_footage import FPS, Recorded, frames_in, record_into
from tests.support.squares import write_clip
from tests.support.stores import postgresql_server

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.postgresql, pytest.mark.timeout(1200)]
SECONDS, SOON_S = 6, 300.0
BOX, COMMUNE = "test-box-01", "test-commune"
HERE = ZoneInfo("Asia/Ho_Chi_Minh")


class UplinkStation(Station):
    """`ngatu station` with a file that sends up, and lets the province ask."""

    def start(self) -> UplinkStation:
        words = [*NGATU, "station", "--config", str(self.folder / "station.yaml")]
        with (self.folder.parent / "station.log").open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        return self


class Province:
    """A box in whose ring lies a film, its station, and their province."""

    def __init__(self, folder: Path, port: int, up_port: int, place: ProvincePlace) -> None:
        self.folder, self.up_port, self.place = folder, up_port, place
        identity, recipient = new_identity()
        source = f"{{kind: file, path: {write_clip(folder / 'road.mp4')}, loop: true}}"
        cameras = (
            f"  - name: road\n    title: Hướng đường tàu\n    source: {source}\n"
            f"    rules: [{{kind: motion, id: movement}}]\n    record: {{mode: continuous}}\n"
        )
        self.box, self.station = Box(folder, port, cameras), UplinkStation(folder, port)
        with self.box.config.open("a") as file:
            file.write(f"evidence: {{recipient: {recipient}}}\n")
        self.recorded: Recorded = record_into(folder / "state/evidence", recipient, SECONDS, 300)
        self.keys = key_pair(folder)
        self.station.folder.mkdir()
        handle = os.open(self.station.folder / "footage.key", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as key:
            key.write(identity + "\n")
        (self.station.folder / "station.yaml").write_text(
            f"commune: {COMMUNE}\nstate_dir: {self.station.folder}\nbroker: {{host: 127.0.0.1, port: {port}}}\n"
            f"uplink: {{shard: s01, port: {up_port}, "
            f"requests: {{key: {self.keys[1]}, allowed: [footage]}}}}\n"
        )

    def span(self) -> dict[str, str]:
        """All that was recorded, as a browser writes it."""
        first, last = (
            datetime.fromtimestamp(at_s, UTC).astimezone(HERE)
            for at_s in (self.recorded.from_s, self.recorded.to_s + 1)
        )
        return {"since": f"{first:%Y-%m-%dT%H:%M:%S}", "until": f"{last:%Y-%m-%dT%H:%M:%S}"}

    def one(self, query: str) -> object:
        """The one value that the province's database has."""
        rows = self.place.rows(query)
        return rows[0][0] if rows else None


@pytest.fixture
def province(tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]) -> Iterator[Province]:
    with postgresql_server() as server:
        place = ProvincePlace(own_database(server))
        yield Province(tmp_path, start_mosquitto().port, start_mosquitto().port, place)


def test_an_officer_of_the_province_gets_a_film_that_proves_itself(province: Province) -> None:
    desk = province.folder / "desk"
    desk.mkdir()
    with province_screen(province.place, desk, province.keys[0]) as screen:
        screen.open("lan", COMMUNE)
        lan = screen.client("lan", "vi")
        with worker_at(province.place, province.up_port), at_work(province.station, province.box):
            until(lambda: province.one("select count(*) from box_state where cameras like '%road%'"), SOON_S)
            token = csrf_of(lan.get("/asked/footage").text)
            form = {"csrf": token, "place": f"{COMMUNE}.{BOX}/road", "case": "12/2026", "purpose": "va chạm"}
            asked = lan.post("/asked/footage", data=form | province.span())
            assert asked.status_code == 303, asked.text
            until(lambda: province.one("select sent_ms from request"), SOON_S)
            until(lambda: province.one("select state from request") == "accepted", SOON_S)
            province.station.end()  # wherever it is: it goes on from there
            province.station.start()
            ends = "select coalesce(complete_ms, 0) + (state in ('failed', 'refused'))::int from request"
            until(lambda: province.one(ends), SOON_S)
        assert province.place.rows("select state, reason from request") == [("done", None)]
        page = lan.get("/asked").text
        (request_id,) = (row[0] for row in province.place.rows("select id from request"))
        got = lan.get(f"/asked/{request_id}/package")
        acts = screen.acts()

    assert got.status_code == 200 and got.headers["content-type"] == "application/zip"
    digest = sha256(got.content).hexdigest()
    assert digest in page and "12/2026" in page and "va chạm" in page
    assert f"{COMMUNE}.{BOX}, Hướng đường tàu" in page, "as the box's own file calls it"
    assert ("ask_commune", f"{COMMUNE}.{BOX}/road") in acts and ("export", request_id) in acts
    assert judged(got.content, province.folder / "court")
    engine = engine_of(URL.create("sqlite", database=str(province.station.store)), writes=False)
    (entry,) = AuditLog(engine, province.station.folder).every(AuditQuery(verb="province_request"))
    engine.dispose()
    assert entry.details["asked"] == "footage" and entry.details["case"] == "12/2026"
    assert entry.details["purpose"] == "va chạm" and entry.subject == f"{BOX}/road"
    clips = [each for each in (province.station.folder / "footage" / BOX).iterdir() if each.is_dir()]
    assert len(clips) == 1


def judged(data: bytes, to: Path) -> bool:
    """As a court does it, which has nothing of ours but the file; its film plays, too."""
    to.mkdir()
    (to / "handed.zip").write_bytes(data)
    with zipfile.ZipFile(to / "handed.zip") as archive:
        archive.extractall(to)
    (top,) = (each for each in to.iterdir() if each.is_dir())
    words = ["ngatu-verify.pyz", "package", "--key", f"keys/{BOX}.pub", "--station", "keys/station.pub"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
        env={"LANG": "C"},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(map(frames_in, sorted((top / "package").glob("*.mp4")))) == SECONDS * FPS
    return done.stdout.startswith("authentic: ")
