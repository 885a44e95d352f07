"""Which values a manifest may have at all: what a box that is not the enemy's never goes beyond. Pure.

Whoever has the box's key signs what he likes. What is read is shown, added and used as an index by programs
that must not end of it; whether it can be true is told by `consistency.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agent.evidence.links import SegmentLink
from agent.wire.signature import LARGEST

if TYPE_CHECKING:  # it reads a manifest, and holds it against these
    from agent.evidence.package.manifest import PackageManifest

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
MOST_MS: Final = 32_503_680_000_000
"""The year 3000."""
_DAY_MS: Final = 86_400_000


def beyond(manifest: PackageManifest) -> str | None:
    """The first place whose value is none that such a place can have; None: there is none."""
    return next(_beyond(manifest), None)


def _beyond(manifest: PackageManifest) -> Iterator[str]:
    yield from _of_hashes(manifest)
    box = manifest.facts.box
    yield from _outside("facts.box.utc_offset_s", box.utc_offset_s, 1 - 86_400, 86_400 - 1)
    for index, clock in enumerate(manifest.facts.clocks):
        yield from _outside(f"facts.clocks[{index}].mono_s", clock.mono_s, 0, MOST_MS / 1000)
    for index, run in enumerate(manifest.runs):
        for name in ("number", "width_px", "height_px"):
            yield from _outside(f"runs[{index}].{name}", getattr(run, name), 0, LARGEST)
    for index, part in enumerate(manifest.parts):
        for name in ("run", "number", "bytes", "cipher_bytes", "segment"):
            yield from _outside(f"parts[{index}].{name}", getattr(part, name), 0, LARGEST)
        yield from _outside(f"parts[{index}].record", part.record, -1, LARGEST)
    for index, link in enumerate(manifest.chain.links if manifest.chain else ()):
        yield from _of_link(f"chain.links[{index}]", link)


def _of_hashes(manifest: PackageManifest) -> Iterator[str]:
    request, box = manifest.request, manifest.facts.box
    found = {
        "request.command_sha256": request.command_sha256,
        "request.command_key_sha256": request.command_key_sha256,
        "facts.box.config_sha256": box.config_sha256,
        "facts.box.model_sha256": box.model_sha256,
        **{f"runs[{index}].mask_sha256": run.mask_sha256 for index, run in enumerate(manifest.runs)},
    }
    yield from (place for place, value in found.items() if value is not None and not _SHA256.fullmatch(value))


def _of_link(place: str, link: SegmentLink) -> Iterator[str]:
    yield from _outside(f"{place}.number", link.number, 0, LARGEST)
    for name, moment in (("start", link.start), ("end", link.end)):
        yield from _outside(f"{place}.{name}.mono_ms", moment.mono_ms, 0, MOST_MS)
        yield from _outside(f"{place}.{name}.wall_ms", moment.wall_ms, 0, MOST_MS)
    for index, part in enumerate(link.parts):
        yield from _outside(f"{place}.parts[{index}].at_ms", part.at_ms, 0, _DAY_MS)
        yield from _outside(f"{place}.parts[{index}].duration_ms", part.duration_ms, 0, _DAY_MS)


def _outside(place: str, value: float, least: float, most: float) -> Iterator[str]:
    if not least <= value <= most:
        yield place
