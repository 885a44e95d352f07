"""P1, P2, P8: sudden deaths at any moment lose nothing, invent nothing and double nothing."""

from __future__ import annotations

import signal
import time

from tests.faults.stage import Receiver, Victim, playing, settled
from tests.faults.suite import Broken, Trial, promise

PLACES = ("before-commit", "after-commit", "before-publish", "after-publish", "before-forget", "after-forget")
SETTLE_S = 60.0


@promise("P1", "the box is killed at random moments and at named places", "0 lost, 0 phantom, 0 doubled")
def killed_boxes(trial: Trial) -> str:
    """Half of the deaths come at any moment, half at a named place of the delivery."""
    kills, events = trial.size(60, 1000), trial.size(6000, 100_000)
    each, chance = events // kills, trial.chance("P1")
    with playing(trial.folder) as (victim, _, station):
        for life in range(kills):
            if life % 2:
                victim.start(each, kill_at=f"{chance.choice(PLACES)}:{chance.randint(1, 4)}")
                if not victim.died(8):
                    victim.kill()
            else:
                victim.start(each)
                time.sleep(chance.uniform(0.0, 0.6))
                victim.kill()
        return _in_the_end(victim, station, kills)


@promise("P2", "box, broker and station are killed at random", "0 lost, 0 phantom, 0 doubled")
def killed_parts(trial: Trial) -> str:
    """The broker forgets what it had acknowledged; the station is killed in the middle of its commits."""
    kills, events = trial.size(40, 500), trial.size(6000, 100_000)
    each, chance = events // kills, trial.chance("P2")
    with playing(trial.folder) as (victim, server, station):
        victim.start(each)
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 0.7))
            part = chance.choice(("box", "broker", "station"))
            if part == "box" or not victim.alive:
                victim.kill()
            elif part == "broker":
                server.kill()
                server.start()
            else:
                station.end(signal.SIGKILL)
                station.start()
            if part != "box":
                victim.end()
            victim.start(each)
        return _in_the_end(victim, station, kills)


def lost_by_trust(trial: Trial, kills: int, events: int, confirm: str) -> int:
    """The station is away while the box sends, then the broker dies; how many are lost in the end."""
    chance, each = trial.chance("P2.1"), events // kills
    folder = trial.folder / (confirm.rsplit(maxsplit=1)[-1] if confirm else "station")
    folder.mkdir()
    with playing(folder, confirm=confirm) as (victim, server, station):
        victim.start(each)
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 0.5))
            station.end(signal.SIGKILL)  # what the broker has taken now waits in its memory
            victim.end()
            victim.start(each)
            time.sleep(0.4)
            server.kill()
            server.start()
            station.start()
        return len(settled(victim, station, SETTLE_S if not confirm else 15).lost)


@promise(
    "P2.1", "planted fault: the box forgets on PUBACK", "it loses and the judge sees it; with receipts 0 lost"
)
def the_judge_bites(trial: Trial) -> str:
    """A suite that cannot turn red proves nothing."""
    kills, events = trial.size(6, 60), trial.size(1200, 12_000)
    with_receipts = lost_by_trust(trial, kills, events, "")
    without = lost_by_trust(trial, kills, events, ", confirm: broker")
    if with_receipts or not without:
        raise Broken(f"{with_receipts} lost with receipts, {without} without: the judge is blind")
    return f"{without} lost on PUBACK, {with_receipts} with receipts, by the same deaths"


@promise(
    "P8",
    "receipts are withheld, so that everything is sent again; parts are killed meanwhile",
    "0 doubled rows",
)
def sent_again(trial: Trial) -> str:
    """The station is stopped between commit and receipt, by SIGKILL, again and again."""
    rounds, chance = trial.size(10, 100), trial.chance("P8")
    with playing(trial.folder) as (victim, _, station):
        victim.start(100 * rounds, rate=300)
        for _ in range(rounds):
            time.sleep(chance.uniform(0.1, 0.5))
            station.end(signal.SIGKILL)
            station.start()
        return _in_the_end(victim, station, rounds)


def _in_the_end(victim: Victim, station: Receiver, kills: int) -> str:
    """Let everybody live, wait, and judge."""
    if not victim.alive:
        victim.start(20)
    findings = settled(victim, station, SETTLE_S)
    if not findings.clean or station.closed_twice() or station.conflicts():
        raise Broken(f"{kills} kills: {findings}")
    return f"{kills} kills: {findings}, {victim.lives} lives"
