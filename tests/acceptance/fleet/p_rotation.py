"""New keys and certificates while events flow: none is lost, and no key is ever seen."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from fleet.ca import authority as ca
from tests.acceptance.faults.stage import Receiver, Victim, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.callers import let_in
from tests.acceptance.fleet.doors import BOX, BOX_DOOR, BROKER, STATION_DOOR, Doors, Pair, open_doors
from tests.acceptance.fleet.kept import PASSPHRASE
from tests.support.brokers import until

COMMUNE = "hai-ninh"
RATE = 15.0
"""Events a second, one by one."""
GAP_S = 5.0
TOOL = "/usr/local/sbin/ngatu-certificate"
DYING = Path(__file__).with_name("dying.py")
PLENTY = 1_000_000


@promise(
    "P34",
    "ten rotations of a box's certificate under load, then kill -9 before each change that the tool makes",
    "0 lost, longest gap <= 5 s, a key is never readable by others, and a valid pair is there after each kill",
    minutes=3,
)
def rotation_loses_nothing(trial: Trial) -> str:
    with open_doors(trial.folder) as doors, _load(doors, trial.folder) as load, _watched(doors) as watch:
        rotations = trial.size(10, 10, 2)
        serials = [_state(doors)["serial"]]
        for _ in range(rotations):
            doors.play("rotate.yml", f"--limit={BOX}").good()
            serials.append(_state(doors)["serial"])
            load.change_line()
        assert len(set(serials)) == rotations + 1, f"not a new one each time: {serials}"
        steps = _killed_at_each_step(doors, load, watch, every=trial.size(1, 1, 4))
        verdict = load.judged()
    return f"{rotations} rotations, each with a new line afterwards: {verdict}; {steps}; {watch}"


@promise(
    "F4",
    "rotate.yml for box, broker and station under load; what they had is revoked, then the broker is killed",
    "0 lost, longest gap <= 5 s, everybody comes back with the new pair, and no older one opens a door",
    minutes=1.5,
)
def everybody_at_once(trial: Trial) -> str:
    with open_doors(trial.folder) as doors, _load(doors, trial.folder) as load:
        trusted, where = doors.ca / "ca.crt", doors.broker.address
        before = {
            (host, role): _copied(doors, host, role, trial.folder / f"{role}-before")
            for host, role in ((BOX, "box"), (BROKER, f"station-{COMMUNE}"), (BROKER, "operator"))
        }
        for _, pair in before.items():
            assert let_in((where, BOX_DOOR), trusted, pair), f"{pair.name} is not let in before"
        issued = len(ca.look(doors.ca).index.issued())
        played = doors.play(
            "rotate.yml", f"--limit={BOX},{BROKER}", "-e", "ngatu_ca_revoke_old=true", timeout_s=600
        ).good()
        made = len(ca.look(doors.ca).index.issued()) - issued
        during = load.longest_gap_s()
        connects = load.connects()
        doors.broker.ssh("systemctl kill -s KILL mosquitto.service").good()
        until(lambda: load.connects() > connects, 60, "the box has a new line")
        for (host, role), pair in before.items():
            assert not let_in((where, BOX_DOOR), trusted, pair), (
                f"{role}: the older certificate still opens the door"
            )
            new = doors.pair_of(doors.fleet[host], role, pair.name)
            assert let_in((where, BOX_DOOR), trusted, new), (
                f"{role}: the new certificate does not open the door"
            )
        verdict = load.judged()
    return (
        f"{made} certificates in {played.seconds:.0f} s, longest gap meanwhile {during:.1f} s; then the broker "
        f"was killed and all came back by the new ones: {verdict}; the older ones are refused"
    )


# ------------------------------------------------------------------------------------------------ the load


class Load:
    """A real box and a real station with the pairs of the hosts: these programs read them through the hosts."""

    def __init__(self, doors: Doors, folder: Path) -> None:
        self.doors = doors
        self.victim, self.station = Victim(folder / "box", BOX_DOOR), Receiver(folder, STATION_DOOR)
        box = doors.pair_of(doors.fleet[BOX], "box", BOX)
        station = doors.pair_of(doors.broker, f"station-{COMMUNE}", f"station.{COMMUNE}")
        for config, pair in ((self.victim.config, box), (self.station.config, station)):
            tls = f"tls: {{ca: {doors.ca}/ca.crt, cert: {pair.certificate}, key: {pair.key}}}"
            text = config.read_text().replace("test-commune", COMMUNE).replace("victim-01", BOX)
            config.write_text(text.replace("host: 127.0.0.1", f"host: {doors.broker.address}, {tls}"))

    def connects(self) -> int:
        """How often the box has been let in."""
        return (self.victim.folder / "victim.log").read_text(errors="replace").count('"broker_connected"')

    def change_line(self) -> None:
        """Break the box's connection: the next one is made with the pair that is there then."""
        before = self.connects()
        self.doors.broker.ssh(
            "nft 'table inet cut { chain input { type filter hook input priority -10; "
            f"tcp dport {BOX_DOOR} reject with tcp reset; }}; }}'; sleep 0.3; nft delete table inet cut"
        ).good()
        until(lambda: self.connects() > before, 30, "the box has a new line")

    def longest_gap_s(self) -> float:
        """Between two events that the station has received, so far."""
        rows = self.station.rows(
            "select received_ms from event_revision where json_extract(body, '$.camera') = 'fed' order by 1"
        )
        return max((later[0] - earlier[0] for earlier, later in pairwise(rows)), default=0) / 1000

    def judged(self) -> str:
        """What was lost, and the longest gap. Broken when either is more than promised."""
        gap_s = self.longest_gap_s()
        self.victim.end()
        self.victim.start(1)  # what its end left in the outbox goes out
        findings = settled(self.victim, self.station)
        if not findings.clean or gap_s > GAP_S:
            raise Broken(f"{findings}; longest gap {gap_s:.1f} s; {self.victim.last_words()}")
        return f"{findings}; longest gap {gap_s:.1f} s"


