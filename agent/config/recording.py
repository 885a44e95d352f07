"""What does not fit together where a camera is recorded: nobody could read it, or masks would not hide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.settings.diagnostics import Finding
from agent.translatable import tr


def unrecorded(camera: dict[str, Any], at: tuple[str | int, ...], plain: dict[str, Any]) -> Iterator[Finding]:
    """Why a camera that is to be recorded cannot be; `plain` is the whole configuration, of whatever kind."""
    record = camera.get("record")
    if not isinstance(record, dict) or record.get("mode") not in ("events", "continuous"):
        return
    evidence = plain.get("evidence")
    if not isinstance(evidence, dict) or not evidence.get("recipient"):
        yield (
            (*at, "record", "mode"),
            tr("footage is encrypted to the station's key, and there is none"),
            tr("set evidence.recipient to the key that begins with age1; the station shows it"),
        )
    if camera.get("privacy_masks") and record.get("source") is not None:
        yield (
            (*at, "record", "source"),
            tr("under privacy masks nothing is copied, and a main stream is only copied"),
            tr("leave record.source out: the masked pictures of `source` are encoded"),
        )
    for path, source in (
        ((*at, "source"), camera.get("source")),
        ((*at, "record", "source"), record.get("source")),
    ):
        watched_only = path[-2:] == ("record", "source") or record.get("source") is None
        if isinstance(source, dict) and source.get("pace") == "fast" and watched_only:
            yield (
                (*path, "pace"),
                tr("a file that is read as quickly as it goes cannot be recorded: its time is not ours"),
                tr("set pace to real, or record.mode to off"),
            )
