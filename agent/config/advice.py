"""What is allowed in a box's file but deserves a look."""

from __future__ import annotations

from agent.cameras.settings import UsbSource
from agent.config.schema import Config
from agent.translatable import tr

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
