"""The report as one HTML page: everything in it, for a phone and for paper."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

from agent.errors import NgatuError, UsageError
from agent.health_findings import CERTIFICATE_SOON_D, SEES
from agent.wire.payloads import HealthPayload
from fleet.report.evaluate import (
    CRL_SOON_D,
    Assessment,
    ReportFinding,
    Urgency,
    camera_called,
    evaluate,
    is_online,
    last_heard,
    sort_key,
    version,
)
from fleet.report.gather import BoxFacts, Certificate, Fleet, Host
from fleet.report.local_time import day, minute
from fleet.report.storage import BoxStorage
from fleet.report.words import LANGUAGES
from fleet.template import template
from fleet.whole_file import require_takes, write_whole

NONE: Final = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """One fact, and whether it is one of those that somebody must look at."""

    text: str
    bad: bool = False


def words_in(language: str) -> Mapping[str, str]:
    """Everything that a page says, in this language.

    Raises:
        UsageError: there is no such language.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"--language {language}: the report does not speak it", f"one of {', '.join(LANGUAGES)}"
        )
    return LANGUAGES[language]


def require_place(path: Path) -> None:
    """See to it that a page can be written there; writes nothing.

    Raises:
        NgatuError: it cannot.
    """
    if path.is_dir():
        raise NgatuError(f"{path}: this is a folder", f"name a file in it, such as {path / 'report.html'}")
    if not path.absolute().parent.is_dir():
        raise NgatuError(f"{path.absolute().parent}: there is no such folder", "make it, or name another file")
    require_takes(path.parent, "name a file in a folder in which you may write")


def page(fleet: Fleet, language: str, zone: tzinfo | None = None) -> str:
    """The whole page, with times of this zone; without one, of this computer's clock.

    Raises:
        UsageError: there is no such language.
    """
    words = words_in(language)
    boxes, hosts = evaluate(fleet)
    everything = sorted([*hosts, *boxes], key=sort_key)
    return template("report.html").render(
        words=words,
        language=language,
        made=words["made"].format(time=minute(fleet.made, zone)),
        counts=[
            (int(urgency), sum(each.urgency is urgency for each in everything)) for urgency in reversed(Urgency)
        ],
        attention=[_card(each, words) for each in everything if each.urgency is not Urgency.GOOD],
        boxes=[
            (each, _cells(each.subject, fleet.made, words, zone))
            for each in boxes
            if isinstance(each.subject, BoxFacts)
        ],
        hosts=[
            (each, _host_cells(each.subject, fleet.made, words, zone))
            for each in hosts
            if isinstance(each.subject, Host)
        ],
    )


def write(fleet: Fleet, path: Path, language: str, zone: tzinfo | None = None) -> None:
    """Write the page.

    Raises:
        NgatuError: it cannot be written; an older one stands then.
    """
    text = page(fleet, language, zone)
    require_place(path)
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644  # as its owner has left it
    write_whole(path, text.encode(), mode)


def _card(assessment: Assessment, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "assessment": assessment,
        "findings": [(int(each.urgency), say(each, words)) for each in assessment.findings],
    }


def say(finding: ReportFinding, words: Mapping[str, str]) -> str:
    """A finding in words."""
    values = dict(finding.values)
    if finding.key == "camera":
        values["state"] = words.get(f"camera_{values['state']}", values["state"])
    if finding.key == "degraded":
        known = words.get(f"degraded_{values['word']}", words["degraded_other"])
        return known.format(**values).strip()
    return words[finding.key].format(**values)


def _cells(box: BoxFacts, now: datetime, words: Mapping[str, str], zone: tzinfo | None) -> dict[str, Cell]:
    health = box.health if is_online(box) else None  # what it said before it was lost says nothing of now
    return {
        "version": Cell(
            version(box) or NONE, box.wanted is not None and version(box) not in (None, box.wanted)
        ),
        "cameras": _cameras(box, health, words),
        "clock": _clock(health, words),
        "temperature": _temperature(health, words),
        "storage": _storage(box.storage, words),
        "secrets": Cell(
            NONE if box.secrets is None else words[f"secrets_{box.secrets}"], box.secrets == "plain"
        ),
        "certificates": _ends(box.certificates, now, zone),
        "queue": Cell(
            NONE if health is None or health.outbox is None else f"{health.outbox.pending or 0}",
            health is not None and "unconfirmed" in health.degraded,
        ),
        "heard": _heard(box, now, words),
    }


