"""`ngatu check` and `ngatu config`: is the file right, does the box find what it names, what can be said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.exit import BROKEN, FAILED, STYLES, VERDICTS, one_line_errors
from agent.language import translated
from agent.translatable import tr

DEFAULT = Path("/etc/ngatu/config.yaml")

# Whoever reads the file says why it cannot be read, and what to do.
TRYING = tr("trying the cameras, the detector, the outbox and the broker")
ConfigFile = Annotated[Path, typer.Option("--config", "-c", readable=False, help="The configuration file.")]

config_app = typer.Typer(help="The configuration: schema, example, effective values.", no_args_is_help=True)


@one_line_errors
def check_command(
    config: ConfigFile = DEFAULT,
    offline: Annotated[bool, typer.Option("--offline", help="Stop after judging the file.")] = False,
    hardware: Annotated[
        bool, typer.Option("--hardware", help="Walk through what a new board must show, and save it.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With --hardware: also do again what was verified before.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="With --hardware: the folder for the checklist; without it, in state_dir."),
    ] = None,
) -> None:
    """Judge the file, then open each camera, load the model and reach the broker.

    With --hardware: measure what the board can show by itself, ask for the rest at a terminal (unplug a camera,
    cover a lens, cut the power) and verify it. Stop the agent before: two cannot have one camera.

    Exit code 0: all is well; 1: something cannot be reached, or failed; 2: the file is wrong; 3: with
    --hardware, somebody must still do something; 70: a fault of ngatu.
    """
    # Here, because these import the cameras, numpy and ONNX Runtime, which `ngatu --help` needs none of.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.config.schema import config_sha256, parse, read  # noqa: PLC0415
    from agent.tools import check  # noqa: PLC0415

    data = read(config)
    settings = parse(data, str(config))
    if hardware:
        from agent.cli.hardware.terminal import walk_hardware  # noqa: PLC0415

        walk_hardware(settings, report, again)
        return
    summary = tr(
        "{number} camera(s), sha256 {sha256}",
        number=len(settings.cameras),
        sha256=config_sha256(settings)[:12],
    )
    findings = [check.CheckResult("config", summary, check.CheckVerdict.OK)]
    findings += [*check.doubtful(data, str(config)), *check.offline(settings)]
    if not offline:
        # Who waits at a terminal sees that it works: what does not answer is waited for.
        with Console(stderr=True).status(translated(TRYING)):
            findings += check.online(settings, SystemClock())
    table = Table(title=Text(str(config)), title_justify="left")
    for heading in (tr("part"), tr("found"), tr("verdict")):
        table.add_column(translated(heading), overflow="fold")
    for finding in findings:
        found = "\n".join(translated(each) for each in (finding.found, finding.hint) if each)
        verdict = Text(translated(VERDICTS[finding.verdict.value]), STYLES[finding.verdict.value])
        table.add_row(Text(translated(finding.part)), Text(found), verdict)
    Console(highlight=False, markup=False).print(table)
    verdicts = {finding.verdict for finding in findings}
    if check.CheckVerdict.BROKEN in verdicts:
        raise typer.Exit(BROKEN)
    if check.CheckVerdict.FAILED in verdicts:
        raise typer.Exit(FAILED)


@config_app.command("schema")
@one_line_errors
def schema_command() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from agent.config.schema import Config  # noqa: PLC0415
    from agent.settings.reference import schema  # noqa: PLC0415

    typer.echo(json.dumps(schema(Config), indent=2, ensure_ascii=False))


@config_app.command("example")
@one_line_errors
def example_command() -> None:
    """Print a file with every setting, its default and its meaning."""
    from agent.config.reference import example_text  # noqa: PLC0415

    typer.echo(example_text(), nl=False)


@config_app.command("show")
@one_line_errors
def show_command(config: ConfigFile = DEFAULT) -> None:
    """Print what holds, defaults included. Of secrets it shows where they lie."""
    from agent.config.schema import config_sha256, load  # noqa: PLC0415
    from agent.settings.dump import dumped  # noqa: PLC0415

    settings = load(config)
    typer.echo(f"# sha256 {config_sha256(settings)}")
    typer.echo(dumped(settings.model_dump(mode="json")), nl=False)
