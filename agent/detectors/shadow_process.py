"""A model in a process of its own: whatever it does there, the one in use and its events do not notice.

One picture at a time goes over in shared memory, and an answer comes back. A process that dies, hangs, eats
memory or gives nonsense is an error with its kind, and is ended; the next look starts another.
"""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.child_process import kill, spawn
from agent.core.shadow.comparison import ShadowFailure
from agent.core.types import Box, Detection, Image
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from agent.printable import printable
from agent.translatable import tr

CHILD: Final = "agent.detectors.shadow_child"
MEMORY_BYTES: Final = 4096 * 4096 * 3
"""Of the largest input that a card may have; the kernel gives only what is written."""
MOST_FOUND: Final = 2000
"""Objects of one crop; more are nonsense."""
MOST_ANSWER_BYTES: Final = 1 << 20
SLICE_S: Final = 0.25
"""So often a wait looks around. It counts its own slices: while the whole box is suspended, no time passes."""
START_SLICES: Final = round(90 / SLICE_S)
"""The detector gives up its first call after a minute."""
LOOK_SLICES: Final = round(60 / SLICE_S)
"""On a busy box the nicest process may wait for a while; a crop that takes so long all the same is hung."""
MODELS: Final = ("HOME", "NGATU_MODELS", "XDG_DATA_HOME", "CACHE_DIRECTORY", "XDG_CACHE_HOME")
"""Variables by which it finds the model that we find, and leaves its engine where we look for it."""


class ShadowBroken(Exception):
    """A look failed; `how` says in which way, the text why."""

    def __init__(self, how: ShadowFailure, why: str) -> None:
        super().__init__(why)
        self.how, self.why = how, why


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """What a model found in one picture, and what that took."""

    found: tuple[Detection, ...]
    ms: float
    mb: float
    """The most memory that its process has held."""


class ShadowProcess:
    """One model, looked through in one thread; the process starts with the first look."""

    def __init__(self, settings: DetectorSettings, max_mb: Callable[[], float] = lambda: math.inf) -> None:
        """`settings` as of a detector in use; `max_mb` is asked while it works: with more it is ended."""
        # One thread: its share of time is of one core, and two models are compared by the same measure.
        self._settings = settings.model_copy(update={"threads": 1, "shadow": None})
        self._max_mb = max_mb
        self._child: subprocess.Popen[bytes] | None = None
        self._memory = -1
        self._buffer = b""

    @property
    def pid(self) -> int | None:
        """Of its process, while there is one."""
        return None if self._child is None else self._child.pid

    def look(self, image: Image, turn: Callable[[], bool] = lambda: True) -> ShadowAnswer | None:
        """What the model finds in a picture; None where `turn`, called while it waits, no longer wants to.

        Raises:
            ModelError: the model cannot be loaded.
            ShadowBroken: this look failed.
        """
        if self._child is None and not self._start(turn):
            return None
        height, width = image.shape[:2]
        os.pwrite(self._memory, image.tobytes(), 0)
        answer = self._ask({"look": [height, width]}, LOOK_SLICES, turn)
        if answer is None:
            return None
        if "error" in answer:
            raise ShadowBroken(ShadowFailure.ERROR, _line(answer["error"]))
        try:
            found, nonsense = tuple(_detection(each) for each in answer["found"]), bool(answer["nonsense"])
            read = ShadowAnswer(found, _number(answer["ms"]), _number(answer["mb"]))
        except (KeyError, TypeError, ValueError) as error:
            self.close()
            raise ShadowBroken(ShadowFailure.NONSENSE, f"its process speaks nonsense: {error}") from error
        if nonsense or len(found) > MOST_FOUND:
            what = "its outputs hold what is no number" if nonsense else f"{len(found)} objects in one crop"
            raise ShadowBroken(ShadowFailure.NONSENSE, what)
        return read

    def close(self) -> None:
        """End the process; may be called twice."""
        child, self._child, self._buffer = self._child, None, b""
        if child is not None:
            kill(child)
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    # ------------------------------------------------------------------------------------------------- how

    def _start(self, turn: Callable[[], bool]) -> bool:
        try:
            self._memory = os.memfd_create("shadow")
            os.truncate(self._memory, MEMORY_BYTES)
            self._child = spawn(CHILD, self._memory, lambda name: name in MODELS, talks=True)
        except OSError as error:
            self.close()
            raise ShadowBroken(ShadowFailure.DIED, f"no process for it: {error.strerror}") from error
        answer = self._ask({"settings": self._settings.model_dump(mode="json")}, START_SLICES, turn)
        if answer is not None and "error" in answer:
            self.close()
            raise ModelError(_line(answer["error"]), tr("it cannot work on this box"))
        return answer is not None

    def _ask(self, words: dict[str, Any], slices: int, turn: Callable[[], bool]) -> dict[str, Any] | None:
        child = self._child
        assert child is not None and child.stdin is not None
        try:
            child.stdin.write(json.dumps(words).encode() + b"\n")
            child.stdin.flush()
        except OSError:
            raise self._died() from None
        for _ in range(slices):
            if (line := self._line_within(SLICE_S)) is not None:
                return self._read(line)
            if not turn():
                self.close()
                return None
            if (mb := self._resident_mb()) > self._max_mb():
                self.close()
                raise ShadowBroken(ShadowFailure.DIED, f"its process was ended: it held {mb:.0f} MB")
        self.close()
        raise ShadowBroken(ShadowFailure.LATE, f"no answer within {slices * SLICE_S:.0f} s")

    def _line_within(self, seconds: float) -> bytes | None:
        """A whole line, if one is there or comes in time.

        Raises:
            ShadowBroken: the process has ended, or says more than any answer.
        """
        child = self._child
        assert child is not None and child.stdout is not None
        if b"\n" not in self._buffer and select.select([child.stdout], [], [], seconds)[0]:
            piece = os.read(child.stdout.fileno(), MOST_ANSWER_BYTES)
            if not piece:
                raise self._died()
            self._buffer += piece
        if len(self._buffer) > MOST_ANSWER_BYTES:
            self.close()
            raise ShadowBroken(ShadowFailure.NONSENSE, "its process says more than any answer")
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return None
        self._buffer = rest
        return line

    def _read(self, line: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
        except (ValueError, RecursionError):
            pass
        self.close()
        raise ShadowBroken(ShadowFailure.NONSENSE, "its process speaks nonsense")

    def _died(self) -> ShadowBroken:
        code = None
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                code = self._child.wait(2)
        self.close()
        return ShadowBroken(ShadowFailure.DIED, f"its process ended ({code})")

    def _resident_mb(self) -> float:
        """How much memory the process holds now; 0 where nobody can tell."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0.0
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _detection(said: Any) -> Detection:
    label, score, *sides = said
    if not isinstance(label, str) or len(sides) != 4:
        raise ValueError("no object")
    left, top, right, bottom = (_number(each) for each in sides)
    score = _number(score)
    if not 0 <= score <= 1:
        raise ValueError(f"a score of {score}")
    return Detection(printable(label)[:64], score, Box(left, top, right, bottom))


def _number(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        raise ValueError("no number")
    return float(said)


def _line(said: Any) -> str:
    return printable(str(said))[:500]
