"""`ngatu models`: list, fetch, add and export detectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table

from agent.cli.exit import one_line_errors
from agent.detectors.places import find_model, models_dir
from agent.detectors.settings import DetectorSettings
from models.catalogue import entry_named, read_catalogue
from models.fetch import Consent, add_model, fetch_model
from models.judge.cli import judging
from models.label.cli import labelling
from models.train.cli import training
from models.web import Progress as Told

commands = typer.Typer()
models = typer.Typer(help="Detectors: which there are, and getting them.", no_args_is_help=True)
commands.add_typer(models, name="models")
models.add_typer(judging)
models.add_typer(labelling)
models.add_typer(training)

Folder = Annotated[
    Path | None, typer.Option("--dir", help="Where models lie; if absent, see docs/guide/models.md.")
]


@models.command("list")
@one_line_errors
def list_models(folder: Folder = None) -> None:
    """Show the catalogue, and which of it is here."""
    where = models_dir(folder)
    table = Table("name", "here", "licence", "about", title=f"Models ({where})")
    for name, entry in read_catalogue().items():
        here = (where / f"{name}.onnx").is_file()
        table.add_row(name, "yes" if here else "-", entry.licence, entry.about)
    known = set(read_catalogue())
    for path in sorted(where.glob("*.onnx")):
        if path.stem not in known:
            table.add_row(path.stem, "yes", "", "your own")
    Console().print(table)


@models.command()
@one_line_errors
def fetch(
    name: Annotated[str, typer.Argument(help="Name in the catalogue.")],
    folder: Folder = None,
    sha256: Annotated[str | None, typer.Option(help="The file's hash, where the catalogue knows none.")] = None,
    trust_on_first_use: Annotated[
        bool, typer.Option("--trust-on-first-use", help="Accept a file of unknown hash, and record its hash.")
    ] = False,
) -> None:
    """Fetch a model of the catalogue: checked by its hash, resumed where it broke off."""
    entry, consent = entry_named(name), Consent(sha256, trust_on_first_use)
    with progress_bars() as progress:
        path = fetch_model(name, entry, models_dir(folder), progress, consent=consent)
    Console().print(f"{name}: {path}", soft_wrap=True)


@models.command()
@one_line_errors
def add(
    file: Annotated[Path, typer.Argument(help="An .onnx file.")],
    card: Annotated[
        Path | None, typer.Option(help="Its card; if absent, the .yaml beside it or one we ship.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Take in a model that you have: copies it and its card to where models lie."""
    Console().print(f"added {add_model(file, models_dir(folder), card)}", soft_wrap=True)


@models.command("ncnn")
@one_line_errors
def ncnn(
    model: Annotated[str, typer.Argument(help="A fetched model's name, or an .onnx file.")],
    card: Annotated[
        Path | None, typer.Option(help="Its card; if absent, the .yaml beside it or one we ship.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Make a model for NCNN, another way to run it on a processor: docs/guide/detectors.md."""
    from models.convert.ncnn import add_ncnn  # noqa: PLC0415

    file = find_model(DetectorSettings(model=model, models_dir=folder))
    Console().print(f"added {add_ncnn(file, models_dir(folder), card)}", soft_wrap=True)


@models.command()
@one_line_errors
def export(
    checkpoint: Annotated[
        str, typer.Argument(help="A .pt file, or a network such as yolo11n.yaml (random weights).")
    ],
    imgsz: Annotated[int, typer.Option(min=32, help="Width and height of the input, a multiple of 32.")] = 416,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    licence: Annotated[str, typer.Option(help="Of the weights, for the card.")] = "AGPL-3.0",
) -> None:
    """Turn an Ultralytics checkpoint into ONNX with a card. Needs the extra `export`, which is AGPL-3.0."""
    # Here, because it imports ONNX Runtime, which a station and a check of a box need none of.
    from models.export import export as export_checkpoint  # noqa: PLC0415

    Console().print(f"exported {export_checkpoint(checkpoint, imgsz, out, licence)}", soft_wrap=True)


@contextmanager
def progress_bars() -> Iterator[Told]:
    """A bar per file on the terminal; yields what to tell."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name)
            bars.update(tasks[name], completed=done, total=total)

        yield show
