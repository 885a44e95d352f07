"""A package that was judged, as its page shows it: the verdict first, then what it rests on."""

from __future__ import annotations

from typing import Any, Final

from agent.language import translated
from station.footage.folder import RequestFolder
from station.handover import custody_words
from station.handover.dossier import Dossier
from station.handover.moments import in_local_words, size
from station.handover.report import finding_rows, gap_rows, grouped
from station.handover.shelf import shelved
from station.store.columns import ms
from station.web.footage.player import events_within, player_of
from station.web.visitor import Visitor
from verifier.findings import PackageVerdict
from verifier.report import MEANINGS, VERDICTS

LOOKS: Final = {PackageVerdict.AUTHENTIC: "good", PackageVerdict.MISSING: "notice"}
"""How a page marks a verdict: as a problem, unless it stands here."""


def package_of(visitor: Visitor, dossier: Dossier) -> dict[str, Any]:
    """The values of the page; texts are translated where they hold moments, else marked.

    Raises:
        StoreError: events cannot be read.
    """
    desk, judgement, language = visitor.console, dossier.judgement, visitor.language
    manifest, zone = judgement.manifest, desk.zone
    href = f"/requests/{dossier.request.device}/{dossier.request.id}"

    def local(text: str) -> str:
        return in_local_words(translated(text, language), zone)

    return {
        "verdict": VERDICTS[judgement.verdict],
        "meaning": MEANINGS[judgement.verdict],
        "looks": LOOKS.get(judgement.verdict, "problem"),
        "findings": [tuple(map(local, row)) for row in finding_rows(judgement, zone)],
        "notes": [local(note) for note in judgement.notes],
        "gaps": list(gap_rows(manifest, zone)) if manifest is not None else [],
        "player": player_of(dossier, events_within(desk.reads, dossier), language, href),
        "files": [(file.name, size(file.bytes), file.sha256) for file in dossier.files],
        "fingerprints": (grouped(dossier.box_key_sha256), grouped(dossier.station_key_sha256)),
        "custody": [
            (ms(entry.at), custody_words.act(entry), custody_words.done_by(entry), custody_words.detail(entry))
            for entry in judgement.custody
        ],
    }


def shelf_of(folder: RequestFolder) -> dict[str, Any] | None:
    """The ZIP file that can be fetched; None: there is none."""
    found = shelved(folder)
    if found is None:
        return None
    digest = grouped(found.sha256)
    return {"name": found.file.name, "size": size(found.bytes), "sha256": digest, "made_ms": ms(found.made)}
