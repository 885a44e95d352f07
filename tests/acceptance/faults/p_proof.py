"""P9: what is deleted, altered or swapped at the station is found and located."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

from station.ingest.digests import of_json
from tests.acceptance.faults.stage import Receiver, playing, settled
from tests.acceptance.faults.suite import Broken, Trial, promise


@promise(
    "P9", "rows of the station's store are deleted, altered, swapped, and altered with a digest that fits",
    "each is found and located",
    minutes=0.8,
)  # fmt: skip
def tampering(trial: Trial) -> str:
    """`ngatu station verify` names the numbers; the last kind is found by the box's seals only."""
    events, tries, chance = (
        trial.size(10_000, 10_000, quick=600),
        trial.size(12, 60, quick=2),
        trial.chance("P9"),
    )
    with playing(trial.folder) as (victim, _, station):
        victim.start(events)
        findings = settled(victim, station)
        victim.end()
        station.end()
        if not findings.clean:
            raise Broken(str(findings))
    if complaints := _verify(station):
        raise Broken(f"untouched, and yet: {complaints}")
    whole, count = trial.folder / "whole.db", 0
    shutil.copy(station.folder / "station.db", whole)
    for _ in range(tries):
        shutil.copy(whole, station.folder / "station.db")
        touched = _tamper(station.folder / "station.db", chance, 20)
        found = _numbers(_verify(station))
        if not touched <= found:
            raise Broken(
                f"{len(touched - found)} of {len(touched)} not located, such as {min(touched - found)}"
            )
        if found - touched:
            raise Broken(f"{len(found - touched)} accused that are as they came")
        count += len(touched)
    return f"{count} of {count} located, in a store of {findings.committed} messages; none accused wrongly"


def _tamper(path: Path, chance: Random, times: int) -> set[int]:
    """Do so many things to the store; the numbers that are not as they came any more."""
    with closing(sqlite3.connect(path)) as database:
        query = (
            "select stream_id, seq, event_id, revision, body, digest from event_revision "
            "where seq < (select max(seq) from event_revision) - 400"  # what no seal lists yet
        )
        rows = chance.sample(database.execute(query).fetchall(), 2 * times)
        touched: set[int] = set()
        for number in range(times):
            one, other = rows[2 * number], rows[2 * number + 1]
            kind = chance.choice(("delete", "alter", "swap", "forge"))
            if kind == "delete":
                database.execute("delete from message where stream_id = ? and seq = ?", one[:2])
                database.execute("delete from event_revision where event_id = ? and revision = ?", one[2:4])
            elif kind == "swap":
                for into, source in ((one, other), (other, one)):
                    _write(database, into, source[4], into[5])
                touched.add(other[1])
            else:
                body = one[4].replace('"direction":"in"', '"direction":"out"')
                assert body != one[4]
                digest = of_json(body.encode()) if kind == "forge" else one[5]
                _write(database, one, body, digest)
                database.execute(
                    "update message set digest = ? where stream_id = ? and seq = ?", (digest, *one[:2])
                )
            touched.add(one[1])
        database.commit()
    return touched


def _write(database: sqlite3.Connection, row: tuple[object, ...], body: str, digest: str) -> None:
    database.execute(
        "update event_revision set body = ?, digest = ? where event_id = ? and revision = ?",
        (body, digest, *row[2:4]),
    )


def _verify(station: Receiver) -> str:
    """What it says, or nothing if all is as it came."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "station", "verify", "-c", str(station.config)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise Broken(f"verify ended with {done.returncode}: {done.stderr[-400:]}")
    accused = [line for line in done.stdout.splitlines() if ": in no seal yet: " not in line]
    return "\n".join(accused) if done.returncode else ""


def _numbers(printed: str) -> set[int]:
    found: set[int] = set()
    for line in printed.splitlines():
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", line.rpartition(": ")[2]):
            found |= set(range(int(first), int(last or first) + 1))
    return found
