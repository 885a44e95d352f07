"""`python -m benchmarks NAME PATHS… [--json FILE]`: measure, print one table, write the same table as JSON."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import sysconfig
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from agent.errors import NgatuError
from benchmarks import table
from benchmarks.footage import DATA, NAMES, default
from benchmarks.page_cache import forget_libraries

RESULTS = Path("build/benchmarks")
"""Where `all` leaves a JSON file of each; never part of the repository."""


PAGE = 132
"""Columns of a table that goes into a file."""


def command(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}; or all.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders, clips, models. Without: the usual footage.")
    ] = None,
    gt: Annotated[
        list[Path] | None, typer.Option(help="Ground truth of the clips, in their order; repeatable.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the table here too; for all: the folder.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A rough look in a part of the time, where there is one.")
    ] = False,
    data: Annotated[Path, typer.Option(help="Where the usual footage lies.")] = DATA,
) -> None:
    """Print what is measured, beside its peers."""
    console = Console() if sys.stdout.isatty() else Console(width=PAGE)
    try:
        if name == "all":
            raise typer.Exit(_all(data, json or RESULTS, console))
        given = with_truth(paths or [], gt or []) or default(name, data)
        rows = measured(name, given, quick=quick)
    except NgatuError as error:
        Console(stderr=True).print(f"{error.what}\n{error.hint}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    table.show(name, rows, console)
    if json is not None:
        table.write(json, name, rows)


def measured(name: str, paths: list[Path], *, quick: bool = False) -> list[table.Row]:
    """The rows of a benchmark over these paths.

    Raises:
        NgatuError: there is no such benchmark or path, it has no quick way, or a package is not installed.
    """
    if name not in NAMES:
        raise NgatuError(f"there is no benchmark {name}", f"there are: {', '.join(NAMES)}, all")
    for path in paths:
        if not path.exists() and name != "scenes":
            raise NgatuError(f"{path}: no such file or folder", "name footage that is there")
    forget_libraries(Path(sysconfig.get_path("platlib")))
    try:
        main = importlib.import_module(f"benchmarks.{name}").main
    except ModuleNotFoundError as error:
        hint = "`make bench` sets up .venv-bench, which has everything"
        raise NgatuError(f"{name} needs the package {error.name}", hint) from error
    taken = inspect.signature(main).parameters
    if quick and "quick" not in taken:
        raise NgatuError(f"{name} has no quick way", "leave --quick out")
    more = {"quick": True} if quick else {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name)
        if "progress" not in taken:
            return list(main(paths, **more))
        return list(main(paths, **more, progress=partial(show_step, progress, task, name)))


def show_step(progress: Progress, task: TaskID, name: str, text: str) -> None:
    """How far it is: in one line on a terminal, else in a line for each step, with the time."""
    shown = f"{name}: {text}"
    if not progress.console.is_terminal and shown != progress.tasks[task].description:
        progress.console.print(f"{datetime.now():%H:%M:%S} {shown}", markup=False, highlight=False)  # noqa: DTZ005
    progress.update(task, description=shown)


def with_truth(paths: list[Path], truths: list[Path]) -> list[Path]:
    """The paths with each clip's truth behind it."""
    waiting = list(truths)
    return [each for path in paths for each in ((path, waiting.pop(0)) if waiting else (path,))] + waiting


def _all(data: Path, folder: Path, console: Console) -> int:
    """Each benchmark in a process of its own: one that fails, or keeps much memory, does not touch the next."""
    failed = []
    for name in NAMES:
        file = folder / f"{name}.json"
        words = [sys.executable, "-m", "benchmarks", name, f"--data={data}", f"--json={file}"]
        if subprocess.run(words, check=False).returncode:
            failed.append(name)
    console.print(f"written to {folder}/" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    typer.run(command)
