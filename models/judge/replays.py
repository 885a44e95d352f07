"""Both models through a replay of the same clip: what each counts over a line, its ids, and what it tells.

Each replay is `ngatu replay` in a process of its own: what is compared is what a box would tell.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from agent.errors import UsageError
from agent.translatable import tr

LINE = ((0.1, 0.6), (0.9, 0.6))
"""Where nobody says where the line is: that of the configuration's example."""
ALL_DAY_S = 86_400.0
"""One interval of counting for the whole clip."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""When each clip is taken to begin."""
NEAR_S = 1.5
"""Two events of one rule and label this near in time are the same crossing."""

Segment = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class ReplayedEvent:
    """An event that a replay told: when in the clip it began."""

    at_s: float
    rule: str
    kind: str
    label: str
    direction: str
    severity: str

    @property
    def crossing(self) -> tuple[str, str, str]:
        """What must be equal in two replays for the event to be the same."""
        return self.rule, self.label, self.direction


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What one model made of a clip.

    Attributes:
        counts: (rule, label, direction) -> how many.
        ids: Confirmed tracks.
        events: In their order.
    """

    counts: Counter[tuple[str, str, str]]
    ids: int
    events: tuple[ReplayedEvent, ...]

    @property
    def alerts(self) -> int:
        """Events for the duty officer."""
        return sum(each.severity == "alert" for each in self.events)


@dataclass(frozen=True, slots=True)
class ClipComparison:
    """Both models on one clip, and what only one of them told."""

    clip: str
    old: ReplayOutcome
    new: ReplayOutcome
    only_old: tuple[ReplayedEvent, ...] = field(default=())
    only_new: tuple[ReplayedEvent, ...] = field(default=())


def parse_line(text: str) -> Segment:
    """`x,y x,y` or `x,y,x,y`, in fractions of the picture.

    Raises:
        UsageError: it is no such line.
    """
    try:
        numbers = [float(part) for part in text.replace(" ", ",").split(",") if part]
    except ValueError:
        numbers = []
    ends = list(zip(numbers[::2], numbers[1::2], strict=False))
    if len(numbers) != 4 or not all(0 <= each <= 1 for each in numbers) or ends[0] == ends[1]:
        raise UsageError(
            tr("--line {text}: a line is two different points, each number 0..1", text=text),
            tr("for example: --line 0.1,0.6,0.9,0.6"),
        )
    return (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])


def compare_clip(
    old: Path, new: Path, clip: Path, lines: Sequence[Segment], config: Path | None
) -> ClipComparison:
    """Replay the clip with both models.

    Args:
        old: The old model's .onnx file.
        new: The new one's.
        clip: A video file.
        lines: Where road users are counted; without any, LINE. Not used where there is a configuration.
        config: A box's configuration, whose first camera's zones and rules hold.

    Raises:
        UsageError: a replay failed; its own words are in the text.
    """
    require_clip(clip)
    before, after = (_replayed(model, clip, lines or (LINE,), config) for model in (old, new))
    return ClipComparison(
        clip.name, before, after, only_in(before.events, after.events), only_in(after.events, before.events)
    )


def require_clip(clip: Path) -> None:
    """See to it that there is such a file.

    Raises:
        UsageError: there is none.
    """
    if not clip.is_file():
        raise UsageError(tr("{video}: no such file", video=clip), tr("name a video file"))


def _replayed(model: Path, clip: Path, lines: Sequence[Segment], config: Path | None) -> ReplayOutcome:
    with tempfile.TemporaryDirectory(prefix="ngatu-judge-") as scratch:
        folder = Path(scratch)
        events, tracks = folder / "events.jsonl", folder / "tracks.txt"
        if config is None:
            config = folder / "config.yaml"
            config.write_text(yaml.safe_dump(_config(lines)), encoding="utf-8")
        words = ["replay", str(clip), "--config", str(config), "--model", str(model), "--label", "all"]
        words += ["--events", str(events), "--tracks", str(tracks)]
        words += ["--start", f"{BEGIN:%Y-%m-%dT%H:%M:%S}"]
        done = subprocess.run(  # noqa: S603  our own program; paths are arguments, no shell
            [sys.executable, "-P", "-m", "agent", *words],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            failure = tr(
                "{video}: the replay with {model} failed: {said}", video=clip, model=model.name, said=said
            )
            raise UsageError(failure)  # never the exit code that says worse
        return read_outcome(events.read_text(encoding="utf-8"), tracks.read_text(encoding="utf-8"))


def _config(lines: Sequence[Segment]) -> dict[str, Any]:
    rules = [
        {
            "kind": "line", "id": f"line-{number}", "start": list(start), "end": list(end),
            "count_every_s": ALL_DAY_S,
        }
        for number, (start, end) in enumerate(lines, start=1)
    ]  # fmt: skip
    camera = {"name": "clip", "source": {"kind": "file", "path": "clip.mp4"}, "rules": rules}
    return {
        "device": {"commune": "judge", "id": "judge"},
        "broker": {"host": "localhost"},
        "cameras": [camera],
    }


def read_outcome(events: str, tracks: str) -> ReplayOutcome:
    """Out of what `ngatu replay` wrote: events and counts, one JSON a line; and tracks as MOTChallenge."""
    counts: Counter[tuple[str, str, str]] = Counter()
    latest: dict[str, ReplayedEvent] = {}
    for message in map(json.loads, events.splitlines()):
        if "counts" in message:
            for label, ways in message["counts"].items():
                counts.update({(message["rule"], label, way): number for way, number in ways.items()})
        else:
            latest[message["id"]] = _event(message)  # a later revision knows the label better
    ids = {line.split(",")[1] for line in tracks.splitlines() if line}
    return ReplayOutcome(counts, len(ids), tuple(sorted(latest.values(), key=lambda event: event.at_s)))


def _event(message: dict[str, Any]) -> ReplayedEvent:
    thing = message.get("object") or {}
    return ReplayedEvent(
        (datetime.fromisoformat(message["start_time"]) - BEGIN).total_seconds(),
        message["rule"]["id"],
        message["kind"],
        thing.get("label") or "",
        message.get("direction") or "",
        message["severity"],
    )


def only_in(some: Sequence[ReplayedEvent], others: Sequence[ReplayedEvent]) -> tuple[ReplayedEvent, ...]:
    """Those that have no partner among the others; each is a partner once, the nearest in time first."""
    near = sorted(
        (abs(one.at_s - other.at_s), i, j)
        for i, one in enumerate(some)
        for j, other in enumerate(others)
        if one.crossing == other.crossing and abs(one.at_s - other.at_s) <= NEAR_S
    )
    paired: set[int] = set()
    taken: set[int] = set()
    for _, i, j in near:
        if i not in paired and j not in taken:
            paired.add(i)
            taken.add(j)
    return tuple(each for i, each in enumerate(some) if i not in paired)
