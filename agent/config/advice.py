"""What is allowed in a box's file but deserves a look."""

from __future__ import annotations

from collections.abc import Iterator

from agent.cameras.settings import RtspSource, UsbSource
from agent.config.schema import Config
from agent.translatable import joined, tr

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def warnings(config: Config) -> list[str]:
    """What is allowed but deserves a look, one line each."""
    found: list[str] = []
    if not config.device.purpose:
        found.append(tr("device.purpose is empty: the law asks what the pictures are for"))
    if not config.device.legal_basis:
        found.append(tr("device.legal_basis is empty: the law asks what allows the cameras"))
    if config.broker.tls is None and any(host not in LOOPBACK for host, _ in config.broker.addresses):
        found.append(tr("broker.tls is not set: pictures and passwords go over the network in the clear"))
    if config.samples.enabled and config.samples.blur == "none":
        found.append(tr("samples.blur is none: frames that are kept for training show faces as they are"))
    if config.samples.enabled and config.evidence.recipient is None:
        found.append(
            tr("samples are kept in the clear: evidence.recipient is not set, so whoever has the card has them")
        )
    found += _without_password(config)
    sources: dict[str, str] = {}
    for camera in config.cameras:
        source = camera.source.model_dump_json()
        if source in sources and camera.source.kind != "file":
            found.append(
                tr(
                    "cameras {other} and {camera} have the same source",
                    other=sources[source],
                    camera=camera.name,
                )
            )
        sources[source] = camera.name
        if isinstance(camera.source, UsbSource) and not camera.source.stable:
            found.append(
                tr(
                    "camera {camera}: {device} may be another camera after a restart",
                    camera=camera.name,
                    device=camera.source.device,
                )
            )
        if not camera.rules:
            found.append(tr("camera {camera} has no rules, so it never tells anything", camera=camera.name))
    return found


def _without_password(config: Config) -> Iterator[str]:
    """Logins that are half said: a name, and no password."""
    if config.broker.username is not None and config.broker.password is None:
        yield _half("broker")
    for i, camera in enumerate(config.cameras):
        for at, source in (("source", camera.source), ("record.source", camera.record.source)):
            if isinstance(source, RtspSource) and source.username is not None and source.password is None:
                yield _half(f"cameras[{i}].{at}")


def _half(path: str) -> str:
    what = tr("{path}.username is set, and {path}.password is not", path=path)
    return joined("; ", (what, tr("name its file, such as {{file: /etc/ngatu/secret}}")))
