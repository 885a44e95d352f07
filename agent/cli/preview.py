"""`ngatu preview`: a page to draw places and try rules at a camera; or pictures with a grid."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import one_line_errors
from agent.errors import ModelError, NgatuError
from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr

if TYPE_CHECKING:
    from agent.config.schema import CameraConfig, Config
    from agent.detectors import Detector
    from agent.tools.preview.footage import TrialFootage
    from agent.tools.preview.server import PreviewServer

PORT = 8088


@one_line_errors
def preview_command(
    config: ConfigFile = DEFAULT,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            help="Which camera of the configuration; without it the first. With --picture repeatable, or all."
        ),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(help="The address of this machine that serves the page; 0.0.0.0 or :: for all."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 for any that is free.")] = PORT,
    video: Annotated[
        list[Path] | None,
        typer.Option(help="A video file to try rules on, such as `ngatu record` makes; repeatable."),
    ] = None,
    picture: Annotated[
        bool, typer.Option("--picture", help="Serve no page: write a picture with a grid of fractions.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="With --picture: the file for one camera, else a folder; without it here. NAME.jpg each."
        ),
    ] = None,
) -> None:
    """Serve a page: what the agent sees at a camera, zones, lines and masks to draw, rules to try.

    The page is for this machine alone. With --listen it is for whoever has its address, which is new each time.
    What is drawn comes out as YAML for the file; the file is not changed. What a privacy mask hides is black.

    Exit code 0: ended by Ctrl-C, or all pictures are written; 1: nothing can listen there, a camera gave no
    picture, or a file cannot be used; 2: the configuration is wrong; 70: a fault of ngatu.
    """
    # Here, because these import the cameras and numpy, which `ngatu --help` needs none of.
    from agent.commands import on_site  # noqa: PLC0415
    from agent.config.schema import load  # noqa: PLC0415

    settings = load(config)
    cameras = [settings.camera(name) for name in camera] if camera else list(settings.cameras)
    if picture:
        _pictures(settings.state_dir, cameras, out or Path())
        return
    if out is not None:
        raise typer.BadParameter(translated(tr("goes only with --picture")), param_hint="--out")
    if camera and len(camera) > 1:
        raise typer.BadParameter(translated(tr("the page is that of one camera")), param_hint="--camera")
    asked = {"camera": cameras[0].name, "listen": listen}
    with on_site.noted(settings.state_dir, "preview", asked) as result:
        _page(config, settings, cameras[0], listen, port, video or [], result)


def _page(
    file: Path,
    settings: Config,
    camera: CameraConfig,
    listen: str,
    port: int,
    videos: Sequence[Path],
    result: dict[str, Any],
) -> None:
    """Serve until a signal comes; `result` is told who looked, and on what footage was tried."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.detectors.shared import SharedDetector  # noqa: PLC0415
    from agent.tools.preview.admission import is_loopback, new_token  # noqa: PLC0415
    from agent.tools.preview.footage import recorded  # noqa: PLC0415
    from agent.tools.preview.live import Live, with_advice  # noqa: PLC0415
    from agent.tools.preview.server import PreviewServer  # noqa: PLC0415
    from agent.tools.preview.site import PreviewSite  # noqa: PLC0415

    try:
        token = "" if is_loopback(listen) else new_token()
    except ValueError:
        raise typer.BadParameter(
            translated(tr("{listen} is no address of a machine", listen=repr(listen))), param_hint="--listen"
        ) from None
    clock = SystemClock()
    footage = [*_ring(settings, camera), *(recorded(path) for path in videos)]
    network, notice = _detector(settings, camera)
    if notice:
        _say(notice)
    detector = SharedDetector(network, clock)
    live = Live(
        camera,
        camera.pipeline(settings.device),
        detector,
        clock,
        lambda error: with_advice(error, settings, camera),
    )
    site = PreviewSite(file, camera.name, live, footage, detector, clock, notice)
    ended = _signals()
    with PreviewServer(listen, port, token, site, clock, on_visit=_say_visit, on_fault=_say_fault) as server:
        threads = [
            threading.Thread(target=server.serve_forever, name="page", daemon=True),
            threading.Thread(target=live.run, name=camera.name, daemon=True),
        ]
        for each in threads:
            each.start()
        _say_where(server, listen, camera.name)
        ended.wait()
        result.update(visitors=server.visitors, trials=site.trials)
        live.stop()
        site.close()
        server.shutdown()
        for each in threads:
            each.join(5)
    detector.close()


