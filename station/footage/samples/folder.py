"""The folder of one order for frames for training: as that of a request for footage, beside them.

<state_dir>/samples/<box>/<order id>/
    request.json, box.pub, state.json, pieces     as of footage (../folder.py)
    package/                                      manifest, signature, custody log, the frames as they lay
                                                  on the box, by the names that they had there
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.wire.payloads import Time, Whole
from station.footage.folder import PackageFolder, PackageFolders, PackageRequest, read_request

SAMPLES: Final = "samples"
"""The folder of all orders in a station's state_dir."""


class SampleRequest(PackageRequest):
    """What was ordered, by whom and why."""

    since: Time | None = None
    """Only frames taken since then; None: all."""
    most: Whole


@dataclass(frozen=True, slots=True)
class SampleFolder(PackageFolder):
    """One order for frames."""

    request: SampleRequest


class SampleFolders(PackageFolders[SampleFolder]):
    """All orders for frames of a station."""

    def opened(self, path: Path) -> SampleFolder | None:
        """The order whose folder this is; None: it is none."""
        request = read_request(path, SampleRequest)
        return None if request is None else SampleFolder(path, request)
