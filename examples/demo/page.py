"""The demo's page: what was to be seen, what was told of it, and every event with its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from examples.demo.footage import HandedOver
from examples.demo.results import Delivery, KeptEvent, Seen

WHAT = {
    "motion": ("something moves", "An area of the picture changes, whatever it is. It needs no detector."),
    "object": ("was found", "The detector has found a road user, who is followed until he has gone."),
    "zone_entered": ("entered the junction", "A road user has come into a zone drawn on the picture."),
    "line_crossed": ("crossed the stop line", "A road user has gone over a line drawn on the picture."),
}
"""Kinds of event that the demo's rules tell: their words, and what they mean."""
WHY = {
    "left": "he left the picture, or it is over",
    "lost": "he was lost from sight: something hid him, or the detector missed him for too long",
    "clip_restarted": "the recorded clip began again; no camera does that",
    "stopped": "the box was stopped in order, here at the end of the demo",
    "agent_restarted": "the program on the box ended before the event did",
    "camera_lost": "the camera gave no more pictures",
    "paused": "the station had the camera or the rule paused",
    "too_old": "it was too old to go on",
}
"""Reasons for which an event ends, in words."""
PLURAL = {"person": "people", "bus": "buses"}


@dataclass(frozen=True)
class Scene:
    """One of the two clips."""

    camera: str
    by_eye: str
    """What a person counts in one passage of it."""


def numbers(counts: Mapping[str, tuple[int, int]]) -> str:
    """How many of each label, at least and at most, most of them first: `3–4 cars, 1 truck`."""
    order = sorted(counts.items(), key=lambda each: (-each[1][1], each[0]))
    return ", ".join(_many(label, least, most) for label, (least, most) in order if most) or "nobody"


def altogether(counts: Mapping[str, int]) -> str:
    """How many of each label, most of them first."""
    return numbers({label: (number, number) for label, number in counts.items()})


def _many(label: str, least: int, most: int) -> str:
    word = label if most == 1 else PLURAL.get(label, f"{label}s")
    return f"{most} {word}" if least == most else f"{least}–{most} {word}"


def write_page(
    folder: Path,
    events: Sequence[KeptEvent],
    seen: Mapping[str, Seen],
    scenes: Sequence[Scene],
    delivery: Delivery,
    pictures: Mapping[tuple[str, str], str],
    seconds: int,
    footage: HandedOver | None = None,
) -> Path:
    """Write index.html; returns its path. `pictures` are paths below the folder, by event and kind.

    `footage` is that of the first crossing, if it came.
    """
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html.j2")
    reasons = {each.body["end_reason"] for each in events if each.body["end_reason"]}
    kinds = {each.body["kind"] for each in events}
    path = folder / "index.html"
    text = page.render(
        events=events,
        seen=seen,
        scenes=scenes,
        delivery=delivery,
        pictures=pictures,
        seconds=seconds,
        footage=footage,
        labels=sorted({each.label for each in events if each.label}),
        cameras=sorted({each.body["camera"] for each in events}),
        kinds={kind: WHAT.get(kind, (kind.replace("_", " "), "")) for kind in sorted(kinds)},
        reasons={reason: WHY.get(reason, "") for reason in sorted(reasons)},
        numbers=numbers,
        altogether=altogether,
    )
    path.write_text(text, "utf-8")
    return path