@contextmanager
def _load(doors: Doors, folder: Path) -> Iterator[Load]:
    load = Load(doors, folder)
    try:
        load.station.start()
        load.victim.start(PLENTY, rate=RATE)
        until(lambda: len(load.station.committed()) > RATE, 60, "events arrive")
        yield load
    finally:
        load.victim.kill()
        load.station.end()


# ------------------------------------------------------------------------------------------------ the tool


def _state(doors: Doors) -> dict[str, str]:
    printed = doors.fleet[BOX].ssh(f"{TOOL} state").good().output
    return dict(json.loads(printed)["box"])


def _copied(doors: Doors, host: str, role: str, to: Path) -> Pair:
    """The pair of a host as it is now."""
    pair = doors.pair_of(doors.fleet[host], role, "")
    to.mkdir()
    (to / "crt").write_bytes(pair.certificate.read_bytes())
    (to / "key").write_bytes(pair.key.read_bytes())
    name = re.search(r"CN\s*=\s*(\S+)", _openssl("x509", "-in", str(to / "crt"), "-noout", "-subject"))
    assert name is not None
    return Pair(name[1], to / "crt", to / "key")


def _killed_at_each_step(doors: Doors, load: Load, watch: Watch, every: int) -> str:
    """Let `request` and then `install` die before each of their changes, on the box and under load."""
    host, deaths = doors.fleet[BOX], {}
    host.put("/run/dying.py", DYING.read_bytes())
    for verb in ("request", "install"):
        deaths[verb] = 0
        for count in range(1, 1000, every):
            before = _state(doors)["serial"]
            signed = None
            if verb == "install":
                signed = _signed(doors, host.ssh(f"{TOOL} request box {BOX} --group ngatu").good().output)
            died = _dies(
                doors, count, f"{verb} box" + (f" {BOX} --group ngatu" if verb == "request" else ""), signed
            )
            now = _valid(doors)
            watch.look()
            if signed is None:
                assert now == before, f"request, step {count}: another pair is in use"
            else:
                assert now in (before, _serial(signed)), f"install, step {count}: {now}"
            if not died:
                break
            deaths[verb] += 1
            if count % 5 == 1:
                load.change_line()  # with what the kill has left
            again = signed or _signed(doors, host.ssh(f"{TOOL} request box {BOX} --group ngatu").good().output)
            done = host.ssh(f"{TOOL} install box <<'END'\n{again}END")
            assert done.code == 0 and _valid(doors) == _serial(again), (
                f"{verb}, step {count}, again: {done.output}"
            )
    steps_killed = " and ".join(f"{count} steps of {verb}" for verb, count in deaths.items())
    return f"killed at {steps_killed}: a valid pair each time, and the next rotation works"