def _ring(settings: Config, camera: CameraConfig) -> list[TrialFootage]:
    """The last minutes of the ring, if there are any and this user may see them."""
    from agent.tools.preview.ring_footage import of_this_boot  # noqa: PLC0415

    try:
        found = of_this_boot(settings, camera)
    except PermissionError:
        words = tr(
            "the last ten minutes of camera {camera} are for the agent's user: `sudo -u ngatu ngatu preview …`",
            camera=camera.name,
        )
        _say(words)
        return []
    return [found] if found is not None else []


def _detector(settings: Config, camera: CameraConfig) -> tuple[Detector, str]:
    """The network, or none and why."""
    from agent.detectors import load_detector  # noqa: PLC0415
    from agent.detectors.absent import Absent  # noqa: PLC0415

    if not camera.attention.enabled:
        return Absent(), ""
    try:
        return load_detector(settings.detector), ""
    except ModelError as error:
        parts = filter(None, (tr("only motion is seen: {why}", why=error.what), error.hint))
        return Absent(), joined("; ", parts)


def _signals() -> threading.Event:
    """Set by Ctrl-C and by SIGTERM."""
    from agent.stop_signals import StopSignals  # noqa: PLC0415

    ended = threading.Event()
    StopSignals(ended.set)
    return ended


def _say_where(server: PreviewServer, listen: str, camera: str) -> None:
    """How to get there, and what stands open meanwhile."""
    base = f":{server.port}{server.base}"
    if not server.token:
        host = f"[{listen}]" if ":" in listen else listen
        _say(tr("camera {camera}: http://{host}{base}", camera=camera, host=host, base=base))
        words = tr(
            "from another computer: `ssh -L {port}:{host}:{port} USER@THIS-BOX`, and the same address there",
            port=server.port,
            host=host,
        )
        _say(words)
        _say(tr("whoever works on this machine can open it too; Ctrl-C ends it"))
        return
    for host in _reached_by(listen):
        _say(tr("camera {camera}: http://{host}{base}", camera=camera, host=host, base=base))
    words = tr(
        "open until Ctrl-C: whoever has this address sees camera {camera} and what is drawn, and nothing on "
        "the way is encrypted; the address is new each time",
        camera=camera,
    )
    _say(words)


def _reached_by(listen: str) -> list[str]:
    """The addresses by which others find what listens there."""
    import psutil  # noqa: PLC0415

    address = ipaddress.ip_address(listen)
    if not address.is_unspecified:
        return [f"[{address}]" if address.version == 6 else str(address)]
    found = []
    for cards in psutil.net_if_addrs().values():
        for card in cards:
            if card.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            mine = ipaddress.ip_address(card.address.partition("%")[0])
            if not (mine.is_loopback or mine.is_link_local) and mine.version <= address.version:
                found.append(f"[{mine}]" if mine.version == 6 else str(mine))
    return found or [socket.gethostname()]


def _say(words: str) -> None:
    typer.echo(translated(words))


def _say_visit(address: str) -> None:
    _say(tr("a browser at {address} looks", address=address))


def _say_fault(error: Exception) -> None:
    from agent.settings.quoting import redacted  # noqa: PLC0415

    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    broken = tr("ngatu is broken: {text}\n  hint: report this line with `ngatu version`", text=text)
    typer.echo(translated(printable(redacted(broken))), err=True)


def _pictures(state_dir: Path, cameras: Sequence[CameraConfig], out: Path) -> None:
    """A picture of each camera with a grid."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.commands import on_site  # noqa: PLC0415
    from agent.tools.preview.picture import preview, save  # noqa: PLC0415

    if len(cameras) > 1 and not out.is_dir():
        raise NgatuError(
            tr("{out}: no such folder", out=out), tr("for several cameras --out is a folder that is there")
        )
    failed: list[NgatuError] = []
    for each in cameras:
        path = out / f"{each.name}.jpg" if out.is_dir() else out
        asked = {"camera": each.name, "file": str(path.absolute())}
        try:
            with on_site.noted(state_dir, "preview", asked):
                image, size = preview(each, SystemClock())
                save(image, path)
        except NgatuError as error:  # one camera that is off must not hide the others
            failed.append(error)
            continue
        words = tr(
            "{path}: camera {camera} gives {width_px}×{height_px} pixels; read corners off the "
            "grid, or divide: [x / {width_px}, y / {height_px}]",
            path=path,
            camera=each.name,
            width_px=size.width_px,
            height_px=size.height_px,
        )
        _say(words)
    if failed:
        raise NgatuError(joined("\n", map(str, failed)))
