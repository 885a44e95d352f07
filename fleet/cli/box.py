"""`ngatu box`: how one box stands, asked at the broker, and its label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.exit import one_line_errors
from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.transport.settings import EndpointSettings

box_app = typer.Typer(help="One box, as it tells of itself at the broker.", no_args_is_help=True)


def _topic_name(name: str) -> str:
    from agent.cli.options import topic_name  # noqa: PLC0415 (pydantic: `ngatu --help` needs none of it)

    return topic_name(name)


def _topic_root(root: str) -> str:
    from agent.cli.options import topic_root  # noqa: PLC0415 (pydantic: `ngatu --help` needs none of it)

    return topic_root(root)


Commune = Annotated[str, typer.Argument(help="As in its topics.", callback=_topic_name)]
Device = Annotated[str, typer.Argument(help="As in its topics.", callback=_topic_name)]
Host = Annotated[str, typer.Option(help="The broker.")]
Port = Annotated[int, typer.Option(help="Its port.")]
Ca = Annotated[
    Path | None,
    typer.Option(help="The broker's certificate authority; turns TLS on.", exists=True, dir_okay=False),
]
Cert = Annotated[
    Path | None,
    typer.Option(help="A certificate that may read the boxes' topics.", exists=True, dir_okay=False),
]
Key = Annotated[Path | None, typer.Option(help="Its key.", exists=True, dir_okay=False)]
Root = Annotated[str, typer.Option(help="First levels of all topics.", callback=_topic_root)]


@box_app.command("look")
@one_line_errors
def look_command(
    commune: Commune,
    device: Device,
    host: Host = "127.0.0.1",
    port: Port = 8883,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
    root: Root = "ngatu/v1",
) -> None:
    """Print as JSON what the box has said last: status, info, health; null where it has said nothing."""
    from fleet.rollout_check import look  # noqa: PLC0415

    seen = look(_endpoint(host, port, ca, cert, key, root), commune, device)
    said = {
        name: payload and payload.model_dump(mode="json", by_alias=True)
        for name, payload in (("status", seen.status), ("info", seen.info), ("health", seen.health))
    }
    typer.echo(json.dumps(said))


@box_app.command("rollout-check")
@one_line_errors
def rollout_check_command(
    commune: Commune,
    device: Device,
    version: Annotated[str, typer.Option(help="That it must run.")],
    config_sha256: Annotated[
        str | None, typer.Option(help="Of its configuration, as `ngatu config show` tells.")
    ] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="That must stream; repeatable. Without it: all.")
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="And the model on trial must have come into use.")
    ] = False,
    within: Annotated[float, typer.Option(min=1, help="Seconds.")] = 150.0,
    host: Host = "127.0.0.1",
    port: Port = 8883,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
    root: Root = "ngatu/v1",
) -> None:
    """Wait until the box says that it runs this release and its cameras stream; exit code 1: it does not."""
    from fleet.rollout_check import Wanted, proven  # noqa: PLC0415

    broker = _endpoint(host, port, ca, cert, key, root)
    seen = proven(broker, commune, device, Wanted(version, config_sha256, camera or None, shadow), within)
    typer.echo(
        f"{device}: ngatu {version}, {', '.join(f'{name} {state}' for name, state in seen.cameras().items())}"
    )


def _endpoint(
    host: str, port: int, ca: Path | None, cert: Path | None, key: Path | None, root: str
) -> EndpointSettings:
    from agent.cli.options import pair_without_authority, settings_of  # noqa: PLC0415
    from agent.transport.settings import EndpointSettings, TlsSettings  # noqa: PLC0415

    pair_without_authority(ca, cert, key)
    options = {"host": "--host", "port": "--port", "root": "--root"}
    tls = TlsSettings(ca=ca, cert=cert, key=key) if ca is not None else None
    return settings_of(EndpointSettings, options, host=host, port=port, tls=tls, root=root)


@box_app.command("label")
@one_line_errors
def label_command(
    commune: Commune,
    device: Device,
    place: Annotated[str, typer.Option(help="Where it hangs, in words.")] = "",
    contact: Annotated[str, typer.Option(help="Whom to call about it.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Where a label for printing goes, as SVG, 72 by 36 mm.")
    ] = None,
) -> None:
    """Show the label of a box, with a QR code that names it; it holds no secret."""
    from fleet.label import Label, terminal, write  # noqa: PLC0415

    label = Label(commune, device, place, contact)
    typer.echo("\n".join(terminal(label)))
    if out is not None:
        write(label, out)
        typer.echo(f"{out}: print it at its own size (100 %)")


@box_app.command("address")
@one_line_errors
def address_command(
    word: Annotated[str, typer.Argument(help="An IPv4 or IPv6 address, or a host name.")],
) -> None:
    """Judge whether a box can be reached at such an address; asks nobody. new-box.yml calls it."""
    from fleet.address import require_address  # noqa: PLC0415

    require_address(word)
    typer.echo(f"{word}: may be an address")


@box_app.command("report")
@one_line_errors
def report_command(
    facts: Annotated[Path | None, typer.Argument(help="What report.yml has gathered.")] = None,
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("report.html"),
    language: Annotated[str, typer.Option(help="en or vi.")] = "en",
    timezone: Annotated[
        str | None,
        typer.Option(help="Whose times it shows, such as Asia/Ho_Chi_Minh; if absent, this computer's."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only judge language, zone and place of the page; writes nothing.")
    ] = False,
) -> None:
    """Make one HTML page of all boxes and stations; what needs somebody comes first. report.yml calls it."""
    from fleet.report.gather import read  # noqa: PLC0415
    from fleet.report.local_time import named_zone, own_zone  # noqa: PLC0415
    from fleet.report.page import require_place, words_in, write  # noqa: PLC0415

    words_in(language)
    zone = named_zone(timezone) if timezone else own_zone()
    require_place(out)
    if check:
        typer.echo(f"{out}: a page in {language} may be written")
        return
    if facts is None:
        raise UsageError("what report.yml has gathered is not named", "name its file: report.yml writes it")
    if out.exists() and facts.exists() and out.samefile(facts):
        raise UsageError(f"--out {out}: it would take the place of what was gathered", "name another file")
    fleet = read(facts)
    write(fleet, out, language, zone)
    typer.echo(f"{out}: {len(fleet.boxes)} boxes, {len(fleet.hosts)} brokers and stations")
