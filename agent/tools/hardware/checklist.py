"""What a board has shown so far: one finding for each item, kept as JSON and as text between two walks.

The JSON is English and for programs, whatever language a person is told things in; beside each text it keeps
what the text was made of, so that an item that was verified last week can be told in that person's language.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from agent.core.types import Instant
from agent.errors import NgatuError
from agent.printable import printable
from agent.translatable import Translatable, filtered, plain, restored, tr

JSON_NAME, TEXT_NAME = "checklist.json", "checklist.txt"
MOST_BYTES: Final = 1 << 20
MOST_CHARACTERS: Final = 500
"""Of a line; no finding of ours has half of it."""
Measured = Mapping[str, float | int | str | bool | None]


class State(StrEnum):
    """How an item stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    OPEN = "open"
    """Somebody must do something, and has not yet."""
    ABSENT = "absent"
    """This board has no such thing, and does without."""


@dataclass(frozen=True, slots=True)
class BoardFinding:
    """One item and how it stands."""

    item: str
    """Its name for programs: `watchdog`, `frames north`."""
    title: str
    state: State
    found: str
    hint: str = ""
    measured: Measured = field(default_factory=dict)
    wall_s: float = 0.0
    """When it was found; 0: now."""

    def __post_init__(self) -> None:
        """Part of it may be the word of a process that a hostile camera has taken over, or a changed file's."""
        for name in ("title", "found", "hint"):
            object.__setattr__(self, name, shown_safely(getattr(self, name)))


@dataclass
class Checklist:
    """All findings, in the order of the walk; an item that is found again takes its old place."""

    findings: dict[str, BoardFinding] = field(default_factory=dict)

    def add(self, finding: BoardFinding, now: Instant) -> None:
        """Note it."""
        at_s = finding.wall_s or now.wall_s
        self.findings[finding.item] = BoardFinding(
            finding.item, finding.title, finding.state, finding.found, finding.hint, finding.measured, at_s
        )

    def verified(self, item: str) -> BoardFinding | None:
        """The item as it was once found well, if it was."""
        finding = self.findings.get(item)
        return finding if finding is not None and finding.state is State.OK else None

    def count(self, state: State) -> int:
        """How many items stand so."""
        return sum(finding.state is state for finding in self.findings.values())

    def keep_only(self, items: Iterable[str]) -> None:
        """Forget what was not walked: a camera that is configured no more."""
        walked = list(items)
        self.findings = {item: self.findings[item] for item in walked if item in self.findings}


def shown_safely(text: str) -> str:
    """The text in one line of bounded length, without what steers a terminal."""
    if _line(text) == text:
        return text  # which can be told in another language after it was saved
    return filtered(text, _line) if isinstance(text, Translatable) else _line(text)


def _line(text: str) -> str:
    line = printable(text)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def loaded(folder: Path) -> Checklist:
    """What was found before; empty where there is nothing, or nothing that can be read."""
    try:
        with (folder / JSON_NAME).open("rb") as file:
            said = json.loads(file.read(MOST_BYTES))
        return Checklist({finding.item: finding for finding in map(_finding, said["items"])})
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return Checklist()


def save(
    checklist: Checklist, folder: Path, about: Measured, shown: Callable[[object], str], now_words: str
) -> tuple[Path, Path]:
    """Write both files, each at once; `shown` puts texts into a person's language.

    Raises:
        NgatuError: they cannot be written.
    """
    items = [_as_json(finding) for finding in checklist.findings.values()]
    whole = json.dumps({"about": dict(about), "items": items}, indent=1, ensure_ascii=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / JSON_NAME, whole)
        _replace(folder / TEXT_NAME, text(checklist, about, shown, now_words))
    except OSError as error:
        raise NgatuError(
            tr("{folder}: the checklist cannot be written: {why}", folder=folder, why=error.strerror),
            tr("name another folder by --report"),
        ) from None
    return folder / JSON_NAME, folder / TEXT_NAME


def text(checklist: Checklist, about: Measured, shown: Callable[[object], str], now_words: str) -> str:
    """As it is printed and signed: a line for each item, and what to do beneath it."""
    lines = [now_words, *(f"{name}: {value}" for name, value in about.items()), ""]
    for finding in checklist.findings.values():
        lines.append(f"[{shown(MARKS[finding.state])}] {shown(finding.title)}: {shown(finding.found)}")
        lines += [f"    {shown(finding.hint)}"] if finding.hint else []
    return "\n".join(lines) + "\n"


MARKS: Final = {
    State.OK: tr("ok"),
    State.WARNING: tr("warning"),
    State.FAILED: tr("failed"),
    State.OPEN: tr("to do"),
    State.ABSENT: tr("none"),
}


def _as_json(finding: BoardFinding) -> dict[str, Any]:
    words = {name: plain(getattr(finding, name)) for name in ("title", "found", "hint")}
    return {
        "item": finding.item,
        "state": finding.state.value,
        **{name: str(getattr(finding, name)) for name in words},
        "measured": dict(finding.measured),
        "wall_s": round(finding.wall_s, 3),
        "words": words,
    }


def _finding(said: Mapping[str, Any]) -> BoardFinding:
    title, found, hint = (restored(said["words"][name]) for name in ("title", "found", "hint"))
    state, wall_s = State(said["state"]), float(said["wall_s"])
    return BoardFinding(str(said["item"]), title, state, found, hint, dict(said["measured"]), wall_s)


def _replace(path: Path, content: str) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
