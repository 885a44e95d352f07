"""`ngatu audit`, `ngatu notice`, `ngatu wipe`: who asked for what, what people are told, the end of a box."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import FAILED, one_line_errors
from agent.errors import NgatuError, UsageError
from agent.language import LANGUAGES, translated
from agent.translatable import tr

AFTERWARDS: Final = tr(
    "now: take the power off; revoke the box's certificate (revoke.yml) and take it out of the inventory; a "
    "flash card keeps copies that no program reaches: destroy it if nobody may ever read them"
)

if TYPE_CHECKING:
    from agent.config.schema import Config
    from agent.status.notice import RecordedFacts


@one_line_errors
def audit_command(
    config: ConfigFile = DEFAULT,
    every: Annotated[
        bool, typer.Option("--all", help="All orders, not only those by which pictures leave the box.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Each line as it stands in the log.")] = False,
) -> None:
    """Show who looked at what, and what for: the audit log of this box, which is also verified.

    Whether the whole log was written anew only the station can tell: `ngatu station audit` there.

    Exit code 0: each line follows from the last; 1: one was changed or taken out, or the log cannot be read; 2:
    the configuration is wrong.
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from agent.cli.audit_words import COLUMNS, cells, last_lines  # noqa: PLC0415
    from agent.commands.audit import AUDIT_LOG, read_whole  # noqa: PLC0415
    from agent.config.schema import load  # noqa: PLC0415
    from agent.wire.audit_log import entry  # noqa: PLC0415

    path = load(config).state_dir / AUDIT_LOG
    try:
        lines, wrong = read_whole(path)
    except OSError as error:
        raise NgatuError(
            tr("{path}: cannot be read: {reason}", path=path, reason=error.strerror or error),
            tr("as the agent's user, or with sudo"),
        ) from error
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(translated(column), overflow="fold")
    for each in last_lines([entry(line.text) for line in lines], every):
        if as_json:
            typer.echo(each.text)
        table.add_row(*map(translated, cells(each)))
    if table.row_count and not as_json:
        Console(highlight=False, markup=False).print(table)
    elif not as_json:
        typer.echo(translated(tr("nobody asked for anything")))
    if wrong is not None:
        typer.echo(translated(tr("{folder}: {wrong}", folder=path.parent, wrong=wrong)), err=True)
        raise typer.Exit(FAILED)


@one_line_errors
def notice_command(
    config: ConfigFile = DEFAULT,
    language: Annotated[str, typer.Option(help="vi, en, or both: Vietnamese first.")] = "both",
    out: Annotated[
        Path | None,
        typer.Option(help="A file to write, .html to print or .txt; without it, the text is shown."),
    ] = None,
) -> None:
    """Write the public notice for the pole from the configuration: who records, why, how long, whom to ask.

    What the configuration lacks stays blank, and is told on standard error with what the law asks.

    Exit code 0: nothing is lacking; 1: something is, and the notice was written all the same, or it cannot be
    written; 2: the configuration or an option is wrong.
    """
    from agent.config.schema import load  # noqa: PLC0415
    from agent.status.notice import lacking, notice  # noqa: PLC0415
    from agent.tools.notice_page import as_html, as_text  # noqa: PLC0415

    if out is not None and out.suffix.lower() not in (".html", ".txt"):
        raise UsageError(tr("--out: {out}: neither .html nor .txt", out=out), tr("name it notice.html"))
    if language not in (*LANGUAGES, "both"):
        raise UsageError(
            tr("--language: {language} is not vi, en or both", language=repr(language)), tr("name one")
        )
    settings = load(config)
    codes = sorted(LANGUAGES, reverse=True) if language == "both" else [language]
    languages = [(code, partial(translated, into=code)) for code in codes]
    made = notice(settings.device, settings.notice, _facts(settings))
    if out is None:
        typer.echo(as_text(made, languages), nl=False)
    else:
        text = as_html(made, languages) if out.suffix.lower() == ".html" else as_text(made, languages)
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise NgatuError(
                tr("{out}: cannot be written: {reason}", out=out, reason=error.strerror or error),
                tr("name a file in a folder that is there and that you may write to"),
            ) from error
        typer.echo(translated(tr("{out}: open it in a browser and print it", out=out)))
    missing = list(lacking(settings.device, settings.notice))
    for setting, why in missing:
        typer.echo(translated(tr("{setting} is not set: {why}", setting=setting, why=why)), err=True)
    if missing:
        raise typer.Exit(FAILED)


