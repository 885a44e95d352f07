r"""The chain over the segments of a camera: each link holds what is in a segment, and the link before.

Pure, and without any library: who verifies footage imports this and not the agent. A link's hash is

    sha256("ngatu segment link 1\n" + hash of the link before, in hex + "\n" + sha256 of its body, in hex)

and its body is its other fields as JSON, keys sorted, without spaces. So whoever has to show that a segment
lies under a later link needs one hash of each link in between, and none of what is in them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from itertools import pairwise
from typing import Any, Final, Literal

FIRST: Final = "0" * 64
"""What the first link of a camera follows."""
_NAME: Final = b"ngatu segment link 1\n"

VOUCHED: Final = ("ntp", "rtc")
"""The states of a clock for which somebody vouches; the times of then are never corrected."""
Recorded = Literal["as it came", "encoded from masked pictures", "encoded"]
"""How footage came to be. Kept with the footage: when it is asked for, the configuration may be another one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on both clocks, in whole milliseconds: a float has no one form as text."""

    mono_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Part:
    """One fragment of a segment."""

    sha256: str
    """Of the fragment in the clear; hex."""
    cipher_sha256: str
    """Of the fragment as it lies and is sent; hex."""
    at_ms: int
    """Its start, after the start of the segment."""
    duration_ms: int


@dataclass(frozen=True, slots=True)
class SegmentLink:
    """What is in one segment, and what came before it."""

    camera: str
    number: int
    """Counts the segments of the camera."""
    boot: str
    """The boot whose steady clock the moments are of."""
    start: Moment
    end: Moment
    clock: str
    """Who vouched for the wall clock when it began: ntp, rtc, floor or unknown."""
    init_sha256: str
    """Of the init that its fragments need, in the clear."""
    parts: tuple[Part, ...]
    before: str
    """Why nothing is recorded between the segment before and this one; empty: it follows at once."""
    previous: str
    """The hash of the link before; FIRST: there was none."""

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> SegmentLink:
        """The link in what `link_json` gave.

        Raises:
            ValueError: it is none.
        """
        try:
            parts = tuple(
                Part(
                    _word(p["sha256"]), _word(p["cipher_sha256"]), _whole(p["at_ms"]), _whole(p["duration_ms"])
                )
                for p in plain["parts"]
            )
            return cls(
                camera=_word(plain["camera"]),
                number=_whole(plain["number"]),
                boot=_word(plain["boot"]),
                start=_moment(plain["start"]),
                end=_moment(plain["end"]),
                clock=_word(plain["clock"]),
                init_sha256=_word(plain["init_sha256"]),
                parts=parts,
                before=_word(plain["before"]),
                previous=_word(plain["previous"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no link of a segment: {error}") from None


@dataclass(frozen=True, slots=True)
class LinkFault:
    """Where a chain does not hold."""

    camera: str
    number: int
    what: str
    """missing: links before this one are not there; altered: the link before is not what it was; order: it does
    not count on from the one before."""


def link_json(link: SegmentLink) -> dict[str, Any]:
    """The link as plain JSON."""
    return asdict(link)


def body_sha256(link: SegmentLink) -> str:
    """The hash of everything in a link but the one before; hex."""
    return hashlib.sha256(_BODY.encode(_members(link, "previous")).encode()).hexdigest()


def _members(part: Any, but: str = "") -> dict[str, Any]:
    """One level of a dataclass: a verifier hashes thousands of links, and `asdict` copies all it finds."""
    return {name: getattr(part, name) for name in _names(part.__class__) if name != but}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_BODY: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_members)


def link_sha256(link: SegmentLink) -> str:
    """The hash of a link; hex."""
    return joined_sha256(link.previous, body_sha256(link))


def joined_sha256(previous: str, body: str) -> str:
    """The hash of a link of which only two hashes are known; hex."""
    return hashlib.sha256(_NAME + previous.encode() + b"\n" + body.encode()).hexdigest()


def head_after(previous: str, bodies: Iterable[str]) -> str:
    """The hash of the last link of a chain: `previous`, then links with these bodies."""
    for body in bodies:
        previous = joined_sha256(previous, body)
    return previous


def verify_links(links: Sequence[SegmentLink]) -> tuple[LinkFault, ...]:
    """Where the links of one camera, in order, do not follow from each other; empty: they do.

    A number that is left out is `missing`: what was deleted by its age is so, too.
    """
    faults: list[LinkFault] = []
    for before, link in pairwise(links):
        if link.camera != before.camera or link.number <= before.number:
            faults.append(LinkFault(link.camera, link.number, "order"))
        elif link.number > before.number + 1:
            faults.append(LinkFault(link.camera, link.number, "missing"))
        elif link.previous != link_sha256(before):
            faults.append(LinkFault(before.camera, before.number, "altered"))
    return tuple(faults)


def _moment(plain: dict[str, Any]) -> Moment:
    return Moment(_whole(plain["mono_ms"]), _whole(plain["wall_ms"]))


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a word")
    return value