def _dies(doors: Doors, count: int, words: str, signed: str | None) -> bool:
    """Run the tool on the box until its COUNTth change; whether it died there."""
    log = "/run/died"
    given = f" <<'END'\n{signed}END" if signed else " </dev/null"
    done = doors.fleet[BOX].ssh(f"rm -f {log}; python3 -IB /run/dying.py {count} {log} {TOOL} {words}{given}")
    died = doors.fleet[BOX].ssh(f"test -e {log}").code == 0
    assert (done.code == 0) != died, f"{words}, step {count}: {done.output}"
    return died


def _signed(doors: Doors, request: str) -> str:
    authority = ca.unlock(doors.ca, PASSPHRASE)
    return authority.sign(request.encode(), "box", BOX, datetime.now(UTC)).decode()


def _valid(doors: Doors) -> str:
    """The serial number of the pair in use; AssertionError unless key and certificate fit and open the door."""
    pair = doors.pair_of(doors.fleet[BOX], "box", BOX)
    ours = _openssl("pkey", "-in", str(pair.key), "-pubout")
    assert _openssl("x509", "-in", str(pair.certificate), "-noout", "-pubkey") == ours, "not of each other"
    assert let_in((doors.broker.address, BOX_DOOR), doors.ca / "ca.crt", pair), "the door does not open"
    return _serial(pair.certificate.read_text())


def _serial(certificate: str) -> str:
    printed = subprocess.run(
        ["openssl", "x509", "-noout", "-serial"], input=certificate, capture_output=True, text=True, check=True
    )
    return printed.stdout.strip().partition("=")[2].lower()


def _openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=True).stdout


# ------------------------------------------------------------------------------------------------ the watch

NOBODY = """
import os, select, sys
looks = denied = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    for folder, _, files in os.walk("/etc/ngatu/tls"):
        for name in files:
            looks += 1
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    if b"PRIVATE" in file.read(4096):
                        sys.exit(f"read {folder}/{name}")
            except PermissionError:
                denied += 1
            except OSError:
                pass
print(looks, denied)
"""


class Watch:
    """Looks at every file below the keys' folder all the time, and lets `nobody` try to read them."""

    def __init__(self, doors: Doors) -> None:
        host = doors.fleet[BOX]
        self.folder = host.inside / "etc/ngatu/tls"
        self.looks, self.keys = 0, 0
        self.open: set[str] = set()
        self.denied = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        host.put("/run/nobody.py", NOBODY)
        self._nobody = subprocess.Popen(
            ["ssh", "-F", str(doors.fleet.ssh_config), BOX,
             "sudo setpriv --reuid=65534 --regid=65534 --clear-groups python3 -IB /run/nobody.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._thread.start()

    def look(self) -> None:
        """Once, at everything."""
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):
                facts = path.lstat()
                if path.is_symlink() or path.is_dir():
                    continue
                self.looks += 1
                if b"PRIVATE" in path.read_bytes():
                    self.keys += 1
                    if facts.st_mode & 0o007:
                        self.open.add(f"{path}: {facts.st_mode:o}")

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            with suppress(FileNotFoundError):  # a folder went while it was listed: the next look sees the rest
                self.look()

    def close(self) -> None:
        """Look no more. Broken when a key could be read."""
        self._stop.set()
        self._thread.join(10)
        printed, _ = self._nobody.communicate("over\n", timeout=30)
        self.denied = printed.strip()
        if self.open or self._nobody.returncode:
            raise Broken(f"a key could be read: {sorted(self.open)} {printed}")

    def __str__(self) -> str:
        return f"{self.keys} looks at keys, none readable by others"


@contextmanager
def _watched(doors: Doors) -> Iterator[Watch]:
    watch = Watch(doors)
    yield watch
    watch.close()
    looks, denied = map(int, watch.denied.split())
    assert denied > 0, f"nobody met no key: {looks} looks"
