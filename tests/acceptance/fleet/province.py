"""A province on this machine: a host with broker and station, boxes in two communes, their authority, a clip.

    with bare(trial.folder, boxes=(3, 3)) as province:       # Debian, and nothing of ours
        province.play("site.yml").good()
    with rolled_out(trial.folder, boxes=(3, 3)) as province:   # what site.yml has made of the same
        province.stats("hai-ninh")

The inventory is the example of deploy/ansible with the variables of this province, so the example is tried too.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.fleet.hosts import NETWORK, Fleet, Host, Ran, run
from tests.acceptance.fleet.kept import (
    KEPT_IN,
    NGATU,
    PASSPHRASE,
    PROGRAM,
    Bundles,
    alone,
    bundles,
    state,
    used,
)
from tests.acceptance.fleet.playing import Playing
from tests.conftest import ROOT
from tests.support.squares import write_clip

COMMUNES = ("hai-ninh", "hai-tay")
STATION = "tram-hai"
CLIP = "/srv/road.mp4"
"""Stands for the camera."""
CAMERA = {
    "name": "road", "max_fps": 4, "source": {"kind": "file", "path": CLIP, "loop": True},
    "rules": [{"kind": "object", "id": "road-users"},
              {"kind": "line", "id": "the-line", "start": [0.5, 0.1], "end": [0.5, 0.95], "count_every_s": 60}],
}  # fmt: skip
SETTINGS = {"health": {"interval_s": 10}, "detector": {"threads": 1}}
SECRETS = {"spare": "Dong-Ho-Cat-7"}
"""A password that no camera needs."""
SOURCES = (
    *PROGRAM,
    "deploy",
    *(f"tests/acceptance/fleet/{name}.py" for name in ("golden", "hosts", "kept", "province")),
)
OLDEST_S = 86_400
"""Hosts are rolled out anew after a day: their certificates and lists are real ones, and end."""

ROWS = """
import json, sqlite3, sys
database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10)
print(json.dumps(database.execute(sys.argv[2]).fetchall()))
"""


class Province:
    """The hosts, and how to ask them. Made by `bare` and `rolled_out`."""

    def __init__(self, folder: Path, boxes: Sequence[int], made: Bundles, kept: Path | None = None) -> None:
        self.folder, self.bundles, self.numbers = folder, made, tuple(boxes)
        self.sources = state(*SOURCES, more=boxes)
        """Of this moment: the checkout may change while hosts are rolled out."""
        self.communes = {
            f"{commune}-{number:02}": commune
            for commune, count in zip(COMMUNES, boxes, strict=True)
            for number in range(1, count + 1)
        }
        """Commune of each box."""
        self.fleet = Fleet(folder / "fleet", [STATION, *self.communes], kept and kept / "hosts")
        self.deploy = folder / "deploy"
        self.plays: list[Playing] = []
        self.place = folder / "province"
        """As the guides lay it out: the inventory in hosts/, the authority in ca/."""

    @property
    def inventory(self) -> Path:
        """The folder."""
        return self.place / "hosts"

    @property
    def secret(self) -> Path:
        """A file that opens everything of this province: its first line is PASSPHRASE."""
        return self.place / "passphrase"

    @property
    def authority(self) -> Path:
        """Its folder; PASSPHRASE opens it."""
        return self.place / "ca"

    @property
    def station(self) -> Host:
        """The host of broker and station."""
        return self.fleet[STATION]

    @property
    def boxes(self) -> dict[str, Host]:
        """By name."""
        return {name: self.fleet[name] for name in self.communes}

    # ------------------------------------------------------------------------------------------ the inventory

    def write_inventory(self, **more: Any) -> None:
        """The example's group variables, and this province's own; `more` is for every host.

        And a copy of the playbooks: they are of one moment, whatever the checkout becomes.
        """
        if not self.deploy.exists():
            shutil.copytree(ROOT / "deploy", self.deploy, ignore=shutil.ignore_patterns("__pycache__"))
        example = self.deploy / "ansible" / "inventory" / "example"
        shutil.copytree(example / "group_vars", self.inventory / "group_vars", dirs_exist_ok=True)
        common = {
            "ngatu_broker_host": STATION, "ngatu_base_ssh_from": [f"{NETWORK}.0/24"],
            "ngatu_base_ntp": [STATION], **more,
        }  # fmt: skip
        release = {"bundle": str(self.bundles.box), "release_key": str(self.bundles.public)}
        hosts = {
            name: {
                **self.fleet.reached(name), **common, "ngatu_commune": commune,
                **{f"ngatu_agent_{key}": value for key, value in release.items()},
                "ngatu_agent_cameras": [CAMERA], "ngatu_agent_model": "squares",
                "ngatu_agent_settings": SETTINGS, "ngatu_agent_secrets": SECRETS,
            }
            for name, commune in self.communes.items()
        }  # fmt: skip
        hosts[STATION] = {
            **self.fleet.reached(STATION), **common, "ngatu_communes": list(COMMUNES),
            "ngatu_base_allow": [{"port": 8883, "from": [f"{NETWORK}.0/24"]}],
            "ngatu_station_screen_from": [f"{NETWORK}.0/24"],
            "ngatu_station_bundle": str(self.bundles.station),
            "ngatu_station_release_key": str(self.bundles.public),
        }  # fmt: skip
        groups = {f"commune_{commune.replace('-', '_')}": self.of(commune) for commune in COMMUNES}
        groups |= {"ngatu_station": [STATION], "ngatu_broker": [STATION], "ngatu_box": list(self.communes)}
        children = {group: {"hosts": {name: {} for name in members}} for group, members in groups.items()}
        inventory = json.dumps({"all": {"hosts": hosts, "children": children}}, indent=1)
        (self.inventory / "hosts.json").write_text(inventory)

    def of(self, commune: str) -> list[str]:
        """The boxes of a commune, in their order."""
        return [name for name, its in self.communes.items() if its == commune]

    def make_authority(self) -> None:
        """`ngatu ca init`, where the example looks for it, and its passphrase in a vault."""
        secret = self.secret
        secret.write_text(f"{PASSPHRASE}\n")
        run(NGATU, "ca", "init", "--folder", str(self.authority), "--passphrase-file", str(secret)).good()
        vault = self.inventory / "group_vars" / "all" / "vault.yml"
        vault.write_text(f"vault_ngatu_ca_passphrase: {PASSPHRASE}\n")
        encrypt = str(Path(sys.executable).with_name("ansible-vault"))
        run(encrypt, "encrypt", "--vault-password-file", str(secret), str(vault)).good()

    # ------------------------------------------------------------------------------------------ what is done

    def play(self, playbook: str, *words: str, timeout_s: float = 1800, **variables: Any) -> Ran:
        """Run a playbook of deploy/ansible; `variables` win over all others."""
        return self.begun(playbook, *words, **variables).finished(timeout_s)

    def begun(self, playbook: str, *words: str, **variables: Any) -> Playing:
        """The same, not waited for."""
        extra = ("--extra-vars", json.dumps(variables)) if variables else ()
        opened = ("--vault-password-file", str(self.secret))
        more = ("-i", str(self.inventory), *opened, playbook, *words, *extra)
        self.plays.append(Playing(self.fleet, self.deploy / "ansible", more))
        return self.plays[-1]

    def put_clip(self) -> None:
        """Onto each box: the camera on its pole."""
        clip = write_clip(self.folder / "road.mp4").read_bytes()
        for box in self.boxes.values():
            box.put(CLIP, clip)

    # ------------------------------------------------------------------------------------------ what is asked

    def ngatu(self, *words: str, timeout_s: float = 300) -> Ran:
        """`ngatu` on the station's host, as root."""
        return self.station.ssh(shlex.join(["/opt/ngatu/bin/ngatu", *words]), timeout_s)

    def stats(self, commune: str) -> dict[str, dict[str, Any]]:
        """What `ngatu station stats` says of each box of a commune."""
        ran = self.ngatu("station", "stats", "--json", "-c", f"/etc/ngatu-station/{commune}.yaml").good()
        return {each["box"].rpartition("/")[2]: each for each in json.loads(ran.output)["boxes"]}

    def stored(self, commune: str, query: str) -> list[list[Any]]:
        """Rows of a station's store (station/store/schema/)."""
        return _rows(self.station, f"/var/lib/ngatu-station/{commune}/station.db", query)

    def outbox(self, box: str, query: str) -> list[list[Any]]:
        """Rows of a box's outbox (agent/outbox/outbox.sql)."""
        return _rows(self.fleet[box], "/var/lib/ngatu/outbox.db", query)

    def rollout_check(self, box: str, version: str, within_s: float) -> Ran:
        """`ngatu box rollout-check` at the stations' door: wait until a box streams with a release."""
        tls = "/etc/ngatu/tls"
        return self.ngatu(
            "box", "rollout-check", self.communes[box], box, "--version", version, "--within", f"{within_s:g}",
            "--host", "localhost", "--port", "8884",
            "--ca", f"{tls}/ca.crt", "--cert", f"{tls}/operator.crt", "--key", f"{tls}/operator.key",
            timeout_s=within_s + 60,
        )  # fmt: skip