def _facts(settings: Config) -> RecordedFacts:
    from agent.status.notice import RecordedFacts  # noqa: PLC0415

    recorded = sum(camera.record.mode != "off" for camera in settings.cameras)
    return RecordedFacts(
        cameras=len(settings.cameras),
        masked=sum(bool(camera.privacy_masks) for camera in settings.cameras),
        blur=settings.thumbnail.blur,
        footage_days=settings.evidence.max_days if recorded else None,
        footage_cameras=recorded,
        role=settings.device.role,
        colours=any(camera.best_shot.colours for camera in settings.cameras),
        samples_days=settings.samples.max_days if settings.samples.enabled else None,
        samples_by_order=settings.samples.by_order,
        samples_purpose=settings.samples.purpose,
    )


@one_line_errors
def wipe_command(
    config: ConfigFile = DEFAULT,
    result: Annotated[
        Path, typer.Option(help="Folder for the written result; not on the box's own card.")
    ] = Path(),
    sure: Annotated[
        str | None, typer.Option("--sure", help="The box's id; without it, you are asked to type it.")
    ] = None,
    keep_config: Annotated[bool, typer.Option("--keep-config", help="Leave the configuration file.")] = False,
    check: Annotated[
        Path | None, typer.Option(help="Delete nothing: check this written result, a .json file.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="With --check: the box's public key, as its station knows it.")
    ] = None,
) -> None:
    """Delete what this box holds of people and of secrets before it is given away, and write down how.

    Outbox, orders, audit log, state, footage, keys and passwords that the configuration names, and the
    configuration. It refuses while the agent runs, and asks first. Only what ngatu made goes. The result, as
    JSON and as text, lists each file, and is signed where the box has its key for footage.

    A flash card keeps copies that no program reaches: to be sure, destroy it.

    Exit code 0: all is deleted, or the result holds; 1: something is not, and is named; 2: the configuration or
    an option is wrong: nothing was deleted.
    """
    from agent.config.schema import load  # noqa: PLC0415
    from agent.tools import wipe, wipe_result  # noqa: PLC0415

    if check is not None:
        _check_result(check, key)
        return
    settings = load(config)
    if not (result.is_dir() and os.access(result, os.W_OK)) or result.absolute().is_relative_to(
        settings.state_dir.absolute()
    ):
        raise UsageError(
            tr("--result: {result} is no folder for the result", result=result.absolute()),
            tr("name one that you may write to and that is not state_dir, such as a USB stick"),
        )
    plan = wipe.plan(settings, None if keep_config else config)
    box = settings.device.id
    size_mb = plan.bytes / 1e6
    ask = tr("{files} files, {size_mb:.1f} MB, of box {box}:", files=len(plan.files), size_mb=size_mb, box=box)
    typer.echo(translated(ask))
    for path in plan.files:
        typer.echo(f"  {path}")
    if sure is None:
        sure = typer.prompt(translated(tr("They cannot be had back. Type {box} to delete them", box=box)))
    if sure != box:
        raise UsageError(
            tr("nothing was deleted: {sure} is not {box}", sure=repr(sure), box=box), tr("type its id")
        )
    for number in (signal.SIGINT, signal.SIGTERM):  # half a wipe without a result would be the worst of both
        signal.signal(number, signal.SIG_IGN)
    done = wipe.wipe(settings, plan)
    written = wipe_result.write(done, result)
    said = tr(
        "{files} files deleted, {size_mb:.1f} MB; the result: {written}",
        files=done["deleted_files"],
        size_mb=done["deleted_bytes"] / 1e6,
        written=written,
    )
    typer.echo(translated(said))
    typer.echo(translated(AFTERWARDS))
    left = [f"{each['path']}: {each['why']}" for each in done["files"] if each["how"] == wipe_result.LEFT]
    for line in left:
        typer.echo(translated(tr("not deleted: {line}", line=line)), err=True)
    for path in (*done["others_left"], *done["folders_left"]):
        typer.echo(translated(tr("left, for ngatu did not make it: {path}", path=path)), err=True)
    if left:
        raise typer.Exit(FAILED)


def _check_result(file: Path, key: str | None) -> None:
    from agent.tools import wipe_result  # noqa: PLC0415

    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NgatuError(
            tr("{file}: cannot be read: {reason}", file=file, reason=getattr(error, "strerror", None) or error),
            tr("name the .json file that the wipe wrote"),
        ) from None
    there = wipe_result.still_there(result)
    fault = wipe_result.signature_fault(result, key)
    for path in there:
        typer.echo(translated(tr("{path} is on this machine", path=path)), err=True)
    if fault is not None:
        typer.echo(translated(fault), err=True)
    if there or fault is not None:
        raise typer.Exit(FAILED)
    said = tr("signed by {key}; none of its files is on this machine", key=result["key"])
    typer.echo(translated(said))
