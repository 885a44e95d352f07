"""`ngatu models train`: a detector trained further on one's own pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from agent.cli.exit import one_line_errors
from agent.detectors.places import find_model
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError, UsageError, how_to_install
from agent.language import language, translated
from agent.translatable import tr
from models.train.plan import STEPS, Plan

if TYPE_CHECKING:
    from models.train.course import TrainRequest
    from models.train.results import TrainingProgress, TrainResult

training = typer.Typer()
ULTRALYTICS = (".pt", ".yaml")


@training.command()
@one_line_errors
def train(
    data: Annotated[list[Path], typer.Argument(help="Folders of labelled pictures (COCO).")],
    base: Annotated[
        str, typer.Option(help="Model to begin with: a name, an .onnx file, or Ultralytics' .pt or .yaml.")
    ],
    out: Annotated[Path, typer.Option(help="Model to write; its card and its report lie beside it.")] = Path(
        "trained.onnx"
    ),
    rehearse: Annotated[
        list[Path] | None,
        typer.Option(help="Clips, or folders of clips and pictures, on which nothing may be forgotten."),
    ] = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folders of pictures of other cameras: what first rounds are sure of there teaches later ones."
        ),
    ] = None,
    hold_back: Annotated[
        list[str] | None,
        typer.Option(help="Camera that judges and is not learned from; if absent, about a fifth."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Steps of eight pictures.")] = STEPS,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Instead of steps.")] = None,
    rate: Annotated[float, typer.Option(min=1e-6, max=1e-1, help="Learning rate.")] = 3e-4,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was cut off.")] = False,
) -> None:
    """Train a detector further on your own pictures. Needs the extra `train`."""
    if out.suffix != ".onnx":
        out = out.with_name(out.name + ".onnx")
    if Path(base).suffix in ULTRALYTICS:
        if resume or rehearse or minutes or unlabelled:
            raise UsageError(
                tr("Ultralytics' trainer has no --resume, --rehearse, --unlabelled and --minutes here")
            )
        from models.train.ultralytics import train as train_by_ultralytics  # noqa: PLC0415

        written = train_by_ultralytics(base, data, out, hold_back or (), steps, seed)
        Console().print(translated(tr("trained {path}", path=written)), soft_wrap=True)
        return
    _needs_torch()
    # Here, because PyTorch takes seconds to import, and nobody but this command has it.
    from models.train.course import TrainRequest  # noqa: PLC0415
    from models.train.report import write_report  # noqa: PLC0415
    from models.train.results import LEAST_KEPT  # noqa: PLC0415

    request = TrainRequest(
        tuple(data),
        find_model(DetectorSettings(model=base)),
        out,
        tuple(rehearse or ()),
        tuple(hold_back or ()),
        Plan(steps=steps, minutes=minutes, rate=rate, seed=seed),
        resume,
        tuple(unlabelled or ()),
    )
    if not rehearse:
        warning = tr("without --rehearse the detector forgets much of what it knew")
        Console(stderr=True).print(translated(warning), style="yellow")
    result = _trained(request)
    if unlabelled and not result.pseudo_labels:
        unsure = tr("nothing is sure in the pictures without labels: they taught nothing")
        Console(stderr=True).print(translated(unsure), style="yellow")
    if result.best == 0:
        nothing = tr("nothing better than the base was found: the model is the base")
        Console(stderr=True).print(translated(nothing), style="yellow")
    if result.after.kept is not None and result.after.kept < LEAST_KEPT:
        lost = tr(
            "{share:.0f} % of what the base is sure of is lost: rehearse with more places",
            share=100 * (1 - result.after.kept),
        )
        Console(stderr=True).print(translated(lost), style="yellow")
    page = write_report(result, language())
    message = tr("trained {path}; report: {page}", path=result.model, page=page)
    Console().print(translated(message), soft_wrap=True)


def _trained(request: TrainRequest) -> TrainResult:
    from models.train.course import train as run  # noqa: PLC0415

    console = Console(stderr=True)
    with _bar(console) as bar:
        task = bar.add_task("", total=None)
        written = (0, -1)

        def show(progress: TrainingProgress) -> None:
            nonlocal written
            bar.update(task, completed=progress.step, total=progress.steps, description=_standing(progress))
            # A night's log has no bar: it gets a line for each look.
            look = (progress.round, progress.point.step if progress.point else -1)
            if not console.is_terminal and progress.point and look != written:
                written = look
                console.print(f"{look[1]}/{progress.steps}  {_standing(progress)}", soft_wrap=True)

        return run(request, show)


def _standing(progress: TrainingProgress) -> str:
    """What it is at, and the newest look, in a few words."""
    which = ""
    if progress.rounds > 1:
        which = (
            translated(tr("round {number} of {rounds}", number=progress.round, rounds=progress.rounds)) + "  "
        )
    if progress.labelling:
        return which + translated(tr("labelling what nobody has labelled"))
    if progress.point is None:
        return which
    now = f"loss {progress.loss:.2f}  AP50 {100 * progress.point.mean:.0f}"
    if progress.point.kept is not None:
        now += " " + translated(tr("kept {share:.0f} %", share=100 * progress.point.kept))
    return which + now


def _needs_torch() -> None:
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("onnx") is None:
        raise ModelError(
            tr("training needs PyTorch and onnx, which are not installed"),
            how_to_install("train"),
        )


def _bar(console: Console) -> Progress:
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console)