@contextmanager
def bare(folder: Path, boxes: Sequence[int]) -> Iterator[Province]:
    """So many boxes in each commune, and their station, running as Debian was installed.

    Raises:
        NotTried: this machine cannot hold hosts.
    """
    province = Province(folder, boxes, bundles())
    province.write_inventory()
    province.make_authority()
    with _at_work(province):
        province.put_clip()
        yield province


@contextmanager
def rolled_out(folder: Path, boxes: Sequence[int], start: Sequence[str] = ()) -> Iterator[Province]:
    """The same after site.yml; only `start` of them run, if any are named.

    They go on from what an earlier roll-out of this very source has left on their disks, if there was one.
    """
    made, kept = bundles(), KEPT_IN / f"rolled-out-{state(*SOURCES, more=boxes)}"
    with alone("rolled-out"):
        if not _fresh(kept):
            with bare(folder / "first", boxes) as province:
                province.play("site.yml").good()
                kept = keep(province)
        used(kept)
    province = Province(folder, boxes, made, kept)
    shutil.copytree(kept / "province", province.place)
    province.write_inventory()
    with _at_work(province, start):
        yield province


@contextmanager
def _at_work(province: Province, start: Sequence[str] = ()) -> Iterator[None]:
    """Its hosts run; no playbook outlives them."""
    with province.fleet as fleet:
        fleet.start(*start)
        try:
            yield
        finally:
            for playing in province.plays:
                playing.end()


def keep(province: Province) -> Path:
    """Switch its hosts off, and keep their disks for `rolled_out`, unless there are such; returns where."""
    kept = KEPT_IN / f"rolled-out-{province.sources}"
    for host in province.fleet.hosts.values():
        host.stop()
    if _fresh(kept):
        return kept
    partial = kept.with_name(f"{kept.name}.{os.getpid()}")
    (partial / "hosts").mkdir(parents=True)
    for host in province.fleet.hosts.values():
        host.upper.rename(partial / "hosts" / host.name)  # a copy would not keep the files' owners
    shutil.copytree(province.place, partial / "province")
    shutil.rmtree(kept, ignore_errors=True)
    partial.rename(kept)
    return used(kept)


def _fresh(kept: Path) -> bool:
    made = kept / "province" / "ca" / "ca.crt"
    return made.exists() and time.time() - made.stat().st_mtime < OLDEST_S


def _rows(host: Host, path: str, query: str) -> list[list[Any]]:
    """By the host's own Python: its sqlite3 knows the lock of a database that is in use."""
    host.put("/run/rows.py", ROWS)
    ran = host.ssh(shlex.join(["python3", "/run/rows.py", path, query])).good()
    rows: list[list[Any]] = json.loads(ran.output)
    return rows
