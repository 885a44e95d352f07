"""`ngatu replay`: what the box would have seen and told in a recorded clip."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.exit import one_line_errors
from agent.errors import NgatuError

if TYPE_CHECKING:
    from agent.config.schema import Config
    from agent.tools.replay import Summary

START = datetime(2026, 1, 1, tzinfo=UTC)


@one_line_errors
def replay_command(
    clip: Annotated[Path, typer.Argument(help="A video file.")],
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Zones, rules and settings; without it, the defaults.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(help="Which camera of the configuration; without it, the first.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A fetched model's name, or an .onnx file.")] = None,
    events: Annotated[Path | None, typer.Option(help="Write the events here, one JSON a line.")] = None,
    tracks: Annotated[Path | None, typer.Option(help="Write the tracks here, in MOTChallenge format.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Labels in --tracks; repeatable; `all` for all. Without it: person, for MOTChallenge "
            "is about pedestrians, and its scorers count everything else as false."
        ),
    ] = None,
    overlay: Annotated[Path | None, typer.Option(help="Write a video with everything drawn in.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder for the pictures of events.")] = None,
    start: Annotated[datetime, typer.Option(help="When the clip begins, UTC.")] = START,
) -> None:
    """Run the pipeline over a clip: deterministic, as fast as possible."""
    from agent.tools.replay import Outputs  # noqa: PLC0415  – with it come numpy, PyAV and ONNX Runtime

    outputs = Outputs(events, tracks, overlay, images)
    labels = frozenset(label or ("person",))
    wanted = frozenset() if "all" in labels else labels
    summary = _replay(clip, _config(config, clip), camera, model, outputs, wanted, start)
    what = ", ".join(f"{count} {kind}" for kind, count in sorted(summary.events.items())) or "no events"
    who = ", ".join(f"{count} {name}" for name, count in summary.labels.most_common()) or "no road users"
    rested = 100 - 100 * summary.looked / max(1, summary.frames)
    others = sum(count for name, count in summary.labels.items() if wanted and name not in wanted)
    if tracks is not None and others:
        typer.echo(f"{tracks}: {', '.join(sorted(wanted))} only; --label all adds {others} other tracks")
    typer.echo(f"{summary.frames} frames, the detector rested on {rested:.0f} %; {who}; {what}")


def _config(file: Path | None, clip: Path) -> Config:
    from agent.config.schema import load, parse  # noqa: PLC0415

    if file is not None:
        return load(file)
    text = (
        "device: {commune: replay, id: replay}\nbroker: {host: localhost}\n"
        "cameras: [{name: clip, source: {kind: file, path: clip.mp4}}]\n"
    )
    return parse(text.encode(), str(clip))


def _replay(
    clip: Path,
    config: Config,
    camera: str | None,
    model: str | None,
    outputs: object,
    labels: frozenset[str],
    start: datetime,
) -> Summary:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from agent.cameras.settings import FileSource  # noqa: PLC0415
    from agent.core.types import Instant  # noqa: PLC0415
    from agent.detectors import load_detector  # noqa: PLC0415
    from agent.detectors.absent import Absent  # noqa: PLC0415
    from agent.publishing.compose import Sender  # noqa: PLC0415
    from agent.tools.replay import MAX_FPS, Outputs, replay  # noqa: PLC0415

    if not clip.is_file():
        raise NgatuError(f"{clip}: no such file", "name a video file")
    assert isinstance(outputs, Outputs)
    chosen = config.camera(camera) if camera is not None else config.cameras[0]
    source = FileSource(path=clip, pace="fast")
    settings = chosen.model_copy(update={"source": source, "max_fps": MAX_FPS})
    wanted = config.detector.model_copy(update={"model": model} if model else {})
    detector = load_detector(wanted) if chosen.attention.enabled else Absent()
    sender = Sender(
        config.device.commune,
        config.device.id,
        chosen.name,
        boot_id="replay",
        model_name=detector.name,
        model_sha256=detector.sha256,
        pictures=config.thumbnail,
    )
    begin = start if start.tzinfo else start.replace(tzinfo=UTC)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(clip.name, total=_length(clip))
        return replay(
            settings,
            chosen.pipeline(config.device),
            detector,
            sender=sender,
            outputs=outputs,
            start=Instant(0.0, begin.timestamp()),
            labels=labels,
            on_frame=lambda frame: progress.update(task, completed=frame.index + 1),
        )


def _length(clip: Path) -> int | None:
    """Frames in the file as its header says; None where it does not."""
    import av  # noqa: PLC0415

    try:
        with av.open(str(clip)) as container:
            return container.streams.video[0].frames or None
    except (av.error.FFmpegError, IndexError):
        return None  # the camera tells what is wrong, in words
