"""The judgement in the new model's card: what stands there otherwise stays as it is, comments too."""

from __future__ import annotations

import math
import os
import re
from dataclasses import asdict, astuple
from datetime import date
from pathlib import Path

import yaml

from agent.detectors.card import MAX_BYTES, parse_card
from agent.detectors.judgement import CardJudgement, JudgedFigure
from agent.detectors.places import find_card
from agent.errors import ModelError
from agent.translatable import tr
from models.judge.decision import ModelVerdict
from models.judge.judging import ModelComparison
from models.judge.measure.comparison import AP50, F1, PRECISION, RECALL, FigureChange, SetComparison
from models.judge.replays import ClipComparison, ReplayOutcome

FIGURES = (AP50, RECALL, PRECISION, F1)
MOST_FIGURES = 200
_OLD_SECTION = re.compile(r"^judgement:.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def section(found: ModelComparison, today: date) -> CardJudgement:
    """What is written into the card."""
    figures = [
        _figure(each.dataset.name, row.label, name, row.objects, row.changes[name], verdict)
        for each in found.sets
        for row in each.whole
        for name in FIGURES
        if (verdict := found.decision.rows[each.dataset.name, row.label]) is not ModelVerdict.TOO_FEW
    ]
    return CardJudgement(
        verdict=found.decision.verdict.value,
        on=today,
        against=found.old.name,
        against_sha256=found.old.sha256,
        score=found.request.score,
        tolerance=points(found.request.tolerance) or 0.0,
        main=found.decision.main,
        data=found.data,
        trained_on=found.trained_on,
        may_be_passed_on=not found.unlicensed,
        figures=tuple(figures[:MOST_FIGURES]),
        time_ratio=round(found.cost.ratio, 2),
    )


def points(share: float) -> float | None:
    """In hundredths, to one place; None where nothing can be said."""
    return round(100 * share, 1) + 0.0 if math.isfinite(share) else None


def card_place(model: Path, sha256: str, chosen: Path | None) -> tuple[Path, Path]:
    """The card that is read, and where it is written: `chosen`, or beside the model.

    Raises:
        ModelError: there is no card, or it cannot be written there.
    """
    _, source = find_card(model, sha256)
    target = chosen or model.with_suffix(".yaml")
    if not os.access(target if target.exists() else target.parent, os.W_OK) or target.is_dir():
        raise ModelError(
            tr("{path}: the model card cannot be written", path=target),
            tr("choose another place: --card FILE.yaml"),
        )
    return source, target


def write_judgement(source: Path, target: Path, judgement: CardJudgement) -> None:
    """Write the card of `source` with this judgement to `target`, whole or not at all.

    Raises:
        ModelError: it cannot be read or written, or would be too large.
    """
    content = {"judgement": judgement.model_dump(mode="json", exclude_none=True)}
    added = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    try:
        before = _OLD_SECTION.sub("", source.read_text(encoding="utf-8"))
        text = f"{before.rstrip()}\n{added}"
        parse_card(yaml.safe_load(text), source)
        if len(text.encode()) > MAX_BYTES:
            raise ModelError(
                tr("{path}: with this judgement the card is larger than {max_bytes} bytes", path=target,
                   max_bytes=MAX_BYTES),
                tr("judge by fewer sets at a time."),
            )  # fmt: skip
        part = target.with_name(target.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be written: {error}", path=target, error=error.strerror or error),
            tr("choose another place: --card FILE.yaml"),
        ) from error


def _figure(
    data: str, label: str, name: str, objects: int, change: FigureChange, verdict: ModelVerdict
) -> JudgedFigure:
    return JudgedFigure(
        data=data,
        label=label,
        figure=name,
        objects=objects,
        old=points(change.old.value),
        new=points(change.new.value),
        low=points(change.difference.low),
        high=points(change.difference.high),
        verdict=verdict.value,
    )


def everything(found: ModelComparison) -> dict[str, object]:
    """All that came out, for programs: shares and differences in points, null where nothing can be said."""
    return {
        "verdict": found.decision.verdict.value,
        "new": {"name": found.new.name, "sha256": found.new.sha256},
        "old": {"name": found.old.name, "sha256": found.old.sha256},
        "main": list(found.decision.main),
        "labels": {label: verdict.value for label, verdict in found.decision.labels.items()},
        "score": found.request.score,
        "tolerance": points(found.request.tolerance),
        "data": [each.model_dump() for each in found.data],
        "trained_on": [each.model_dump() for each in found.trained_on],
        "may_be_passed_on": not found.unlicensed,
        "left_out": [
            {"set": each.set, "pictures": each.pictures, "cameras": each.cameras,
             "known": [asdict(picture) for picture in each.known]}
            for each in found.overlaps
        ],
        "sets": [_set(each, found) for each in found.sets],
        "clips": [_clip(each) for each in found.clips],
        "cost": asdict(found.cost),
    }  # fmt: skip


def _set(each: SetComparison, found: ModelComparison) -> dict[str, object]:
    name = each.dataset.name
    return {
        "name": name,
        "pictures": len(each.dataset.images),
        "scenes": each.scenes.count,
        "incomplete": each.dataset.incomplete,
        "not_judged": each.unjudged,
        "rows": [
            {
                "label": row.label, "kind": row.kind, "part": row.part, "objects": row.objects,
                "scenes": row.scenes,
                "verdict": None if row.kind else found.decision.rows[name, row.label].value,
                "figures": {
                    figure: {part: [points(share) for share in astuple(getattr(change, part))]
                             for part in ("old", "new", "difference")}
                    for figure, change in row.changes.items()
                },
            }
            for row in each.rows
        ],
    }  # fmt: skip


def _clip(each: ClipComparison) -> dict[str, object]:
    def outcome(one: ReplayOutcome) -> dict[str, object]:
        counts = [{"rule": rule, "label": label, "direction": way, "count": number}
                  for (rule, label, way), number in sorted(one.counts.items())]  # fmt: skip
        return {"counts": counts, "ids": one.ids, "alerts": one.alerts}

    return {
        "clip": each.clip,
        "old": outcome(each.old),
        "new": outcome(each.new),
        "only_old": [asdict(event) for event in each.only_old],
        "only_new": [asdict(event) for event in each.only_new],
    }
