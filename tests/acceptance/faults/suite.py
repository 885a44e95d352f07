"""What a promise is, how it is tried, and how the result is told: one line each, and the same as JSON.

Each module of this folder declares its promises with `@promise`; `__main__.py` gathers and runs them. A promise
is tried on real parts in processes of their own. What it needs and this machine lacks (root, a tool) makes the
verdict "not tried" with the reason: never "kept".
"""

from __future__ import annotations

import importlib
import os
import random
import resource
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Literal

import psutil

from tests.acceptance.faults import cradle

Size = Literal["quick", "usual", "long"]
Outcome = Literal["kept", "BROKEN", "not tried"]

LOOK_S = 2.0
"""So long the machine is watched before one more trial begins: a trial shows what it takes within that."""
SPARE = 0.25
"""The share of the machine that has to be idle, or at work on what gives way, for one more."""
SHARE_OF_PATIENT = 0.05
"""So much more has to be so for each patient trial at work: four of them at a quarter of two cores starve."""
GIVES_WAY = 19
"""How nice (nice(2)) a patient trial is to all others: two of them take less than a tenth from one."""
PATIENT_PER_CORE = 2
"""Patient trials at one time: they wait a part of their time, too, and one for each core left cores idle."""


class NotTried(Exception):
    """This machine lacks what the trial needs; the text says what."""


