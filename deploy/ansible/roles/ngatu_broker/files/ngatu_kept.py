#!/usr/bin/python3 -IB
"""ngatu-kept: what the broker keeps (retained), and the end of what nobody may keep any more.

    ngatu-kept HOST PORT count   how many messages it keeps, its own among them
    ngatu-kept HOST PORT clear   forget what no line of the access file lets anybody write: of a box that was
                                 revoked, moved or renamed, of a camera that is gone, of an older broker

It calls as the broker's own tool, by the mosquitto clients. Needs Python's library only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ACCESS = Path("/etc/mosquitto/ngatu.acl")
CONFIG = Path("/etc/mosquitto/ngatu.conf")
TLS = Path("/etc/ngatu/tls")
LISTED_S = 3
"""After so long all that is kept has come: the broker sends it at once."""
AT_ONCE = 200
ROUNDS = 50
OVER = 27
"""mosquitto_sub says so when its time is over."""


class Refused(Exception):
    """It is not done; the text says why."""


def may_stay(access: str, config: str) -> set[str]:
    """Topics without wildcards that somebody may write, and that may be kept."""
    filters = [
        re.compile("/".join("[^/]+" if level == "+" else re.escape(level) for level in found.split("/")))
        for found in re.findall(r"^plugin_opt_keep (\S+)$", config, re.MULTILINE)
    ]
    written = re.findall(r"^topic write (\S+)$", access, re.MULTILINE)
    return {topic for topic in written if "+" not in topic and any(each.fullmatch(topic) for each in filters)}


def heard(where: tuple[str, str], *words: str) -> list[str]:
    """What mosquitto_sub prints, a line for each message."""
    host, port = where
    call = ["mosquitto_sub", "--host", host, "--port", port, "--cafile", f"{TLS}/ca.crt"]
    call += ["--cert", f"{TLS}/operator.crt", "--key", f"{TLS}/operator.key", *words]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode not in (0, OVER):
        raise Refused(f"mosquitto_sub: {done.stderr.strip()[-300:]}")
    return done.stdout.splitlines()


def listed(where: tuple[str, str]) -> set[str]:
    """Topics of all that is kept, but for the broker's own."""
    return set(heard(where, "--topic", "#", "--retained-only", "-F", "%t", "-W", str(LISTED_S)))


def clear(where: tuple[str, str]) -> int:
    """Forget what may not stay; how many there were."""
    stays = may_stay(ACCESS.read_text(encoding="utf-8"), CONFIG.read_text(encoding="utf-8"))
    cleared = 0
    for _ in range(ROUNDS):
        surplus = sorted(listed(where) - stays)
        if not surplus:
            return cleared
        for at in range(0, len(surplus), AT_ONCE):
            some = surplus[at : at + AT_ONCE]
            topics = [word for topic in some for word in ("--topic", topic)]
            heard(where, *topics, "--qos", "1", "--retained-only", "--remove-retained", "-F", "", "-W", "2")
        cleared += len(surplus)
    raise Refused(f"after {ROUNDS} rounds something is kept again: who writes it? See the broker's journal")


def main(words: list[str]) -> dict[str, int]:
    """Do it; what to tell."""
    host, port, verb = words
    if verb == "clear":
        return {"cleared": clear((host, port))}
    lines = heard((host, port), "--topic", "$SYS/broker/retained messages/count", "-C", "1", "-W", "15")
    if not lines:
        raise Refused("the broker does not say it")
    return {"kept": int(lines[0])}


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1:])))
    except (Refused, OSError, ValueError, subprocess.TimeoutExpired) as why:
        sys.exit(f"ngatu-kept: {why}")