def _host_cells(host: Host, now: datetime, words: Mapping[str, str], zone: tzinfo | None) -> dict[str, Cell]:
    ends = host.crl_ends
    return {
        "certificates": _ends(host.certificates, now, zone),
        "crl": Cell(day(ends, zone), (ends - now).days < CRL_SOON_D) if ends else Cell(NONE),
        "storage": _storage(host.storage, words),
        "heard": Cell(words["ago_s"] if host.reached else words["ssh_no"], not host.reached),
    }


def _cameras(box: BoxFacts, health: HealthPayload | None, words: Mapping[str, str]) -> Cell:
    if health is None:
        return Cell(NONE)
    states = [
        f"{camera_called(box, name)}: {words.get('camera_' + (each.state or 'unknown'), each.state)}"
        for name, each in health.cameras.items()
    ]
    return Cell(", ".join(states) or NONE, any(each.state != SEES for each in health.cameras.values()))


def _clock(health: HealthPayload | None, words: Mapping[str, str]) -> Cell:
    if health is None or health.clock is None:
        return Cell(NONE)
    state = health.clock.state
    return Cell(words.get(f"clock_{state}", state), state not in ("ntp", "rtc"))


def _temperature(health: HealthPayload | None, words: Mapping[str, str]) -> Cell:
    if health is None:
        return Cell(NONE)
    texts = [] if health.cpu_temp_c is None else [f"{health.cpu_temp_c:.0f} °C"]
    power = health.throttled
    if power is not None:
        now = power.under_voltage, power.frequency_capped, power.under_voltage_since_boot
        keys = ("throttled_now", "capped_now", "throttled_once")
        texts.append(words[next((key for key, so in zip(keys, now, strict=True) if so), "power_good")])
    bad = "overheated" in health.degraded or (power is not None and power.under_voltage_since_boot)
    return Cell(", ".join(texts) or NONE, bad)


def _storage(storage: BoxStorage | None, words: Mapping[str, str]) -> Cell:
    if storage is None:
        return Cell(NONE)
    texts = []
    if storage.size_bytes is not None and storage.free_bytes is not None:
        texts.append(words["free"].format(free=_size(storage.free_bytes), size=_size(storage.size_bytes)))
    if storage.written_bytes is not None:
        texts.append(words["written"].format(written=_size(storage.written_bytes)))
    if storage.worn_pct is not None:
        texts.append(words["worn"].format(pct=storage.worn_pct))
    return Cell(", ".join(texts), storage.errors > 0)


def _ends(certificates: tuple[Certificate, ...], now: datetime, zone: tzinfo | None) -> Cell:
    if not certificates:
        return Cell(NONE)
    first = min(each.ends for each in certificates)
    return Cell(day(first, zone), (first - now).days < CERTIFICATE_SOON_D)


def _heard(box: BoxFacts, now: datetime, words: Mapping[str, str]) -> Cell:
    when = last_heard(box)
    if when is None:
        return Cell(words["state_mute" if box.broker_error else "state_never"], bad=True)
    age = _ago(now - when, words)
    if not is_online(box) and box.status is not None:
        return Cell(f"{words[f'state_{box.status.state}']}, {age}", bad=True)
    return Cell(age if box.reached else f"{age}, {words['ssh_no']}", not box.reached)


def _ago(passed: timedelta, words: Mapping[str, str]) -> str:
    seconds = passed.total_seconds()
    for key, unit_s, below_s in (("min", 60, 7200), ("h", 3600, 172_800), ("d", 86_400, float("inf"))):
        if seconds < 60:
            return words["ago_s"]
        if seconds < below_s:
            return words[f"ago_{key}"].format(number=int(seconds // unit_s))
    raise AssertionError(seconds)


def _size(number: int) -> str:
    """Decimal, as makers of cards count."""
    for unit, of in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= of:
            return f"{number / of:.3g} {unit}"
    return f"{number / 1e3:.3g} kB"
