"""What a mistake is, what was said about it, and what is wrong with what was said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.acceptance.faults.mistakes.desk import Desk

WORDLESS_S = 15.0
"""So long nobody waits without a word."""
MAKERS = {
    "technician": "The technician at the pole",
    "officer": "The officer on duty",
    "administrator": "The administrator",
    "integrator": "The integrator",
    "newcomer": "The newcomer",
}
"""Who makes mistakes, in the order of the page."""
NEVER = ("Traceback (most recent call last)", "ngatu is broken", '"exc_type"', "this is a fault of ngatu")
"""What no stream and no log may hold: a traceback, in words or in JSON, or an error that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Said:
    """What became of one mistake; texts are as they came."""

    code: int
    text: str
    """All of it: both streams, and the logs of whoever else had to say something."""
    messages: tuple[str, ...]
    """What it said that is amiss; one is right."""
    wordless_s: float
    """The longest wait before the next word, or before the end."""
    places: dict[str, str] = field(default_factory=dict)
    """What differs from machine to machine, and the name that stands for it."""

    def named(self, text: str) -> str:
        """On one line, with names for what differs from machine to machine."""
        for place in sorted(self.places, key=len, reverse=True):
            text = text.replace(place, self.places[place])
        text = re.sub(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?", "{time}", text)
        text = re.sub(r"\b20\d{6}T\d{6}Z\b", "{time}", text)
        text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "{id}", text)
        text = re.sub(r"\b[0-9a-f]{64}\b", "{sha256}", text)
        return " ".join(text.split())

    def message(self) -> str:
        """What it said, for the page."""
        return self.named(" ".join(self.messages))


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: who makes it, what is done, and what has to be said about it."""

    name: str
    """Of the function that makes it."""
    who: str
    done: str
    code: int
    what: str
    where: str
    todo: str
    """Each stands in the one message as it is written here, with the names of `Said.named`."""
    make: Callable[[Desk], Said]

    def amiss(self, said: Said) -> list[str]:
        """What is wrong with what was said; nothing, if all is well."""
        wrong = [f"it says {each!r}" for each in NEVER if each in said.text]
        if said.code != self.code:
            wrong.append(f"exit code {said.code}, not {self.code}")
        if said.wordless_s > WORDLESS_S:
            wrong.append(f"{said.wordless_s:.0f} s without a word")
        if len(said.messages) != 1:
            wrong.append(f"{len(said.messages)} messages: {[said.named(each) for each in said.messages]}")
        text = said.message()
        for name, part in (("what", self.what), ("where", self.where), ("what to do", self.todo)):
            if part not in text:
                wrong.append(f"{name} is missing: {part!r} in {text!r}")
        if wrong and not said.messages:
            wrong.append(f"all it said: {said.named(said.text)[-400:]!r}")
        return wrong


MISTAKES: list[Mistake] = []
"""All, in the order of the page."""


def mistake(
    who: str, done: str, code: int, *, what: str, where: str, todo: str
) -> Callable[[Callable[[Desk], Said]], Callable[[Desk], Said]]:
    """Declare how a mistake is made, and what has to be said."""

    def declare(make: Callable[[Desk], Said]) -> Callable[[Desk], Said]:
        name = getattr(make, "__name__", "")
        assert who in MAKERS and name not in {each.name for each in MISTAKES}, name
        MISTAKES.append(Mistake(name, who, done, code, what, where, todo, make))
        return make

    return declare


def all_mistakes() -> list[Mistake]:
    """Every mistake that a module of this folder declares, by who makes it."""
    import importlib  # noqa: PLC0415

    for module in sorted(Path(__file__).parent.glob("by_*.py")):
        importlib.import_module(f"tests.acceptance.faults.mistakes.{module.stem}")
    order = list(MAKERS)
    return sorted(MISTAKES, key=lambda each: order.index(each.who))
