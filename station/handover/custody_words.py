"""Steps of a custody log as people read them: what the station writes in English is said in their language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from agent.printable import printable
from agent.translatable import tr
from station.footage.custody import STATION
from station.footage.words import VERDICTS
from station.handover.moments import size
from verifier.custody_log import CustodyEntry
from verifier.report import ACTS

_FORMS: Final[Mapping[str, Callable[..., str]]] = {
    r"(?P<files>\d{1,9}) files, (?P<bytes>\d{1,18}) bytes": lambda files, bytes: tr(  # noqa: A006
        "{files} files, {size}", files=int(files), size=size(int(bytes))
    ),
    r"decrypted: (?P<films>.*)": lambda films: tr("decrypted: {films}", films=films),
    r"to (?P<to>.*), as (?P<name>\S+): (?P<verdict>[a-z ]+); report (?P<digest>[0-9a-f]{64})": (
        lambda to, name, verdict, digest: tr(
            "to {to}, as {name}: {verdict}; sha256 of report.pdf: {digest}",
            to=to,
            name=name,
            verdict=VERDICTS.get(verdict, verdict),
            digest=digest,
        )
    ),
    r"to (?P<to>.*), as (?P<name>\S+)": lambda to, name: tr("to {to}, as {name}", to=to, name=name),
    r"as (?P<name>\S+)": lambda name: tr("as {name}", name=name),
}


def act(entry: CustodyEntry) -> str:
    """What was done."""
    return ACTS.get(entry.act, printable(entry.act))


def done_by(entry: CustodyEntry) -> str:
    """By whom."""
    return tr("the station itself") if entry.by == STATION else printable(entry.by)


def detail(entry: CustodyEntry) -> str:
    """The rest of it; what is in no form that the station writes stays as it is."""
    if entry.act == "verified":
        return VERDICTS.get(entry.detail, printable(entry.detail))
    for form, words in _FORMS.items():
        found = re.fullmatch(form, entry.detail, re.DOTALL)
        if found is not None:
            values: dict[str, Any] = {name: printable(value) for name, value in found.groupdict().items()}
            return words(**values)
    return printable(entry.detail)
