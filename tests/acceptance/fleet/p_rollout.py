"""A province from bare Debian, and what a bad release does to it: the roles of deploy/ansible on real hosts."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.at_rest import encrypted, left_in_plain
from tests.acceptance.fleet.hosts import Ran
from tests.acceptance.fleet.province import COMMUNES, Province, bare, keep, rolled_out
from tests.acceptance.fleet.screen import screens_open
from tests.acceptance.fleet.spoiled import BLIND, CRASHES, spoiled
from tests.support.brokers import until

BOXES = (3, 3)
ARRIVES_S = 120
BACK_S = 300
"""So soon a box is back from a bad release."""


@promise(
    "F1",
    "bare Debian on seven hosts becomes a province: broker and station, six boxes in two communes, one command",
    "every box's events are in the station's store, its secrets lie encrypted on its disk; an officer logs in"
    " to the screen over TLS; a second run and --check --diff change nothing",
    minutes=8,
)
def from_bare_debian(trial: Trial) -> str:
    boxes = (trial.size(BOXES[0], BOXES[0], quick=1), trial.size(BOXES[1], BOXES[1], quick=1))
    with bare(trial.folder, boxes) as province:
        left_in_plain(province)
        first = province.play("site.yml").good()
        began = time.monotonic()
        events = _events_of_all(province, ARRIVES_S)
        waited = time.monotonic() - began
        second = province.play("site.yml").good()
        if second.changed:
            raise Broken(f"the second run changed {second.changed}: {_what_changed(second)}")
        before = _fingerprints(province)
        dry = province.play("site.yml", "--check", "--diff").good()
        if dry.changed or _fingerprints(province) != before:
            raise Broken(f"--check --diff changed {dry.changed}: {_what_changed(dry)}")
        lost = {box: gaps for box in province.communes if (gaps := missing(province, box))}
        if lost:
            raise Broken(f"not at the station: {lost}")
        secrets = encrypted(province)
        screens = screens_open(province)
        keep(province)
    tasks = sum(counts["ok"] for counts in first.recap.values())
    return (
        f"{len(first.recap)} hosts in {first.seconds:.0f} s ({tasks} tasks, {first.changed} changes), then "
        f"{sum(events.values())} events of {len(events)} boxes within {waited:.0f} s, none missing; "
        f"{secrets}; {screens}; second run {second.seconds:.0f} s, changed 0; "
        f"--check --diff {dry.seconds:.0f} s, changed 0"
    )


def _events_of_all(province: Province, within_s: float) -> dict[str, int]:
    """How many events of each box the stations' stores hold, once there is one of each."""
    found: dict[str, int] = {}

    def all_there() -> bool:
        for commune in COMMUNES:
            found.update({box: stats["events"] for box, stats in province.stats(commune).items()})
        return all(found.get(box, 0) > 0 for box in province.communes)

    until(all_there, within_s, "an event of every box is in the store")
    return found


def missing(province: Province, box: str) -> str:
    """Which numbers of a box's outbox the station has not, by asking both; nothing: none.

    The box goes on meanwhile, so what it has given by now must arrive within a little while.
    """
    ((stream, following),) = province.outbox(box, "select stream, next_seq from life")
    commune, deadline = province.communes[box], time.monotonic() + 60
    query = f"select seq from message join stream on stream.id = stream_id where stream.name = '{stream}'"
    while True:
        lacking = set(range(1, following)) - {row[0] for row in province.stored(commune, query)}
        if not lacking:
            return ""
        if time.monotonic() > deadline:
            return f"{len(lacking)} of {following - 1}: {sorted(lacking)[:10]}"
        time.sleep(1)


def _what_changed(ran: Ran) -> list[str]:
    """Names of the tasks that changed something."""
    changed, task = [], ""
    for line in ran.output.splitlines():
        if found := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*?)\]", line):
            task = found[1]
        elif line.startswith("changed:"):
            changed.append(f"{task} ({line[9:60]})")
    return changed


def _fingerprints(province: Province) -> dict[str, str]:
    """Of each host: every file that the roles write, by content and time, and when its services started."""
    command = (
        "find /etc /opt/ngatu /usr/local -xdev -newermt 2000-01-01 -not -path '*/__pycache__*' "
        "-printf '%p %T@ %l %m %u\\n' | sort | sha256sum; "
        "systemctl show --property=Id,ActiveEnterTimestampMonotonic,MainPID "
        "ngatu.service mosquitto.service ssh.service nftables.service nginx.service"
    )
    return {name: host.ssh(command).good().output for name, host in province.fleet.hosts.items()}


# ---------------------------------------------------------------------------------------------- bad releases


