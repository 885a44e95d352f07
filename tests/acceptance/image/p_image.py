"""The image of station and broker: what is built runs, and a box has its receipt."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tarfile
from pathlib import Path

import yaml

from station.watch.embedded import Address
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.fleet.hosts import run
from tests.acceptance.image.entered import Entered
from tests.conftest import ROOT
from tests.support.brokers import free_port, until
from tests.support.fake_box import MQTT_311, FakeBox, an_event

DEPLOYED = ROOT / "deploy/oci"
USER = 880
GIVEN = "NGATU_IMAGE_FILE"
"""Names an image that is tried in place of one that is built for it."""


@promise(
    "O1",
    "the image is built, its broker and its station run as compose.yaml has them, and a box tells an event",
    "the box has its receipt, and the station shows the event",
    minutes=10,
)
def image(trial: Trial) -> str:
    if os.geteuid() != 0:
        raise NotTried("needs root: it makes a root file system and enters it")
    made, how = _image(trial.folder)
    entered = Entered(made, trial.folder)
    port = free_port()
    folders = _folders(trial.folder, port)
    broker = entered.start(
        ["/usr/sbin/mosquitto", "-c", "/etc/ngatu-station/mosquitto.conf"], folders, trial.folder / "broker.log"
    )
    config = ["--config", "/etc/ngatu-station/station.yaml"]
    station = entered.start(["/opt/ngatu/bin/ngatu", "station", *config], folders, trial.folder / "station.log")
    try:
        with _box(port) as box:
            until(lambda: box.station_online[-1:] == [True], 120, "the station says that it is there")
            box.tell(an_event(1, picture=True))
            until(lambda: box.receipts, 60, "a receipt")
        found = run(
            *entered.command(["/opt/ngatu/bin/ngatu", "station", "events", *config, "--json"], folders)
        ).good()
    except BaseException:
        sys.stderr.write((trial.folder / "station.log").read_text() + (trial.folder / "broker.log").read_text())
        raise
    finally:
        for process in (station, broker):
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        entered.forget()
    if "e-1" not in found.output:
        raise Broken(f"the station shows no such event: {found.output[:300]}")
    with tarfile.open(made) as archive:
        config_of = json.load(archive.extractfile("index.json"))["manifests"][0]["annotations"]  # type: ignore[arg-type]
    return (
        f"{config_of['org.opencontainers.image.ref.name']} {how}, "
        f"{made.stat().st_size / 1e6:.0f} MB; entered by {entered.by}: a receipt, and the event is shown"
    )


def _image(folder: Path) -> tuple[Path, str]:
    """The image, and whence it is: built here, or one that was built before (`make image`) and is named."""
    if given := os.environ.get(GIVEN):
        return Path(given).absolute(), "as it was given"
    for tool in ("mmdebstrap", "tar"):
        if shutil.which(tool) is None:
            raise NotTried(f"{tool} is not here: apt install {tool}")
    made = folder / "image.tar"
    built = run(sys.executable, "-P", "-m", "fleet.oci", str(made), cwd=ROOT, timeout_s=2400).good()
    return made, f"built in {built.seconds:.0f} s"


def _folders(folder: Path, port: int) -> dict[Path, str]:
    """The files of deploy/oci with this port and SQLite for PostgreSQL; folders of the image's user."""
    conf = folder / "conf"
    conf.mkdir()
    broker = (DEPLOYED / "mosquitto.conf").read_text().replace("listener 1883", f"listener {port} 127.0.0.1")
    (conf / "mosquitto.conf").write_text(broker)
    settings = yaml.safe_load((DEPLOYED / "station.yaml").read_text())
    del settings["database"]
    settings["broker"] = {"host": "127.0.0.1", "port": port}
    (conf / "station.yaml").write_text(yaml.safe_dump(settings))
    folders = {conf: "/etc/ngatu-station"}
    for name in ("ngatu-station", "ngatu-broker"):
        (folder / name).mkdir(mode=0o700)
        os.chown(folder / name, USER, USER)
        folders[folder / name] = f"/var/lib/{name}"
    folder.chmod(0o755)
    return folders


def _box(port: int) -> FakeBox:
    """A box at the broker, once that listens."""
    address = Address("127.0.0.1", port, port)

    def answers() -> bool:
        try:
            with FakeBox(address, MQTT_311):
                return True
        except OSError:
            return False

    until(answers, 60, "the broker listens")
    return FakeBox(address)
