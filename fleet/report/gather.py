"""What Ansible and the broker tell of each box, read for the report: facts only, nothing is judged here.

The file comes from report.yml: what each host printed, as it printed it. A host that could not be asked is in
it with the reason, and so is one of which the broker knows nothing: nobody is missing from the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agent.errors import NgatuError
from agent.wire.payloads import HealthPayload, InfoPayload, StatusPayload
from fleet.report.storage import BoxStorage, storage

BUNDLE: Final = re.compile(r"ngatu-(?P<version>[^/]+)-(?:aarch64|x86_64)-py\d+\.bundle$")
"""As `ngatu bundle build` calls it."""


Kind = TypeVar("Kind", bound=BaseModel)


class PrintedFacts(BaseModel):
    """What report.yml writes of one host; each text is what a program printed, empty where it said nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    commune: str = ""
    place: str = ""
    address: str = ""
    bundle: str = ""
    reached: bool = False
    why: str = ""
    release: str = ""
    certificates: str = ""
    storage: str = ""
    secrets: str = ""
    crl: str = ""
    failed: str = ""
    kept: str = ""
    look: str = ""
    look_why: str = ""


class File(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made: AwareDatetime
    boxes: tuple[PrintedFacts, ...] = Field(())
    hosts: tuple[PrintedFacts, ...] = Field(())


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of a host's certificates."""

    role: str
    name: str
    ends: datetime
    days_left: int


@dataclass(frozen=True, slots=True)
class Release:
    """What runs on a box, by the word of ngatu-release."""

    version: str | None
    on_trial: bool
    taken_back: str
    """Of the release that was tried last, when it was taken back: its version and why; else empty."""


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """All that is known of one box. None and empty: it could not be learned."""

    name: str
    commune: str
    place: str
    address: str
    wanted: str | None
    """The release that the inventory names."""
    reached: bool
    ssh_error: str
    """Why it did not answer over SSH."""
    release: Release | None
    certificates: tuple[Certificate, ...]
    storage: BoxStorage | None
    status: StatusPayload | None
    info: InfoPayload | None
    health: HealthPayload | None
    broker_error: str
    """Why the broker could not be asked; empty: it was."""
    secrets: str | None = None
    """How secrets and waiting pictures lie there: tpm2, host or plain."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the station."""

    name: str
    address: str
    reached: bool
    ssh_error: str
    certificates: tuple[Certificate, ...]
    storage: BoxStorage | None
    crl_ends: datetime | None
    failed: tuple[str, ...]
    """Units that have failed."""
    kept: int | None = None
    """Messages that its broker keeps (retained)."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything at one moment."""

    made: datetime
    boxes: tuple[BoxFacts, ...]
    hosts: tuple[Host, ...]


def read(path: Path) -> Fleet:
    """The facts of a file that report.yml has written.

    Raises:
        NgatuError: it is no such file.
    """
    try:
        file = File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", "report.yml writes it") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(each) for each in first["loc"])
        why = ": ".join(filter(None, (where, first["msg"])))
        hint = "report.yml writes it: give its .json, which lies beside the page"
        raise NgatuError(f"{path}: not what report.yml has gathered: {why}", hint) from None
    return Fleet(file.made, tuple(map(_box, file.boxes)), tuple(map(_host, file.hosts)))


def _box(facts: PrintedFacts) -> BoxFacts:
    looked = _json(facts.look)
    named = BUNDLE.search(facts.bundle)
    return BoxFacts(
        name=facts.name,
        commune=facts.commune,
        place=facts.place,
        address=facts.address,
        wanted=named["version"] if named else None,
        reached=facts.reached,
        ssh_error=_short(facts.why),
        release=_release(_json(facts.release)),
        certificates=_certificates(_json(facts.certificates)),
        storage=storage(facts.storage),
        status=_payload(StatusPayload, looked.get("status")),
        info=_payload(InfoPayload, looked.get("info")),
        health=_payload(HealthPayload, looked.get("health")),
        broker_error="" if looked else _short(facts.look_why) or "?",
        secrets=_way(_json(facts.secrets)),
    )


def _host(facts: PrintedFacts) -> Host:
    ends = re.search(r"nextUpdate=(.+)", facts.crl)
    return Host(
        name=facts.name,
        address=facts.address,
        reached=facts.reached,
        ssh_error=_short(facts.why),
        certificates=_certificates(_json(facts.certificates)),
        storage=storage(facts.storage),
        crl_ends=datetime.strptime(f"{ends[1].strip()} +0000", "%b %d %H:%M:%S %Y GMT %z") if ends else None,
        failed=tuple(line.split()[0] for line in facts.failed.splitlines() if line.strip()),
        kept=_kept(_json(facts.kept)),
    )


def _short(why: str) -> str:
    """What ssh said, without what Ansible says around it."""
    return " ".join(why.rpartition("ssh: ")[2].split())


class _LastTrial(BaseModel):
    """What `ngatu-release status` says of the trial before."""

    outcome: str = ""
    version: str | None = None
    why: str = ""


class _ReleaseStatus(BaseModel):
    """What `ngatu-release status` prints, as far as it is shown."""

    version: str | None = None
    trial: Mapping[str, Any] | None = None
    last: _LastTrial | None = None


class _CertificateState(BaseModel):
    """What `ngatu-certificate state` prints of one certificate."""

    serial: str
    name: str
    ends: AwareDatetime
    days_left: int = Field(ge=-100_000, le=100_000)


def _release(answer: Mapping[str, Any]) -> Release | None:
    """None where it is no answer: whoever has taken over a box lets it print what he likes."""
    status = _payload(_ReleaseStatus, answer) if answer else None
    if status is None:
        return None
    last = status.last
    back = last is not None and last.outcome == "reverted"
    return Release(
        status.version, status.trial is not None, f"{last.version}: {last.why}" if last and back else ""
    )


def _certificates(answer: Mapping[str, Any]) -> tuple[Certificate, ...]:
    read = ((role, _payload(_CertificateState, each)) for role, each in sorted(answer.items()))
    return tuple(Certificate(role, of.name, of.ends, of.days_left) for role, of in read if of is not None)


def _kept(answer: Mapping[str, Any]) -> int | None:
    number = answer.get("kept")
    return number if type(number) is int else None


def _way(answer: Mapping[str, Any]) -> str | None:
    """What `ngatu-credentials state` prints."""
    way = answer.get("way")
    return way if way in ("tpm2", "host", "plain") else None


def _json(text: str) -> Mapping[str, Any]:
    """Empty when it is no JSON object: a program that failed printed something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _payload(kind: type[Kind], value: object) -> Kind | None:
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None