@promise(
    "F2",
    "on ring one: a release that dies as it starts, one whose cameras never say a word, a wrong configuration",
    "the box is back by itself within 5 minutes, the play stops, other boxes are untouched, nothing is lost",
    minutes=6,
)
def bad_releases(trial: Trial) -> str:
    boxes = (trial.size(BOXES[0], BOXES[0], quick=2), trial.size(BOXES[1], BOXES[1], quick=2))
    with rolled_out(trial.folder, boxes) as province:
        for box in province.communes:
            province.rollout_check(box, province.bundles.version, 120).good()
        # Side by side: each commune has a ring one of its own.
        bad = [
            _Bad(province, COMMUNES[0], spoiled(province.bundles, "0.1.1", CRASHES, trial.folder)),
            _Bad(province, COMMUNES[1], spoiled(province.bundles, "0.1.2", BLIND, trial.folder)),
        ]
        deadline = time.monotonic() + 15 * 60
        while False in {each.over() for each in bad}:  # each of them is looked at each time
            if time.monotonic() > deadline:
                raise Broken(f"not over after 15 minutes: {[each.playing.said()[-1500:] for each in bad]}")
            time.sleep(0.5)
        dies, blind = (each.judged() for each in bad)
        wrong = _wrong_configuration(province)
    return f"dies: {dies}; blind: {blind}; wrong configuration: {wrong}"


class _Bad:
    """A bad release on its way through a commune."""

    def __init__(self, province: Province, commune: str, bundle: Path) -> None:
        self.province = province
        self.first, *self.others = province.of(commune)
        self.before = {box: _untouched(province, box) for box in self.others}
        self.setup = self._box("readlink /opt/ngatu/current")
        self.began_s = self.back_s = self.healthy_s = 0.0
        limit = f"commune_{commune.replace('-', '_')}"
        self.playing = province.begun("update.yml", "--limit", limit, ngatu_agent_bundle=str(bundle))

    def _box(self, command: str) -> str:
        return self.province.fleet[self.first].ssh(command).output.strip()

    def over(self) -> bool:
        """Look once: whether the box is back and the play has ended."""
        self.playing.over()
        if not self.began_s:
            found = re.search(r"^[\d.]+$", self._box("stat -c %.Y /opt/ngatu/trial.json"))
            self.began_s = float(found[0]) if found else 0.0
        elif not self.back_s:
            if self._box("cat /opt/ngatu/trial.json 2>&1 | grep -c setup; readlink /opt/ngatu/current") == (
                f"0\n{self.setup}"
            ):
                self.back_s = float(self._box("stat -c %.Y /opt/ngatu/last.json"))
        elif not self.healthy_s:
            self.province.rollout_check(self.first, self.province.bundles.version, BACK_S).good()
            self.healthy_s = time.time()
        return self.playing.over() and (self.healthy_s > 0 or not self.began_s)

    def judged(self) -> str:
        """What was measured.

        Raises:
            Broken: the box is not back in time, the play went on, or something is lost.
        """
        ran, took_s = self.playing.finished(1), self.healthy_s - self.began_s
        why = json.loads(self._box("cat /opt/ngatu/last.json"))["why"] if self.began_s else "it was never on"
        seen = f"{self.first} back {self.back_s - self.began_s:.0f} s after the switch ({why}), at the station "
        seen += f"{took_s:.0f} s after it, play stopped after {ran.seconds:.0f} s"
        wrong = [
            f"{box} was touched" for box in self.others if _untouched(self.province, box) != self.before[box]
        ]
        wrong += [
            f"lost of {box}: {gaps}"
            for box in [self.first, *self.others]
            if (gaps := missing(self.province, box))
        ]
        if ran.code == 0 or not self.began_s or took_s > BACK_S or wrong:
            raise Broken(f"{seen}; exit code {ran.code}; {'; '.join(wrong)}; {ran.output[-1500:]}")
        return seen


def _wrong_configuration(province: Province) -> str:
    """No box ever runs it: the release that is there judges it before anything changes."""
    before = {box: _untouched(province, box) for box in province.communes}
    ran = province.play("update.yml", ngatu_agent_settings={"health": {"interval_s": 1}})
    if ran.code == 0 or "health.interval_s" not in ran.output:
        raise Broken(f"it was not refused for what is wrong: exit code {ran.code}: {ran.output[-1500:]}")
    if touched := [box for box in before if _untouched(province, box) != before[box]]:
        raise Broken(f"touched although its configuration was refused: {touched}")
    return f"refused on ring one by the release itself, no box touched, play stopped after {ran.seconds:.0f} s"


def _untouched(province: Province, box: str) -> str:
    """What would be another if anybody had been at a box's release, its agent or its power switch."""
    command = (
        "readlink /opt/ngatu/current; stat -c '%i %.Z' /opt/ngatu/current; "
        "ls /opt/ngatu/releases /opt/ngatu/setups; "
        "cat /proc/1/stat | cut -d' ' -f22; "
        "systemctl show --property=ActiveEnterTimestampMonotonic,NRestarts,MainPID ngatu.service"
    )
    return province.fleet[box].ssh(command).good().output
