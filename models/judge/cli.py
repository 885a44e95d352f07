"""`ngatu models judge`: is the new detector better than the old one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from agent.cli.exit import ExitCode, one_line_errors
from agent.errors import UsageError
from agent.language import LANGUAGES, language, translated
from agent.translatable import tr

if TYPE_CHECKING:
    from models.judge.judging import JudgeRequest, ModelComparison, Progress

judging = typer.Typer()


@judging.command()
@one_line_errors
def judge(
    new: Annotated[
        str, typer.Argument(help="The new model: an .onnx file with its card, or a fetched model's name.")
    ],
    old: Annotated[str, typer.Argument(help="The one that it would replace.")],
    data: Annotated[
        list[Path],
        typer.Option(help="Folder of labelled pictures that neither was trained on; repeatable."),
    ],
    trained_on: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder that the new one was trained on: its pictures, and their neighbours in time, "
            "judge nothing; repeatable."
        ),
    ] = None,
    clips: Annotated[list[Path] | None, typer.Option(help="Clip that both replay; repeatable.")] = None,
    line: Annotated[
        list[str] | None,
        typer.Option(
            help="Where road users are counted in the clips: x,y,x,y in fractions of the picture; "
            "repeatable. Without it 0.1,0.6,0.9,0.6."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A box's configuration for the replays, instead of lines."),
    ] = None,
    main: Annotated[
        list[str] | None,
        typer.Option(
            help="Label that must be better; repeatable. Without it motorcycle, or the label with most objects."
        ),
    ] = None,
    score: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="From which a find counts for recall and precision.")
    ] = 0.4,
    tolerance: Annotated[
        float, typer.Option(min=0, max=50, help="How much a figure may fall, in points.")
    ] = 2.0,
    resamples: Annotated[
        int, typer.Option(min=100, max=100_000, help="How often the scenes are resampled.")
    ] = 2000,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with bars and pictures here, an .html file.")
    ] = None,
    page_language: Annotated[
        str | None, typer.Option("--language", help="Of that page: en or vi. Without it, yours.")
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(help="Where the card with the judgement goes. Without it, beside the new model."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON instead of tables.")
    ] = False,
) -> None:
    """Compare two detectors on held-back pictures and on clips; write the judgement into the new one's card.

    Exit code 0: the new one is better; 1: it is worse, and refused; 4: neither can be told; 2: an option, a
    model or a set is wrong.
    """
    # Here, because it imports OpenCV and ONNX Runtime, which `ngatu --help` needs none of.
    from models.judge.judging import JudgeRequest  # noqa: PLC0415
    from models.judge.replays import parse_line  # noqa: PLC0415

    if page_language is not None and page_language not in LANGUAGES:
        raise UsageError(
            tr("--language {language}: no such language", language=page_language),
            tr("one of {languages}", languages=", ".join(LANGUAGES)),
        )
    request = JudgeRequest(
        new, old, tuple(data), tuple(trained_on or ()), tuple(clips or ()),
        tuple(parse_line(each) for each in line or ()), config, score, tuple(main or ()), tolerance / 100,
        resamples,
    )  # fmt: skip
    found = _judged(request, card, report, page_language or language())
    if as_json:
        from models.judge.card import everything  # noqa: PLC0415

        typer.echo(json.dumps(everything(found), ensure_ascii=False, indent=1))
    else:
        _show(found)
    raise typer.Exit(_code(found))


def _judged(request: JudgeRequest, card: Path | None, report: Path | None, told_in: str) -> ModelComparison:
    from agent.detectors.card import hashed  # noqa: PLC0415
    from agent.detectors.places import find_model  # noqa: PLC0415
    from agent.detectors.settings import DetectorSettings  # noqa: PLC0415
    from models.judge.card import card_place, section, write_judgement  # noqa: PLC0415
    from models.judge.judging import judge as judge_models  # noqa: PLC0415
    from models.judge.page.report import page, page_place  # noqa: PLC0415

    today = datetime.now(UTC).date()
    model = find_model(DetectorSettings(model=request.new))
    source, target = card_place(model, hashed(model), card)
    shown = page_place(report) if report is not None else None
    with _progress() as progress:
        found = judge_models(request, progress)
    write_judgement(source, target, section(found, today))
    if shown is not None:
        shown.write_text(page(found, lambda text: translated(text, told_in), told_in, today), encoding="utf-8")
    return found


def _code(found: ModelComparison) -> ExitCode:
    from models.judge.decision import ModelVerdict  # noqa: PLC0415

    codes = {ModelVerdict.BETTER: ExitCode.DONE, ModelVerdict.WORSE: ExitCode.FAILED}
    return codes.get(found.decision.verdict, ExitCode.UNDECIDED)


def _show(found: ModelComparison) -> None:
    from models.judge.wording import cost_sentence, remarks, verdict_sentence  # noqa: PLC0415

    screen = Console()
    screen.print(_figures(found))
    for clip in found.clips:
        counts = sorted(set(clip.old.counts) | set(clip.new.counts))
        table = Table("", translated(tr("old")), translated(tr("new")), title=clip.clip)
        for key in counts:
            table.add_row(" ".join(key), str(clip.old.counts[key]), str(clip.new.counts[key]))
        table.add_row(translated(tr("road users (ids)")), str(clip.old.ids), str(clip.new.ids))
        table.add_row(translated(tr("alerts")), str(clip.old.alerts), str(clip.new.alerts))
        table.add_row(translated(tr("told by this one only")), str(len(clip.only_old)), str(len(clip.only_new)))
        screen.print(table)
    for text in (*remarks(found), cost_sentence(found), verdict_sentence(found)):
        typer.echo(translated(text))


def _figures(found: ModelComparison) -> Table:
    from models.judge.measure.comparison import AP50, PRECISION, RECALL  # noqa: PLC0415
    from models.judge.wording import VERDICTS, number, span  # noqa: PLC0415

    words = (
        tr("set"),
        tr("label"),
        tr("objects"),
        "AP50",
        tr("recall, tiled"),
        tr("precision, tiled"),
        tr("verdict"),
    )
    table = Table(*(translated(word) for word in words), title=f"{found.old.name} → {found.new.name}")
    for each in found.sets:
        for row in each.whole:
            cells = []
            for name in (AP50, RECALL, PRECISION):
                change = row.changes[name]
                cells.append(
                    f"{number(change.old.value)} → {number(change.new.value)}  {span(change.difference)}"
                )
            verdict = found.decision.rows[each.dataset.name, row.label]
            table.add_row(each.dataset.name, row.label, str(row.objects), *cells, translated(VERDICTS[verdict]))
    return table


@contextmanager
def _progress() -> Iterator[Progress]:
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done)

        yield show
