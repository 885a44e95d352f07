"""The density of a camera as a picture: bars for events, other colours where nobody watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.language import translated
from agent.translatable import joined, tr
from station.lookup.places import BoxPlace
from station.lookup.timeline.blanks import BlankKind, BlankTime
from station.lookup.timeline.density import CameraDensity, DensityBar
from station.lookup.words import blank_words, spot_words
from station.web.render import Templates

WIDTH: Final = 1000
HEIGHT: Final = 60
_SPACE: Final = 0.12
"""Of a step, between bars."""
_LEAST: Final = 2.0
"""Height of a bar, and width of a gap, that can be seen."""
_SHOWN_BLANKS: Final = 3
_TICKS: Final = 4
CLASSES: Final[Mapping[BlankKind, str]] = {
    BlankKind.CAMERA: "unseen",
    BlankKind.STOPPED: "unseen",
    BlankKind.BEFORE: "unseen",
    BlankKind.OFFLINE: "unheard",
    BlankKind.SILENT: "unheard",
    BlankKind.LESS: "less",
    BlankKind.GAP: "missing",
}


@dataclass(frozen=True, slots=True)
class DensityView:
    """One camera."""

    title: str
    summary: str
    """What the picture shows, for who cannot see it."""
    bars: Sequence[Mapping[str, Any]]
    """x, width, y, height, found_y, found_height, words."""
    blanks: Sequence[Mapping[str, Any]]
    """x, width, class."""
    said: Sequence[Mapping[str, Any]]
    """The same in words: since, until, class, words."""
    more: int
    """So many are not said."""
    ticks: Sequence[str]
    most: int
    """Events of the highest bar."""


def density_views(
    found: Sequence[CameraDensity], places: Mapping[int, BoxPlace], templates: Templates, language: str
) -> list[DensityView]:
    """All with the same scale, so that they can be compared."""
    most = max((bar.events for each in found for bar in each.bars), default=0)
    return [
        _view(each, places[each.box_id], templates, language, most) for each in found if each.box_id in places
    ]


def _view(of: CameraDensity, place: BoxPlace, templates: Templates, language: str, most: int) -> DensityView:
    title = translated(spot_words(place, of.camera), language)
    total = sum(bar.events for bar in of.bars)
    is_all = all(bar.is_all for bar in of.bars)
    summary = tr("{title}: {number} events", title=title, number=total)
    if not is_all:
        summary = tr("{title}: more than {number} events", title=title, number=total)
    said = [_said(each, templates, language) for each in _longest(of.blanks)]
    more = len(of.blanks) - len(said)
    if said:
        words = [
            tr("{since} to {until}: {words}", since=each["since"], until=each["until"], words=each["words"])
            for each in said
        ]
        summary = joined(
            "; ", [summary, *words, *([tr("and {number} shorter ones", number=more)] if more else [])]
        )
    return DensityView(
        title=title,
        summary=translated(summary, language),
        bars=[_bar(bar, of, templates, language, most) for bar in of.bars if bar.events],
        blanks=[_blank(each, of) for each in of.blanks],
        said=said,
        more=more,
        ticks=[_tick(of, index, templates) for index in range(_TICKS + 1)],
        most=most,
    )


def _longest(blanks: Sequence[BlankTime]) -> list[BlankTime]:
    """The longest, by when they began: a camera that came and went must not hide the hour of its absence."""
    longest = sorted(blanks, key=lambda each: each.start_ms - each.end_ms)[:_SHOWN_BLANKS]
    return sorted(longest, key=lambda each: each.start_ms)


def _x(of: CameraDensity, at_ms: float) -> float:
    return round(WIDTH * (at_ms - of.since_ms) / max(1, of.until_ms - of.since_ms), 2)


def _bar(bar: DensityBar, of: CameraDensity, templates: Templates, language: str, most: int) -> dict[str, Any]:
    space = of.step_ms * _SPACE / 2
    begun, ended = max(bar.start_ms + space, of.since_ms), min(bar.start_ms + of.step_ms - space, of.until_ms)
    height = _height(bar.events, most)
    found = _height(bar.matching or 0, most)
    return {
        "x": _x(of, begun), "width": max(0.5, round(_x(of, ended) - _x(of, begun), 2)),
        "y": round(HEIGHT - height, 2), "height": height, "found_y": round(HEIGHT - found, 2),
        "found_height": found, "words": translated(_bar_words(bar, _at(bar.start_ms, of, templates)), language),
    }  # fmt: skip


def _height(events: int, most: int) -> float:
    return round(max(_LEAST, (HEIGHT - 4) * events / max(1, most)), 2) if events else 0.0


def _bar_words(bar: DensityBar, at: str) -> str:
    if not bar.is_all:
        return tr("{at}: more than {number} events", at=at, number=bar.events)
    if bar.matching is None or bar.matching == bar.events:
        return tr("{at}: {number} events", at=at, number=bar.events)
    return tr(
        "{at}: {number} events, of which {matching} are looked for",
        at=at,
        number=bar.events,
        matching=bar.matching,
    )


def _blank(blank: BlankTime, of: CameraDensity) -> dict[str, Any]:
    x = _x(of, blank.start_ms)
    return {"x": x, "width": max(_LEAST, round(_x(of, blank.end_ms) - x, 2)), "class": CLASSES[blank.kind]}


def _said(blank: BlankTime, templates: Templates, language: str) -> dict[str, Any]:
    return {
        "since": templates.moment(language, blank.start_ms),
        "until": templates.moment(language, blank.end_ms),
        "class": CLASSES[blank.kind],
        "words": translated(blank_words(blank), language),
    }


def _at(at_ms: int, of: CameraDensity, templates: Templates) -> str:
    """A bar by its beginning, as short as its step allows."""
    local = templates.local(at_ms)
    if of.step_ms >= 86_400_000:
        return f"{local:%d/%m}"
    return f"{local:%H:%M}" if of.until_ms - of.since_ms <= 86_400_000 else f"{local:%d/%m %H:%M}"


def _tick(of: CameraDensity, index: int, templates: Templates) -> str:
    local = templates.local(of.since_ms + (of.until_ms - of.since_ms) * index // _TICKS)
    lasts_ms = of.until_ms - of.since_ms
    if lasts_ms <= 2 * 86_400_000:
        return f"{local:%H:%M}"
    return f"{local:%d/%m %Hh}" if lasts_ms <= 8 * 86_400_000 else f"{local:%d/%m}"
