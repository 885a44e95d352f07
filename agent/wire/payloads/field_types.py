"""What a field of any payload may hold: times, words, whole numbers, hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer, StringConstraints, WithJsonSchema

from agent.printable import printable


def rfc3339(moment: datetime) -> str:
    """The moment in UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Of every time on the wire. At the end of the year 9999 there is no local time in any zone to the east;
a clock that says so is broken, and a sender that means it is hostile."""
_YEARS = f"outside the years {FIRST_YEAR} to {LAST_YEAR}"


def _to_the_millisecond(moment: datetime) -> datetime:
    """The moment in UTC without microseconds, so that what is read equals what was written.

    Raises:
        ValueError: it is outside the years that a box can mean.
    """
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 beside an offset
        raise ValueError(_YEARS) from None
    if not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise ValueError(_YEARS)
    beyond = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - beyond) if beyond else utc


Time = Annotated[
    AwareDatetime,
    AfterValidator(_to_the_millisecond),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-03-02T11:04:07.412Z"]},
    ),
]
Version = Annotated[str, StringConstraints(pattern=r"^1\.[0-9]{1,4}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LARGEST = 2**53 - 1
"""Of a whole number: beyond it readers of JSON differ (RFC 7493, section 2.2), and sums of it leave 64 bits."""
Whole = Annotated[int, Field(ge=0, le=LARGEST)]
Text = Annotated[str, StringConstraints(max_length=4096), AfterValidator(printable)]
"""For people: what would steer a terminal is taken out as it is read, and as it is written."""
Id = Annotated[str, StringConstraints(pattern=r"^\.*[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length=64)]
"""Not of dots alone: as a part of an address a browser folds that away, and nobody could open what bears it."""
