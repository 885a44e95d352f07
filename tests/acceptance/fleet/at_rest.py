"""How secrets lie on a box's disk, and that its agent has them all the same."""

from __future__ import annotations

import json

from tests.acceptance.faults.suite import Broken
from tests.acceptance.fleet.province import SECRETS, Province
from tests.support.brokers import until

((NAME, SECRET),) = SECRETS.items()
TLS = "/etc/ngatu/tls"


def left_in_plain(province: Province) -> None:
    """As a roll-out from before systemd encrypted them has left it, on one box."""
    box = next(iter(province.boxes.values()))
    box.ssh("install -d -m 700 /etc/ngatu/secrets").good()
    box.put(f"/etc/ngatu/secrets/{NAME}", f"{SECRET}\n")


def encrypted(province: Province) -> str:
    """What each box says; Broken unless nothing of it is in plain on a disk and the agents have it."""
    for name, box in province.boxes.items():
        state = json.loads(box.ssh("/usr/local/sbin/ngatu-credentials state").good().output)
        if state != {"way": "host", "names": ["outbox.key", NAME]}:
            raise Broken(f"{name}: {state}")
        given = box.ssh(
            f"cd /run/credentials/ngatu.service && cat {NAME} && base64 -d outbox.key | wc -c"
        ).good()
        if given.output.split() != [SECRET, "32"]:
            raise Broken(f"{name}: the agent was given {given.output!r}")
        box.put("/run/secret", SECRET)  # in a command it would stand in the log of sudo
        found = box.ssh("grep -rlFf /run/secret /etc /var /opt /root /home /srv; true").output.split()
        if found:
            raise Broken(f"{name}: in plain in {found}")
        until(lambda it=name: _pictures(province, it) == "encrypted", 60, f"{name} encrypts its pictures")
    return f"secrets of {len(province.boxes)} boxes encrypted, 0 in plain"


def _pictures(province: Province, box: str) -> str | None:
    """How waiting pictures lie in its outbox, by its own words at the broker."""
    look = province.ngatu(
        "box", "look", province.communes[box], box, "--host", "localhost", "--port", "8884",
        "--ca", f"{TLS}/ca.crt", "--cert", f"{TLS}/operator.crt", "--key", f"{TLS}/operator.key",
    ).good()  # fmt: skip
    health = json.loads(look.output).get("health") or {}
    return (health.get("outbox") or {}).get("pictures")
