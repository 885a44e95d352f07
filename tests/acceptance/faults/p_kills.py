"""P1, P2, P8: sudden deaths at any moment lose nothing, invent nothing and double nothing."""

from __future__ import annotations

import signal
import time

from tests.acceptance.faults.progress import QUIET_S, until_none_is_missing
from tests.acceptance.faults.stage import Receiver, Spy, Victim, outbox_says, playing, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

PLACES = ("before-commit", "after-commit", "before-publish", "after-publish", "before-forget", "after-forget")
BLIND_S = 8.0
"""Nothing comes for so long: what a planted fault has lost will not come any more."""
TAKEN = 10
"""Events that the broker has passed on, before it dies with what it keeps for the station."""


@promise(
    "P1",
    "the box is killed at random moments and at named places",
    "0 lost, 0 phantom, 0 doubled",
    minutes=1.2,
    patient=True,
)
def killed_boxes(trial: Trial) -> str:
    """Half of the deaths come at any moment, half at a named place of the delivery.

    What a death kept from being put is put by the last life.
    """
    kills, events = trial.size(60, 1000), trial.size(6000, 100_000)
    each, chance = events // kills, trial.chance("P1")
    with playing(trial.folder) as (victim, _, station):
        for life in range(kills):
            if life % 2:
                victim.start(each, kill_at=f"{chance.choice(PLACES)}:{chance.randint(1, 4)}")
                if not victim.died(4):
                    victim.kill()
            else:
                victim.start(each)
                time.sleep(chance.uniform(0.0, 0.6))
                victim.kill()
        return _in_the_end(victim, station, kills, events)


@promise("P2", "box, broker and station are killed at random", "0 lost, 0 phantom, 0 doubled", minutes=1.2)
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
        return _in_the_end(victim, station, kills, events)


def lost_by_trust(trial: Trial, name: str, *, confirm: str = "", plant: str = "") -> int:
    """The station is away while the box sends, then the broker dies; how many are lost in the end.

    Somebody else listens too, so it is known that the broker has taken something before it dies.
    """
    kills, events = trial.size(6, 60), trial.size(1200, 12_000)
    chance, each = trial.chance("P2.1"), events // kills
    planted = {"plant": plant} if plant else {}
    folder = trial.folder / name
    folder.mkdir()
    with playing(folder, confirm=confirm) as (victim, server, station):
        spy = Spy(server.port)
        victim.start(each, **planted)
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 0.5))
            station.end(signal.SIGKILL)  # what the broker has taken now waits in its memory
            victim.end()
            until(lambda: spy.hears, 30, "somebody else listens")
            heard = len(spy.events)
            victim.start(each, **planted)
            victim.until_fed()
            until_none_is_missing(
                lambda heard=heard: max(0, heard + TAKEN - len(spy.events)), "the broker takes some of them"
            )
            time.sleep(0.2)
            server.kill()
            server.start()
            station.start()
        spy.close()
        return settled(victim, station, BLIND_S if confirm or plant else QUIET_S).missing


@promise(
    "P2.1",
    "planted fault: the box forgets on PUBACK",
    "it loses and the judge sees it; with receipts 0 lost",
    patient=True,
)
def forgotten_on_puback(trial: Trial) -> str:
    """A suite that cannot turn red proves nothing."""
    with_receipts = lost_by_trust(trial, "with-receipts")
    without = lost_by_trust(trial, "without", confirm=", confirm: broker")
    if with_receipts or not without:
        raise Broken(f"{with_receipts} lost with receipts, {without} without: the judge is blind")
    return f"{without} lost on PUBACK, {with_receipts} with receipts, by the same deaths"


@promise(
    "P2.2",
    "planted fault: what the broker has taken is never sent again",
    "it loses and the judge sees it",
    patient=True,
)
def never_sent_again(trial: Trial) -> str:
    """Without a receipt a message must go again: brokers lose what they have taken."""
    lost = lost_by_trust(trial, "send-once", plant="send-once")
    if not lost:
        raise Broken("nothing was lost: the judge is blind")
    return f"{lost} lost in the last life"


@promise("P8.1", "planted fault: each life of the box numbers from one again", "judge and station see it")
def numbers_used_twice(trial: Trial) -> str:
    """The station keeps what it had first, and notes the other as a conflict."""
    events = trial.size(200, 2000)
    with playing(trial.folder) as (victim, _, station):
        victim.start(events, picture_every=0)
        first = settled(victim, station)
        until_none_is_missing(
            lambda: outbox_says(victim, "select count(*) from message"), "all of it is receipted"
        )
        victim.end()
        victim.start(events, picture_every=0, plant="count-from-one")
        # How many it numbers again depends on how soon it hears of it: it begins a new stream then (P42).
        until(station.conflicts, 60, "the station notes a conflict")
        findings = settled(victim, station, 0)
    if not first.clean or not findings.conflicts:
        raise Broken(f"{len(findings.conflicts)} conflicts among {events} numbers: the judge is blind; {first}")
    return (
        f"{len(findings.conflicts)} of {events} numbers seen twice; {station.conflicts()} noted by the station"
    )


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


def _in_the_end(victim: Victim, station: Receiver, kills: int, events: int = 0) -> str:
    """Let everybody live, put what is left of so many events, wait, and judge."""
    if victim.alive:
        victim.until_fed()
        victim.end()
    victim.start(max(20, events - sum("/" in row.name for row in victim.accepted)))
    findings = settled(victim, station)
    if not findings.clean or station.closed_twice() or station.conflicts():
        raise Broken(f"{kills} kills: {findings}")
    return f"{kills} kills: {findings}, {victim.lives} lives"
