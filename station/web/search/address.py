"""A whole look-up as an address, which can be shared, and back.

Times are local and absolute: what somebody shares today shows the same tomorrow. What cannot be read counts as
not said, and is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from agent.printable import printable
from agent.translatable import tr
from agent.wire.payloads import FIRST_YEAR, LAST_YEAR
from station.lookup.wanted import MOST_VALUES, EventSearch

PATH: Final = "/lookup"
USUAL: Final = timedelta(days=1)
"""What is looked through where no time is said."""
LONGEST: Final = 200
FIELDS: Final = {
    "box": "boxes", "camera": "cameras", "kind": "kinds", "label": "labels",
    "colour": "vehicle_colours", "clothes": "clothes_colours", "direction": "directions",
    "zone": "zones", "rule": "rules", "severity": "severities", "review": "reviews", "word": "words",
}  # fmt: skip
"""Name in the address -> field of the search, for those that may stand several times."""
VIEWS: Final = ("grid", "list")


@dataclass(frozen=True, slots=True)
class AskedSearch:
    """A look-up as its address says it."""

    search: EventSearch
    time_is_said: bool
    view: str = VIEWS[0]
    after: str | None = None
    said: str = ""
    """The words that it was made of, as somebody wrote them."""
    misread: tuple[str, ...] = field(default=())
    """What in the address could not be read, in words that can be translated."""

    def address(self, path: str = PATH, **changes: Any) -> str:
        """Of this look-up with other values; its first page."""
        search = {name: value for name, value in changes.items() if name not in ("view", "said", "after")}
        asked = replace(self, search=replace(self.search, **search)) if search else self
        keep_time = asked.time_is_said or "since" in changes
        said = changes.get("said", self.said if not search else "")
        pairs = [*pairs_of(asked.search, with_time=keep_time)]
        pairs += (
            [("view", changes.get("view", self.view))] if changes.get("view", self.view) != VIEWS[0] else []
        )
        pairs += [("said", said)] if said else []
        pairs += [("after", changes["after"])] if changes.get("after") else []
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def without(self, name: str, value: str) -> str:
        """The address without one value of a field."""
        kept = tuple(each for each in getattr(self.search, name) if each != value)
        return self.address(PATH, **{name: kept})


def pairs_of(search: EventSearch, *, with_time: bool = True) -> list[tuple[str, str]]:
    """Names and values of its address, in a fixed order."""
    pairs = [("from", _local(search.since)), ("to", _local(search.until))] if with_time else []
    pairs += [(name, value) for name, of in FIELDS.items() for value in getattr(search, of)]
    if search.riders is not None:
        pairs.append(("riders", f"{search.riders}{'+' if search.riders_at_least else ''}"))
    pairs += [("late", "1")] if search.late_only else []
    pairs += [] if search.newest_first else [("order", "oldest")]
    return pairs


def asked_of(query: QueryParams, now: datetime) -> AskedSearch:
    """The look-up of an address; `now` is in the local zone."""
    zone, misread = now.tzinfo or UTC, list[str]()
    since, until = (_moment(query.get(name, ""), zone, misread) for name in ("from", "to"))
    time_is_said = since is not None or until is not None
    until = until or now
    since = since or until - USUAL
    if since >= until:
        misread.append(tr("the end is not after the beginning"))
        since = until - USUAL
    riders, at_least = _riders(query.get("riders", ""), misread)
    many = {of: _values(query.getlist(name)) for name, of in FIELDS.items()}
    search = EventSearch(
        since,
        until,
        **many,
        riders=riders,
        riders_at_least=at_least,
        late_only=query.get("late") == "1",
        newest_first=query.get("order") != "oldest",
    )
    view = query.get("view", VIEWS[0])
    return AskedSearch(
        search,
        time_is_said,
        view if view in VIEWS else VIEWS[0],
        query.get("after") or None,
        printable(query.get("said", "")[:LONGEST]),
        tuple(misread),
    )


def _values(said: Sequence[str]) -> tuple[str, ...]:
    """Without those that are empty or stand twice; NUL is in no text of a database."""
    return tuple(dict.fromkeys(each[:LONGEST].replace("\0", "") for each in said if each.strip()))[:MOST_VALUES]


def _riders(said: str, misread: list[str]) -> tuple[int | None, bool]:
    number = said.strip().removesuffix("+").removesuffix(" ")  # a plus that nobody has encoded is a space
    if not number:
        return None, False
    if not (number.isascii() and number.isdigit() and len(number) < 4):
        misread.append(tr("{said} is no number of people", said=said[:LONGEST]))
        return None, False
    return int(number), said.rstrip(" ").endswith("+") or said.endswith(" ")


def _moment(said: str, zone: tzinfo, misread: list[str]) -> datetime | None:
    if not said:
        return None
    try:
        read = datetime.fromisoformat(said)
        found = read if read.tzinfo else read.replace(tzinfo=zone)
        if FIRST_YEAR < found.year < LAST_YEAR:
            return found.astimezone(zone)
    except (ValueError, OverflowError):
        pass
    misread.append(tr("{said} is no time", said=said[:LONGEST]))
    return None


def _local(at: datetime) -> str:
    """As a field for a local time writes it."""
    return f"{at:%Y-%m-%dT%H:%M}" if at.second == 0 else f"{at:%Y-%m-%dT%H:%M:%S}"
