"""One run of the agent: what does not change until it ends."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from agent import __version__
from agent.core.types import Instant
from agent.host import versions as installed
from agent.host.restarts import BootReason


@dataclass(frozen=True, slots=True)
class Session:
    """What this run is, and by what it runs."""

    id: str
    started: Instant
    boot_reason: BootReason
    config_sha256: str
    versions: Mapping[str, str]
    """Name -> version, of the agent and of what it stands on."""
    config_refused: bool = False
    """It runs with the last good configuration, because the one in place is wrong."""


def versions() -> dict[str, str]:
    """Of the agent and of what it stands on."""
    return {
        "ngatu": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **installed.versions(),
    }
