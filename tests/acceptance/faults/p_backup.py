"""P62: a station's machine is lost, and another one goes on from the backup."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.acceptance.faults.judge import Findings, judged
from tests.acceptance.faults.stage import Played, Receiver, Victim, playing, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

GAP_S = 1


@promise(
    "P62", "backups while events come; the station's machine is lost with its store; it is restored elsewhere",
    "0 lost with the journal; without it what is missing is told as gaps, number by number",
)  # fmt: skip
def lost_station(trial: Trial) -> str:
    """The second half is the planted fault: the same without the journal, which the judge must see."""
    with_journal = _restored(trial, "with", journal=True)
    without = _restored(trial, "without", journal=False)
    if not with_journal.findings.clean:
        raise Broken(f"with the journal: {with_journal.findings}")
    if not without.findings.lost:
        raise Broken("without the journal nothing was lost: this trial proves nothing")
    untold = {seq for _, seq in without.findings.lost} - without.gaps
    if untold:
        raise Broken(f"without the journal {len(untold)} are lost and no gap tells it, such as {min(untold)}")
    return (
        f"with the journal {with_journal.findings}; backup {with_journal.first_s:.1f} s, the next one "
        f"{with_journal.second_s:.1f} s; restore {with_journal.restore_s:.1f} s; without the journal "
        f"{len(without.findings.lost)} lost, each told as a gap"
    )


class _Outcome:
    """What one machine's loss left, by the judge."""

    findings: Findings
    first_s = second_s = restore_s = 0.0
    gaps: set[int]


def _restored(trial: Trial, name: str, *, journal: bool) -> _Outcome:
    events, outcome = trial.size(1000, 10_000, quick=200), _Outcome()
    folder = trial.folder / name
    folder.mkdir()
    backup = folder / "backup"
    with playing(folder) as (victim, server, station):
        station.end()
        _configure(station, backup, journal=journal)
        station.start()
        victim.start(events // 2, rate=100, picture_every=5)
        until(lambda: _kept_or_waits(station, journal), 60)
        outcome.first_s = _backup(station)
        until(lambda: station.count() > events // 4, 120)
        outcome.second_s = _backup(station)  # now the journal joins it
        victim.until_fed()
        victim.end()
        before = station.count()
        victim.start(events // 2, rate=100, picture_every=5)
        until(lambda: station.count() > before + events // 6, 120)
        station.end(signal.SIGKILL)
        shutil.rmtree(station.folder)
        (folder / "elsewhere").mkdir()
        elsewhere = Receiver(folder / "elsewhere", server.port)
        _configure(elsewhere, backup, journal=journal)
        outcome.restore_s = _timed(elsewhere, "restore", str(backup))
        elsewhere.start()
        try:
            outcome.findings = _settled(victim, elsewhere, lossless=journal)
            outcome.gaps = _gaps(elsewhere, outcome.findings)
        finally:
            elsewhere.end(signal.SIGKILL)
    return outcome


def _settled(victim: Victim, station: Receiver, *, lossless: bool) -> Findings:
    """Without the journal what is lost never comes: the end is when nothing waits in the box any more."""
    if lossless:
        return settled(victim, station)
    victim.until_fed()
    found: list[Findings] = []

    def all_is_settled() -> bool:
        found.append(judged(Played(victim, station)))
        return not found[-1].late

    until(all_is_settled, 120, "nothing waits in the box any more")
    return found[-1]


def _gaps(station: Receiver, findings: Findings) -> set[int]:
    """The numbers that the station tells as missing; waits for its scan where something is lost.

    They are `gone` from the next hello on: while the box holds anything older, they might still come.
    """
    query = "select first, last from gap where closed_ms is null"
    if findings.lost:
        lost = {seq for _, seq in findings.lost}
        deadline_s = time.monotonic() + 60
        while lost - _numbers(station.rows(query)) and time.monotonic() < deadline_s:
            time.sleep(0.5)
    return _numbers(station.rows(query))


def _numbers(ranges: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def _configure(station: Receiver, backup: Path, *, journal: bool) -> None:
    with station.config.open("a", encoding="utf-8") as config:
        config.write(f"ingest: {{gap_after_s: {GAP_S}}}\n")
        config.write(f"backup: {{folder: {backup}, journal: {str(journal).lower()}}}\n")


def _kept_or_waits(station: Receiver, journal: bool) -> bool:
    """With a journal and no backup yet the station keeps nothing: it has nowhere to write it to."""
    if journal:
        return b"journal_away" in (station.folder / "station.log").read_bytes()
    return station.count() > 10


def _backup(station: Receiver) -> float:
    return _timed(station, "backup")


def _timed(station: Receiver, *words: str) -> float:
    began_s = time.monotonic()
    command = [sys.executable, "-m", "agent", "station", *words, "-c", str(station.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-400:]
        raise Broken(f"{words[0]} ended with {done.returncode}: {said}")
    return time.monotonic() - began_s
