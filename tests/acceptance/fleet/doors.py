"""A broker as the roles make it, on a host of its own, and everybody who may come to its doors.

    with open_doors(folder) as doors:
        doors.pair("hai-ninh-02")

The inventory is the example's, with the names and addresses of the trial. One box is a host too; the others are
keys and certificates on this computer, made and signed as those of hosts are.
"""

from __future__ import annotations

import json
import shutil
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.fleet.hosts import CONTROLLER, NETWORK, Fleet, Host, Ran, run
from tests.acceptance.fleet.kept import KEPT_IN, NGATU, PASSPHRASE, alone, state, used
from tests.conftest import ROOT

COMMUNES = {"hai-ninh": ["hai-ninh-01", "hai-ninh-011", "hai-ninh-02"], "hai-tay": ["hai-tay-01", "hai-tay-02"]}
"""One box's name is the beginning of another's."""
BOX = "hai-ninh-01"
"""The one that is a host."""
BROKER = "broker"
"""The host, and the name by which boxes call it."""
BOX_DOOR, STATION_DOOR = 8883, 8884
EXAMPLE = ROOT / "deploy" / "ansible" / "inventory" / "example"
PARTS = (
    *(f"deploy/ansible/{part}" for part in ("roles/ngatu_base", "roles/ngatu_ca", "roles/ngatu_broker",
                                            "inventory/example", "site.yml")),
    "fleet/ca", "fleet/cli/ca.py",
    "tests/acceptance/fleet/doors.py",
)  # fmt: skip
"""What the disks come from."""
OLDEST_S = 86_400
"""Certificates and lists on them are real ones, and end."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Who has a key and a certificate, and where they lie for a program of this computer."""

    name: str
    certificate: Path
    key: Path

    def context(self, ca: Path, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
        """For a connection with this pair, which knows the broker by its authority and its name."""
        made = ssl.create_default_context(cafile=str(ca))
        made.maximum_version = newest
        made.load_cert_chain(self.certificate, self.key)
        return made


class Doors:
    """The fleet and the authority, and what is done with them. Made by `open_doors`."""

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        self.folder = folder
        self.fleet = Fleet(folder / "fleet", [BROKER, BOX], kept and kept / "hosts")
        self.place = folder / "province"
        """As the guides lay it out: the inventory in hosts/, the authority in ca/."""
        self.ca = self.place / "ca"

    @property
    def broker(self) -> Host:
        """Its host."""
        return self.fleet[BROKER]

    @property
    def boxes(self) -> dict[str, str]:
        """Box -> its commune."""
        return {box: commune for commune, boxes in COMMUNES.items() for box in boxes}

    def play(self, *words: str, timeout_s: float = 600) -> Ran:
        """A playbook on this inventory."""
        return self.fleet.ansible(*words, inventory=self.place / "hosts", timeout_s=timeout_s)

    def ngatu(self, *words: str, stdin: str = f"{PASSPHRASE}\n", earlier_days: int = 0) -> Ran:
        """`ngatu` on the controller; it may believe that it is some days earlier."""
        past = ["faketime", "-f", f"-{earlier_days}d"] if earlier_days else []
        return run(*past, sys.executable, "-m", "agent", *words, cwd=ROOT, input=stdin)

    def pair(self, name: str, kind: str = "box") -> Pair:
        """A key made here, and the authority's certificate for it."""
        folder = self.folder / "pairs"
        folder.mkdir(exist_ok=True)
        key, asked, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        run(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(asked),
        ).good()  # fmt: skip
        self.sign(name, asked, certificate, kind).good()
        return Pair(name, certificate, key)

    def sign(
        self, name: str, asked: Path, certificate: Path, kind: str = "box", *, folder: Path | None = None
    ) -> Ran:
        """Ask the authority, or another one."""
        return self.ngatu(
            "ca", "sign", name, f"--kind={kind}", f"--request={asked}", f"--out={certificate}",
            f"--folder={folder or self.ca}", "--passphrase-file=-",
        )  # fmt: skip

    def pair_of(self, host: Host, role: str, name: str) -> Pair:
        """The pair in use on a host, read through its first process: always the one that `current` names."""
        tls = host.inside / "etc/ngatu/tls"
        return Pair(name, tls / f"{role}.crt", tls / f"{role}.key")

    def also_may(self, user: str, *rights: str) -> None:
        """Let a witness of the trial do more; nobody else gets any other right by it."""
        lines = "".join(f"topic {right}\n" for right in rights)
        self.broker.ssh(
            f"printf '%s' 'user {user}\n{lines}' >> /etc/mosquitto/ngatu.acl; systemctl reload mosquitto"
        ).good()

    def write_inventory(self) -> None:
        """The example's group variables, and this place's own."""
        folder = self.place / "hosts"
        shutil.copytree(EXAMPLE / "group_vars", folder / "group_vars", dirs_exist_ok=True)
        mine = {
            "ngatu_communes": list(COMMUNES),
            "ngatu_broker_station_bind": "",  # the station's program of these trials runs on the controller
            "ngatu_broker_cameras": {box: ["north", "road", "fed"] for box in self.boxes},
            "ngatu_base_allow": [
                {"port": BOX_DOOR, "from": [f"{NETWORK}.0/24"]},
                {"port": STATION_DOOR, "from": [CONTROLLER]},  # the station's program runs there
            ],
            "ngatu_identities_broker": [
                {"role": "broker", "kind": "broker", "name": BROKER, "group": "mosquitto",
                 "hosts": [self.broker.address], "reload": "mosquitto.service"},
                {"role": "operator", "kind": "operator", "name": "operator.broker"},
            ],
        }  # fmt: skip
        groups = {
            "ngatu_broker": [BROKER], "ngatu_station": [BROKER], "ngatu_box": list(self.boxes),
            **{f"commune_{name.replace('-', '_')}": boxes for name, boxes in COMMUNES.items()},
        }  # fmt: skip
        common = {
            "ngatu_broker_host": BROKER, "vault_ngatu_ca_passphrase": PASSPHRASE, "ngatu_ca_command": NGATU,
            "ngatu_base_ssh_from": [f"{NETWORK}.0/24"], "ngatu_base_ntp": [BROKER],
        }  # fmt: skip
        hosts: dict[str, dict[str, Any]] = {BROKER: mine}
        hosts |= {box: {"ngatu_commune": commune} for box, commune in self.boxes.items()}
        inventory = {
            "hosts": {name: {**self.fleet.reached(name), **common, **more} for name, more in hosts.items()},
            "children": {group: {"hosts": {name: {} for name in members}} for group, members in groups.items()},
        }
        (folder / "hosts.json").write_text(json.dumps({"all": inventory}, indent=1))


@contextmanager
def open_doors(folder: Path, *start: str) -> Iterator[Doors]:
    """Broker and box run, or only those named; they are as site.yml makes them before stations and agents.

    They go on from what an earlier run of these very roles has left on their disks, if there was one.

    Raises:
        NotTried: this machine cannot hold hosts.
    """
    kept = KEPT_IN / f"doors-{state(*PARTS)}"
    with alone("doors"):
        made = kept / "province" / "ca" / "crl.pem"
        if not made.exists() or time.time() - made.stat().st_mtime > OLDEST_S:
            _build(folder / "first", kept)
        used(kept)
    doors = Doors(folder, kept)
    shutil.copytree(kept / "province", doors.place)
    doors.write_inventory()
    with doors.fleet as fleet:
        fleet.start(*start)
        yield doors


def _build(folder: Path, kept: Path) -> None:
    """From bare Debian; the disks are left at `kept`."""
    doors, partial = Doors(folder), kept.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    doors.write_inventory()
    doors.ngatu("ca", "init", f"--folder={doors.ca}", "--passphrase-file=-").good()
    with doors.fleet as fleet:
        fleet.start()
        words = ("site.yml", "--tags=base,ca,broker", f"--limit={BROKER},{BOX}")
        doors.play(*words).good()
        again = doors.play(*words).good()
        assert again.changed == 0, f"a second run changes {again.changed}: {again.output[-3000:]}"
        for host in fleet.hosts.values():
            host.stop()
        (partial / "hosts").mkdir(parents=True)
        for host in fleet.hosts.values():
            host.upper.rename(partial / "hosts" / host.name)  # a copy would not keep the files' owners
    shutil.copytree(doors.place, partial / "province")
    shutil.rmtree(kept, ignore_errors=True)
    partial.rename(kept)
