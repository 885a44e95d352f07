"""The report of a judgement: bars with their intervals, parts, replays, and the worst differences drawn."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.errors import UsageError
from agent.printable import printable
from agent.translatable import tr
from models.judge.decision import ENOUGH_OBJECTS, ENOUGH_SCENES, ModelVerdict
from models.judge.judging import ModelComparison
from models.judge.measure.bootstrap import Estimate
from models.judge.measure.comparison import (
    AP50,
    PRECISION,
    RECALL,
    WHOLE_PRECISION,
    WHOLE_RECALL,
    FigureChange,
    LabelRow,
    SetComparison,
)
from models.judge.page.pictures import worst
from models.judge.replays import ClipComparison
from models.judge.wording import (
    KINDS,
    SIZE_WORDS,
    VERDICTS,
    cost_sentence,
    event_text,
    number,
    remarks,
    span,
    verdict_sentence,
)

Say = Callable[[str], str]
"""A message in the page's language."""

WORDS: Final = {
    "title": tr("Judgement of a detector"),
    "data": tr("By labelled pictures"),
    "label": tr("label"),
    "objects": tr("objects"),
    "scenes": tr("scenes"),
    "difference": tr("difference"),
    "verdict": tr("verdict"),
    "recall": tr("recall, tiled"),
    "precision": tr("precision, tiled"),
    "whole": tr("whole picture"),
    "parts": tr("By size, camera, condition and hour"),
    "part": tr("part"),
    "clips": tr("By replays of clips"),
    "counted": tr("counted over"),
    "ids": tr("road users (ids)"),
    "alerts": tr("alerts"),
    "only_old": tr("only the old one told"),
    "only_new": tr("only the new one told"),
    "nothing": tr("nothing"),
    "cost": tr("Cost on this machine"),
    "pictures": tr("Where the new one loses most"),
    "lost": tr("found by the old one only (red)"),
    "gained": tr("found by the new one only (blue)"),
    "rule": tr("The rule"),
    "went_in": tr("What went in"),
    "set": tr("set"),
    "use": tr("use"),
    "judged_by": tr("judged by"),
    "trained_on": tr("trained on"),
    "licence": tr("licence"),
    "no_licence": tr("none is stated"),
    "old": tr("old"),
    "new": tr("new"),
}
MOST_EVENTS: Final = 12
PIXELS: Final = 180
"""Width of a bar for 100 points."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and its whisker, in pixels from the left."""

    length: float
    low: float | None
    high: float | None
    value: str


def page(found: ModelComparison, say: Say, language: str, today: date) -> str:
    """The whole page, with nothing in it from elsewhere."""
    environment = Environment(
        loader=PackageLoader("models.judge.page", "."),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        language=language,
        words={name: say(text) for name, text in WORDS.items()},
        today=today.isoformat(),
        found=found,
        verdict=found.decision.verdict.name.lower(),
        verdict_word=say(VERDICTS[found.decision.verdict]),
        sentence=say(verdict_sentence(found)),
        remarks=[say(each) for each in remarks(found)],
        rule=say(_rule(found)),
        sets=[_set(each, found, say) for each in found.sets],
        clips=[_clip(each) for each in found.clips],
        cost=say(cost_sentence(found)),
        pictures=worst(found.sets),
        pixels=PIXELS,
    )


def page_place(path: Path) -> Path:
    """Where the page is to be written, if it can be; asked before hours go by, and not after.

    Raises:
        UsageError: it cannot be written there.
    """
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(
            tr("{path}: the page cannot be written", path=path), tr("name a file in a folder that is there")
        )
    return path


def _rule(found: ModelComparison) -> str:
    return tr(
        "A label is judged in a set with {objects} objects or more in {scenes} scenes or more, by AP50 on the "
        "whole picture and by F1 (recall, where labels are incomplete) with 2 × 2 tiles at score {score}. It "
        "is worse if the whole interval of a difference lies below -{tolerance} points, and better if one lies "
        "above 0 and the other figure falls by no more than that. The model is worse if any label is in any "
        "set; better if {main} is and none is worse. All intervals that decide hold at once with 95 %; they "
        "come from {resamples} resamples of whole scenes, the same for both models.",
        objects=ENOUGH_OBJECTS,
        scenes=ENOUGH_SCENES,
        score=found.request.score,
        tolerance=f"{100 * found.request.tolerance:g}",
        main=", ".join(found.decision.main) or "–",
        resamples=found.request.resamples,
    )


def _set(compared: SetComparison, found: ModelComparison, say: Say) -> dict[str, Any]:
    name = compared.dataset.name
    judged = {label for (data, label), verdict in found.decision.rows.items()
              if data == name and verdict is not ModelVerdict.TOO_FEW}  # fmt: skip
    return {
        "name": name,
        "pictures": len(compared.dataset.images),
        "scenes": compared.scenes.count,
        "at_least": "≥ " if compared.dataset.incomplete else "",
        "rows": [_row(row, found.decision.rows[name, row.label], say) for row in compared.whole],
        "parts": [_part(row, say) for row in compared.rows if row.kind and row.label in judged],
    }


def _row(row: LabelRow, verdict: ModelVerdict, say: Say) -> dict[str, Any]:
    return {
        "label": row.label,
        "objects": row.objects,
        "scenes": row.scenes,
        "ap50": _bars(row.changes[AP50]),
        "recall": _bars(row.changes[RECALL]) | {"whole": _whole(row.changes[WHOLE_RECALL])},
        "precision": _bars(row.changes[PRECISION]) | {"whole": _whole(row.changes[WHOLE_PRECISION])},
        "verdict": verdict.name.lower(),
        "verdict_word": say(VERDICTS[verdict]),
    }


def _part(row: LabelRow, say: Say) -> dict[str, Any]:
    part = SIZE_WORDS[row.part] if row.kind == "size" else row.part
    return {
        "kind": say(KINDS[row.kind]),
        "part": say(part),
        "label": row.label,
        "objects": row.objects,
        "few": row.objects < ENOUGH_OBJECTS,
        "figures": [_bars(row.changes[name]) for name in (AP50, RECALL, PRECISION)],
    }


def _bars(change: FigureChange) -> dict[str, Any]:
    return {"old": _bar(change.old), "new": _bar(change.new), "span": span(change.difference)}


def _whole(change: FigureChange) -> str:
    return f"{number(change.old.value)} → {number(change.new.value)}"


def _bar(figure: Estimate) -> Bar:
    if not math.isfinite(figure.value):
        return Bar(0.0, None, None, number(figure.value))
    whisker = math.isfinite(figure.low)
    return Bar(
        PIXELS * figure.value,
        PIXELS * figure.low if whisker else None,
        PIXELS * figure.high if whisker else None,
        number(figure.value),
    )


def _clip(clip: ClipComparison) -> dict[str, Any]:
    keys = sorted(set(clip.old.counts) | set(clip.new.counts))
    return {
        "name": clip.clip,
        "counts": [(" · ".join(key), clip.old.counts[key], clip.new.counts[key]) for key in keys],
        "ids": (clip.old.ids, clip.new.ids),
        "alerts": (clip.old.alerts, clip.new.alerts),
        "only_old": _events(clip.only_old),
        "only_new": _events(clip.only_new),
    }


def _events(events: Any) -> str:
    more = "; …" if len(events) > MOST_EVENTS else ""
    return "; ".join(event_text(each) for each in events[:MOST_EVENTS]) + more
