"""A judgement in lines for a person, and as one object of JSON for a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from agent.evidence.links import VOUCHED
from agent.evidence.package.dataclass_json import rfc3339, to_json
from agent.evidence.package.manifest import CORRECTED, PackageManifest
from agent.printable import printable
from agent.translatable import joined, tr
from verifier import timeline
from verifier.findings import Judgement, PackageFinding, PackageVerdict

VERDICTS: Final[Mapping[PackageVerdict, str]] = {
    PackageVerdict.AUTHENTIC: tr("authentic"),
    PackageVerdict.MISSING: tr("authentic with missing"),
    PackageVerdict.NOT_SIGNED: tr("not signed"),
    PackageVerdict.NOT_AUTHENTIC: tr("not authentic"),
}
MEANINGS: Final[Mapping[PackageVerdict, str]] = {
    PackageVerdict.AUTHENTIC: tr("everything that the box signed is there, as it signed it, and nothing else"),
    PackageVerdict.MISSING: tr("what is there is what the box signed, and parts that it signed are not there"),
    PackageVerdict.NOT_SIGNED: tr("there is nothing that a box signed"),
    PackageVerdict.NOT_AUTHENTIC: tr("something is not what the box signed"),
}
REASONS: Final[Mapping[str, str]] = {
    "unknown": tr("nobody knows why"),
    "off": tr("the box was off"),
    "camera_lost": tr("the camera gave no pictures"),
    "not_recorded": tr("nothing was to be recorded"),
    "paused": tr("the camera was paused"),
    "deleted": tr("deleted before it was asked for"),
    "damaged": tr("damaged on the box's disk"),
    "no event": tr("no event"),
    "the box was too slow": tr("the box was too slow"),
    "the index of the footage is being made": tr("the index of the footage is being made"),
    "the disk failed": tr("the disk failed"),
    "the camera was lost": tr("the camera was lost"),
    "the agent stopped": tr("the agent stopped"),
    "the agent was not running for a while": tr("the agent was not running for a while"),
    "no pictures came": tr("no pictures came"),
    "the footage was full": tr("the footage was full"),
    "enough was written on that day": tr("enough was written on that day"),
    "no key picture came": tr("no key picture came"),
    "the clock was set": tr("the clock was set"),
    "its pictures changed too often": tr("its pictures changed too often"),
}
ACTS: Final[Mapping[str, str]] = {
    "received": tr("received"),
    "verified": tr("verified"),
    "opened": tr("opened"),
    "handed_over": tr("handed over"),
}
MAX_LINES: Final = 200
"""Of the findings so many are written for a person; JSON has them all."""


def lines(judgement: Judgement) -> Iterator[str]:
    """The answer first, then what is wrong, then what the package is; marked for translation."""
    verdict = judgement.verdict
    yield tr("{verdict}: {meaning}", verdict=VERDICTS[verdict], meaning=MEANINGS[verdict])
    offset_s = judgement.manifest.facts.box.utc_offset_s if judgement.manifest else 0
    for finding in judgement.findings[:MAX_LINES]:
        yield _of(finding, offset_s)
    if len(judgement.findings) > MAX_LINES:
        yield tr("  {more:,} more; --json has them all", more=len(judgement.findings) - MAX_LINES)
    if judgement.manifest is not None:
        yield from _of_package(judgement.manifest, judgement)
    for entry in judgement.custody:
        yield tr(
            "  {act} {time}, by {by}: {detail}",
            act=ACTS[entry.act],
            time=_time(entry.at, offset_s),
            by=printable(entry.by),
            detail=printable(entry.detail),
        )
    for note in judgement.notes:
        yield tr("  note: {note}", note=note)


def as_json(judgement: Judgement) -> dict[str, Any]:
    """The same for a program: English words, times in UTC, bytes from 0."""
    manifest = judgement.manifest
    return {
        "verdict": str(judgement.verdict),
        "findings": [{**to_json(finding), "text": str(finding.text)} for finding in judgement.findings],
        "package": None if manifest is None else _package_json(manifest),
        "custody": to_json(judgement.custody),
        "notes": [str(note) for note in judgement.notes],
    }


def _package_json(manifest: PackageManifest) -> dict[str, Any]:
    return {
        "key_sha256": manifest.key_sha256,
        "request": to_json(manifest.request),
        "facts": to_json(manifest.facts),
        "covered": to_json(manifest.covered),
        "gaps": to_json(manifest.gaps),
        "parts": len(manifest.parts),
        "made": rfc3339(manifest.facts.made),
    }


def _of(finding: PackageFinding, offset_s: int) -> str:
    text = tr("  {file}: {text}", file=printable(finding.file), text=finding.text)
    if (
        finding.first_byte is not None
        and finding.end_byte is not None
        and finding.end_byte > finding.first_byte
    ):
        text = tr(
            "{text}, bytes {first}-{last}", text=text, first=finding.first_byte, last=finding.end_byte - 1
        )
    if finding.start is not None and finding.end is not None:
        text = tr("{text}, footage {range}", text=text, range=_range(finding.start, finding.end, offset_s))
    return text


def _of_package(manifest: PackageManifest, judgement: Judgement) -> Iterator[str]:
    request, facts, offset_s = manifest.request, manifest.facts, manifest.facts.box.utc_offset_s
    yield tr(
        "  camera {camera} of box {box}; its key is {key}",
        camera=printable(request.camera),
        box=printable(f"{facts.box.commune}/{facts.box.device}"),
        key=manifest.key_sha256,
    )
    yield tr("  asked for: {range}", range=_range(request.start, request.end, offset_s))
    yield tr(
        "  by {officer}, case {case}: {purpose}",
        officer=printable(request.officer) or "-",
        case=printable(request.case_number) or "-",
        purpose=printable(request.purpose) or "-",
    )
    if request.command_sha256:
        signed = (request.command_key_sha256 or "")[:16]
        yield tr(
            "  ordered by the command {sha256}, {signed}",
            sha256=request.command_sha256[:16],
            signed=tr("signed with the key {key}", key=signed) if signed else tr("not signed"),
        )
    covered_s = sum((end - start).total_seconds() for start, end in manifest.covered)
    yield tr(
        "  recorded: {covered:.1f} s in {runs} files, {parts} parts",
        covered=covered_s,
        runs=len(manifest.runs),
        parts=sum(part.number > 0 for part in manifest.parts),
    )
    for gap in manifest.gaps:
        # A hole may have several reasons.
        why = joined("; ", [REASONS.get(each, printable(each)) for each in gap.why.split("; ")])
        yield tr("  not recorded: {range}: {why}", range=_range(gap.start, gap.end, offset_s), why=why)
    start, end = timeline.span(manifest)
    yield tr(
        "  {start} |{bar}| {end}",
        start=_clock(start, offset_s),
        bar=timeline.bar(manifest, judgement.findings),
        end=_clock(end, offset_s),
    )
    yield tr("  = as signed   . not recorded   ? missing   X not as signed")
    yield from _of_facts(manifest, offset_s)


def _of_facts(manifest: PackageManifest, offset_s: int) -> Iterator[str]:
    facts = manifest.facts
    for clock in facts.clocks:
        yield tr(
            "  clock: {vouched}; {time} is {seconds:.3f} s of boot {boot}",
            vouched=_vouched(clock.state),
            time=_time(clock.wall, offset_s),
            seconds=clock.mono_s,
            boot=printable(clock.boot)[:8],
        )
    for run in manifest.runs:
        yield tr(
            "  footage-{number}.mp4: {codec}, {width} x {height}",
            number=run.number,
            codec=printable(run.codec),
            width=run.width_px,
            height=run.height_px,
        )
        yield tr(
            "  {recorded}; masks: {masks}",
            recorded=RECORDED[run.recorded],
            masks=run.mask_sha256[:16] if run.mask_sha256 else tr("none"),
        )
    yield tr(
        "  made by ngatu {version}, its configuration then {config}, its detector then {model} {sha256}",
        version=printable(facts.box.version),
        config=(facts.box.config_sha256 or "-")[:16],
        model=printable(facts.box.model or "-"),
        sha256=(facts.box.model_sha256 or "-")[:16],
    )
    yield tr(
        "  package made {time}; the clock then: {vouched}",
        time=_time(facts.made, offset_s),
        vouched=_vouched(facts.made_clock),
    )


def _vouched(state: str) -> str:
    if state == CORRECTED:
        return tr("nobody vouched for it at first; put right later in the same boot")
    return tr("kept by {state}", state=state) if state in VOUCHED else tr("nobody vouched for it")


RECORDED: Final[Mapping[str, str]] = {
    "as it came": tr("recorded as the camera sent it"),
    "encoded from masked pictures": tr("encoded by the box from masked pictures"),
    "encoded": tr("encoded by the box"),
}


def _range(start: datetime, end: datetime, offset_s: int) -> str:
    return tr("{start} to {end}", start=_time(start, offset_s), end=_clock(end, offset_s))


def _time(moment: datetime, offset_s: int) -> str:
    local = moment.astimezone(timezone(timedelta(seconds=offset_s)))
    return local.isoformat(" ", timespec="milliseconds")


def _clock(moment: datetime, offset_s: int) -> str:
    local = moment.astimezone(timezone(timedelta(seconds=offset_s)))
    return local.strftime("%H:%M:%S.") + f"{local.microsecond // 1000:03d}"
