"""Makes mistakes, some at one time, and judges what is said."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.faults.mistakes.desk import Desk
from tests.acceptance.faults.mistakes.mistake import Mistake, Said
from tests.acceptance.faults.mistakes.parts import Parts, parts
from tests.acceptance.faults.suite import NotTried


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mistake."""

    mistake: Mistake
    said: Said | None
    amiss: list[str]
    untried: str = ""
    """What this machine lacks to make it."""
    seconds: float = 0.0


def made(mistakes: Sequence[Mistake], folder: Path, jobs: int) -> Iterator[Outcome]:
    """What became of each, in its order."""
    with parts(folder / "parts") as together, ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda each: _made(each, folder / each.name, together), mistakes)


def _made(each: Mistake, folder: Path, together: Parts) -> Outcome:
    began = time.monotonic()
    try:
        said = each.make(Desk(folder, together))
    except NotTried as why:
        return Outcome(each, None, [], str(why))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return Outcome(each, None, [f"it cannot be made: {type(error).__name__}: {error}"])
    return Outcome(each, said, each.amiss(said), seconds=time.monotonic() - began)
