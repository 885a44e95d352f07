"""P71: what leaves a box on request is in its audit log and at the station, and a rewritten line is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import paho.mqtt.client as paho

from agent.commands.audit import verify
from agent.wire.audit_log import VIEWS, AuditFault
from station.audit.box_logs import BoxLog, logs
from station.config import DatabaseSettings
from station.store.database import engine_of, url_of
from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Receiver, Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

TREE = "ngatu/v1/test-commune/victim-01"
AT_ONE_TIME = 200
LOOKS = 10
ON_SITE = 20
"""One in so many is done at the box itself."""


@promise(
    "P71",
    "1,000 times a picture is asked for: snapshots, looks, and recordings at the box while the agent writes as "
    "well; then a line is changed, and then the whole log is written anew from there on",
    "100 % of the actions in the log and at the station, nothing wrong with it; both changes are located",
    minutes=2,
)  # fmt: skip
def audited(trial: Trial) -> str:
    """The box's camera gives 30 pictures a second, so that snapshots are quick."""
    count = trial.size(1000, 10_000, quick=60)
    rules = "[{kind: motion, id: movement}]\n    idle_fps: 30"
    with playing(trial.folder, camera=rules) as (victim, server, station):
        victim.config.write_text(victim.config.read_text().replace("max_fps: 2\n", "max_fps: 30\n"))
        victim.start(1)
        victim.until_fed()
        asked = ask_for_all(server.port, victim, station, count)
        until_none_is_missing(lambda: len(asked - ended(station)), "every action at the station")
        before = log_of(station)
        own = {line["id"] for line in map(json.loads, whole(victim.state)) if line["state"] == "done"}
        if before.findings or asked - own or verify(victim.state / "audit.log") is not None:
            raise Broken(f"{before.findings}, {len(asked - own)} of {count} not in the log of the box")
        victim.end()
        at = 3 + len(before.entries) // 2
        by_box, by_station = changes(victim, station, at, server.port)
    summary = (
        f"{len(asked & own)} of {count} in the log, {len(asked)} of {count} at the station, in "
        f"{len(before.entries)} lines; a changed line {at}: {by_box}; written anew from there: {by_station}"
    )
    if f"line {at} " not in by_box or f"rewritten {at}" not in by_station:
        raise Broken(summary)
    return summary


def ask_for_all(port: int, victim: Victim, station: Receiver, count: int) -> set[str]:
    """Ask for so many pictures, a few at a time; the ids of all."""
    on_site = count // ON_SITE
    asked: set[str] = set()
    recorder = start_recorder(victim.state, on_site)
    with desk(port) as client:
        for number in range(count - on_site):
            name = str(uuid4())
            look = number % max(1, count // LOOKS) == 0
            if look or len(asked) % AT_ONE_TIME == 0:  # two looks of one camera at one time would be refused
                wait_for(station, asked)
            send(client, "look" if look else "snapshot", name)
            asked.add(name)
        wait_for(station, asked)
    out, _ = recorder.communicate(timeout=120)
    return asked | set(out.split())


def start_recorder(state: Path, count: int) -> subprocess.Popen[str]:
    """Somebody at the box, beside the agent; prints the ids."""
    code = (
        "import json, sys, time; from pathlib import Path; from agent.commands.on_site import noted\n"
        "for number in range(int(sys.argv[2])):\n"
        "    with noted(Path(sys.argv[1]), 'record', {'camera': 'road', 'file': str(number)}): pass\n"
        "    time.sleep(0.05)\n"
        "lines = map(json.loads, (Path(sys.argv[1]) / 'audit.log').read_text().splitlines())\n"
        "print(*{line['id'] for line in lines if line['verb'] == 'record'})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(state), str(count)], stdout=subprocess.PIPE, text=True
    )


@contextmanager
def desk(port: int) -> Iterator[paho.Client]:
    """Where orders come from."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="desk", protocol=paho.MQTTv5)
    client.connect("127.0.0.1", port)
    client.subscribe(f"{TREE}/look/#", 1)  # a look that nobody watches ends by itself
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def send(client: paho.Client, verb: str, name: str) -> None:
    """One order."""
    now = datetime.now(UTC)
    args = {"camera": "road"} | ({"seconds": 1, "officer": "Lan", "purpose": "trial"} if verb == "look" else {})
    order = {
        "id": name, "issued_at": now.isoformat(), "expires_at": (now + timedelta(hours=1)).isoformat(),
        "issuer": "Lan", "args": args,
    }  # fmt: skip
    client.publish(f"{TREE}/command/{verb}", json.dumps(order), qos=1).wait_for_publish(10)


def wait_for(station: Receiver, asked: set[str]) -> None:
    """Until the box has answered them all."""

    def missing() -> int:
        rows = station.rows("select suffix from other_message where kind = 'ack'")
        return len(asked - {suffix.partition("/")[2] for (suffix,) in rows})

    until_none_is_missing(missing, "every answer")


def log_of(station: Receiver) -> BoxLog:
    """What the station has of the box's log."""
    engine = engine_of(url_of(DatabaseSettings(), station.folder), writes=False)
    try:
        (log,) = logs(engine)
    finally:
        engine.dispose()
    return log


def ended(station: Receiver) -> set[str]:
    """Ids of the views that are done by what the station has of the log."""
    lines = log_of(station).entries if station.rows("select 1 from other_message where kind = 'audit'") else ()
    return {line.word("id") for line in lines if line.word("state") == "done" and line.word("verb") in VIEWS}


def whole(state: Path) -> list[bytes]:
    """All lines of the log, oldest first."""
    files = sorted(state.glob("audit.log*"), key=lambda path: path.name, reverse=True)
    return [line for file in files for line in file.read_bytes().splitlines()]


def changes(victim: Victim, station: Receiver, at: int, port: int) -> tuple[str, str]:
    """Somebody with the card changes a line, then makes the chain whole again; what box and station say."""
    files = [path for path in victim.state.glob("audit.log*") if f'{{"n":{at},'.encode() in path.read_bytes()]
    (file,) = files
    lines = file.read_bytes().splitlines()
    (index,) = [i for i, line in enumerate(lines) if line.startswith(f'{{"n":{at},'.encode())]
    lines[index] = lines[index].replace(b'"issuer":"', b'"issuer":"no')
    file.write_bytes(b"\n".join(lines) + b"\n")
    by_box = verify(victim.state / "audit.log") or "nothing"
    rechain(victim.state)
    if verify(victim.state / "audit.log") is not None:
        raise Broken("the forger's chain is not whole: the trial proves nothing")
    victim.start(1)
    until(
        lambda: any(each.fault is AuditFault.REWRITTEN for each in log_of(station).findings), 60, "it is found"
    )
    return by_box, ", ".join(f"{each.fault} {each.first}" for each in log_of(station).findings[:3])


def rechain(state: Path) -> None:
    """What whoever owns the card can do: give each line the hash of the one before."""
    prev = "0" * 64
    for file in sorted(state.glob("audit.log*"), key=lambda path: path.name, reverse=True):
        lines = []
        for line in file.read_bytes().splitlines():
            fields = json.loads(line) | {"prev": prev}
            lines.append(json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode())
            prev = sha256(lines[-1]).hexdigest()
        file.write_bytes(b"\n".join(lines) + b"\n")