class Broken(Exception):
    """The promise was seen broken; the text says what was measured."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial may use."""

    folder: Path
    """Empty, and gone afterwards."""
    seed: int
    size_of: Size
    """`quick` is for `make test-long`, `usual` for `make test-faults`, `long` before a release."""

    def size(self, usual: int, long: int, quick: int | None = None) -> int:
        """How much of it; `quick` is a tenth of the usual unless it is given."""
        sizes = {"usual": usual, "long": long, "quick": max(1, usual // 10) if quick is None else quick}
        return sizes[self.size_of]

    def chance(self, more: object = "") -> random.Random:
        """Dice that fall the same way for the same seed."""
        return random.Random(f"{self.seed} {more}")


@dataclass(frozen=True, slots=True)
class Promise:
    """One numbered promise and its trial."""

    number: str
    done: str
    """What is done to the parts, in a line."""
    mark: str
    """The pass mark, in a line."""
    run: Callable[[Trial], str]
    """Returns what was measured; raises Broken, NotTried, or AssertionError."""
    minutes: float = 0.5
    """About so long it takes at its usual size: of several at one time the longest begin first."""
    patient: bool = False
    """It works without a pause and is held to no seconds: beside others it gives way to them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one promise fared."""

    number: str
    done: str
    mark: str
    measured: str
    outcome: Outcome
    seconds: float
    processor_s: float
    """Of the trial and of the processes that it began and saw end."""
    seed: int


def exit_status(verdicts: Sequence[Verdict], allow_missing: bool = False) -> int:
    """0: each promise was tried and kept; 1: one was seen broken; 3: one was not tried, or there was none.

    With `allow_missing` what was not tried is no failure: the caller knows that the machine may lack parts.
    """
    outcomes = {each.outcome for each in verdicts}
    if "BROKEN" in outcomes:
        return 1
    return 0 if outcomes == {"kept"} or allow_missing else 3


PROMISES: dict[str, Promise] = {}


def promise(
    number: str, done: str, mark: str, minutes: float = 0.5, *, patient: bool = False
) -> Callable[[Callable[[Trial], str]], Callable[[Trial], str]]:
    """Declare the trial of a promise, about how long it takes, and whether it may wait."""

    def declare(run: Callable[[Trial], str]) -> Callable[[Trial], str]:
        assert number not in PROMISES, f"{number} is declared twice"
        PROMISES[number] = Promise(number, done, mark, run, minutes, patient)
        return run

    return declare


def tried(each: Promise, seed: int, size: Size = "usual") -> Verdict:
    """Try one promise; whatever its trial raises becomes the verdict."""
    began, worked_s = time.monotonic(), _processor_s()
    with tempfile.TemporaryDirectory(prefix=f"ngatu-{each.number}-") as folder:
        try:
            measured, outcome = each.run(Trial(Path(folder), seed, size)), "kept"
        except NotTried as why:
            measured, outcome = str(why), "not tried"
        except (Broken, AssertionError) as why:
            measured, outcome = str(why) or "an assertion failed", "BROKEN"
        except BaseException as why:
            if isinstance(why, KeyboardInterrupt):
                raise
            # pytest.fail raises from BaseException's other branch; a trial must end as a line, not as a crash.
            where = traceback.extract_tb(why.__traceback__)[-1]
            measured = f"{type(why).__name__}: {why} ({Path(where.filename).name}:{where.lineno})"
            outcome = "BROKEN"
        finally:
            cradle.end_all()
    spent_s, worked_s = time.monotonic() - began, _processor_s() - worked_s
    times = round(spent_s, 1), round(worked_s, 1)
    return Verdict(each.number, each.done, each.mark, measured, outcome, *times, seed)  # type: ignore[arg-type]


def _processor_s() -> float:
    """What this process has used by now, and its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def all_tried(room: str, chosen: Sequence[Promise], seed: int, size: Size, jobs: int) -> Iterator[Verdict]:
    """Try these, up to `jobs` at one time; the verdicts as they come.

    More than one at a time have a process each, and the longest begin first. Most wait for something most of
    the time, and are held to seconds: one more begins only while the machine has something to spare. What is
    patient fills the pauses, two such trials for each core, and gives way to the others.
    """
    if jobs == 1:
        yield from (tried(each, seed, size) for each in chosen)
        return
    waiting = sorted(chosen, key=lambda each: -each.minutes)
    running: dict[Future[Verdict], Promise] = {}
    most_patient = PATIENT_PER_CORE * len(os.sched_getaffinity(0))
    context = get_context("forkserver")  # one process imports what the trials need, and each begins out of it
    context.set_forkserver_preload(sorted({each.run.__module__ for each in chosen}))
    with ProcessPoolExecutor(jobs, context, initializer=heed_the_end, max_tasks_per_child=1) as pool:
        machine = Machine()
        try:
            while waiting or running:
                patient = sum(each.patient for each in running.values())
                has_spare = len(running) == patient or machine.has_spare(patient)
                begins = (each for each in waiting if (patient < most_patient if each.patient else has_spare))
                if len(running) < jobs and (one := next(begins, None)) is not None:
                    waiting.remove(one)
                    running[pool.submit(_tried_there, one.run.__module__, one.number, seed, size)] = one
                    machine = machine if one.patient else Machine()
                for trial in wait(running, LOOK_S, FIRST_COMPLETED).done:
                    del running[trial]
                    yield trial.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise


class Machine:
    """How much of the machine is idle, or at work on what gives way, from its making on."""

    def __init__(
        self, times: Callable[[], Any] = psutil.cpu_times, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`times`: what all cores together spent in what, in seconds."""
        self._times, self._clock = times, clock
        self._before, self._began_s = times(), clock()

    def has_spare(self, patient: int) -> bool:
        """Whether that is enough for one more beside so many patient trials.

        False until it was watched long enough; then it begins anew.
        """
        if self._clock() < self._began_s + LOOK_S:
            return False
        now = self._times()
        spent = [after - before for after, before in zip(now, self._before, strict=True)]
        idle = sum(getattr(now, way) - getattr(self._before, way) for way in ("idle", "iowait", "nice"))
        self._before, self._began_s = now, self._clock()
        return idle >= (SPARE + patient * SHARE_OF_PATIENT) * sum(spent)


def heed_the_end() -> None:
    """Unwind at SIGTERM, as at Ctrl-C: what a trial has begun is taken down on the way out."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _tried_there(module: str, number: str, seed: int, size: Size) -> Verdict:
    importlib.import_module(module)
    one = PROMISES[number]
    if one.patient:
        os.nice(GIVES_WAY)
    return tried(one, seed, size)


def gathered(room: str = "faults") -> dict[str, Promise]:
    """Every promise that a module of this folder declares, or of the folder of that name beside it."""
    package = f"tests.acceptance.{room}."
    for module in sorted((Path(__file__).parent.parent / room).glob("p_*.py")):
        importlib.import_module(package + module.stem)
    # A trial may stand on the parts of another room's, whose promises are not tried with it.
    return {number: each for number, each in PROMISES.items() if each.run.__module__.startswith(package)}


def in_order(promises: Mapping[str, Promise], numbers: Sequence[str]) -> list[Promise]:
    """Those of the promises that are named, or all; by number.

    Raises:
        KeyError: there is no such promise.
    """
    chosen = numbers or list(promises)
    return [promises[number] for number in sorted(chosen, key=lambda name: (float(name[1:]), name))]


@contextmanager
def within(seconds: float, what: str) -> Iterator[Callable[[], float]]:
    """Measure a block; Broken when it took longer. Yields a function that says how long it has taken so far."""
    began = time.monotonic()
    yield lambda: time.monotonic() - began
    took = time.monotonic() - began
    if took > seconds:
        raise Broken(f"{what} took {took:.1f} s, {seconds:g} are allowed")
