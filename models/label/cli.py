"""`ngatu models label` and `ngatu models convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.exit import one_line_errors
from agent.errors import ModelError, UsageError, how_to_install
from agent.language import translated
from agent.translatable import tr
from models.dataset.types import LabelFormat
from models.dataset.unseen import nobody_has_looked

labelling = typer.Typer()


@labelling.command()
@one_line_errors
def label(
    folder: Annotated[Path, typer.Argument(help="The pictures, or a folder with images/ and labels.")],
    classes: Annotated[
        str | None,
        typer.Option(
            help="Labels, with commas between; the first has the key 1; if absent, those that are there."
        ),
    ] = None,
    prefill: Annotated[
        str | None,
        typer.Option(help="A model that proposes boxes: a name that `ngatu models list` shows, or a file."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="CPU threads of that model.")] = 2,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where the page is served; 0: any free one.")
    ] = 8091,
    form: Annotated[
        str | None,
        typer.Option("--format", help="How labels are written: coco or yolo; if absent, as they lie there."),
    ] = None,
) -> None:
    """Label pictures in a browser on this machine: boxes around road users, by keyboard, mouse or finger."""
    wanted = _format("--format", form) if form else None
    # Here, because a browser's page needs FastAPI and a detector ONNX Runtime, and `ngatu --help` neither.
    try:
        from models.label.serve import serve  # noqa: PLC0415
        from models.label.workplace import Workplace  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            tr("{package} is not installed", package=error.name), how_to_install("label")
        ) from error
    from agent.detectors import load_detector  # noqa: PLC0415
    from agent.detectors.settings import DetectorSettings  # noqa: PLC0415

    detector = load_detector(DetectorSettings(model=prefill, threads=threads)) if prefill else None
    workplace = Workplace(folder, [name.strip() for name in (classes or "").split(",") if name.strip()], wanted)
    try:
        written = serve(workplace, detector, port, lambda url: typer.echo(translated(_welcome(url))))
        is_done = bool(workplace.dataset().images)
    finally:
        workplace.close()
    said = tr("what is done is in {path}", path=written) if is_done else tr("no picture is done yet")
    typer.echo(translated(said))


def _welcome(url: str) -> str:
    return tr("Open this address in a browser on this machine; Ctrl-C ends it:\n{url}", url=url)


def _format(option: str, word: str) -> LabelFormat:
    try:
        return LabelFormat(word)
    except ValueError:
        raise UsageError(
            tr("{option}: there is no format {word}", option=option, word=word),
            tr("the formats are coco and yolo."),
        ) from None


@labelling.command()
@one_line_errors
def convert(
    source: Annotated[
        Path, typer.Argument(help="Labelled pictures: COCO or YOLO, also of CVAT or Label Studio.")
    ],
    target: Annotated[Path, typer.Argument(help="Folder to write to.")],
    form: Annotated[str, typer.Option("--to", help="The format to write: coco or yolo.")] = "coco",
    rename: Annotated[
        list[str] | None, typer.Option(help="Another word for a label: motorbike=motorcycle. May come often.")
    ] = None,
) -> None:
    """Write labelled pictures in another format. Pictures are linked, or copied where that cannot be."""
    from models.dataset.formats import format_of, read_dataset, renamed, write_dataset  # noqa: PLC0415 (pydantic, Pillow)

    wanted = _format("--to", form)
    pairs = [each.partition("=") for each in rename or ()]
    if any(not old or not new for old, _, new in pairs):
        raise UsageError(tr("--rename: this is not old=new"), tr("such as: --rename motorbike=motorcycle"))
    if format_of(target) is not None:
        raise UsageError(
            tr("{target}: there are labels already", target=target),
            tr("Name an empty folder, or one that does not exist yet."),
        )
    dataset = renamed(read_dataset(source), {old.strip(): new.strip() for old, _, new in pairs})
    if not dataset.images:
        if dataset.proposed:
            raise nobody_has_looked(dataset, source)
        raise ModelError(tr("{folder}: there are no pictures in this set", folder=source))
    path = write_dataset(dataset, target, wanted)
    ignored = sum(each.ignored for image in dataset.images for each in image.annotations)
    if ignored and wanted is LabelFormat.YOLO:
        typer.echo(
            translated(tr("{count} ignored objects are left out: YOLO's format has none", count=ignored))
        )
    if dataset.proposed:
        unseen = len(dataset.proposed)
        typer.echo(translated(tr("{count} pictures are left out: nobody has looked at them", count=unseen)))
    typer.echo(translated(tr("{count} pictures: {path}", count=len(dataset.images), path=path)))
