"""What stands where, and how many events come: assumptions, all in one place, none of them measured. Pure.

Somebody who knows the province changes them here. What is measured comes from the run (costs.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from benchmarks.province.day import CAMERAS, COMMUNES, MORE_A_YEAR
from station.config import QuotaSettings

SHARDS: Final = 4
"""Of at most 83 communes each."""
YEARS: Final = 10
RATES: Final = (50, 1_000, 20_000)
"""Events of a camera in a day."""
QUOTA: Final = QuotaSettings()
PICTURES_SHARE, NUMBERED_SHARE = 0.75, 0.95
"""Of a box's quota of bytes, for pictures and for all that has a number (station/store/quota.py)."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the province buys; sizes as they stand on the box."""

    cameras_a_box: int = 4
    alerts: float = 0.02
    """Of the events, those of severity alert, which go up at once."""
    pole_bits_s: float = 4e6
    """Up from a pole: 4G at its edge, or wireless shared by several."""
    commune_bits_s: float = 50e6
    """Up from a commune: a line of fibre that others use, too."""
    province_bits_s: float = 1e9
    link_delay_s: float = 0.03
    card_bytes: float = 64e9
    card_written_bytes: float = 16e12
    """What a card of 64 GB bears of small writes: its cells bear a thousand times its size, and get four
    times as much as was written. Makers give no figure for small writes."""
    disk_bytes: float = 1e12
    disk_written_bytes: float = 600e12
    """What makers promise for an SSD of that size."""
    database_disk_bytes: float = 4e12
    processors: int = 4
    """Of a machine. A station and a worker take in by one thread, whatever there is."""
    full: float = 0.7
    """Share of a processor or a link beyond which it counts as full: what waits before it grows without end."""
    years: float = 5.0
    """A disk or card that lasts less breaks."""
    year_days: float = 365.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """How much there is."""

    name: str
    cameras: int
    rate: int
    """Events of a camera in a day."""

    @property
    def commune_cameras(self) -> int:
        """Of a commune in the mean."""
        return ceil(self.cameras / COMMUNES)


def scenarios() -> list[Scenario]:
    """Now and in ten years, at each rate."""
    years = {"now": CAMERAS, f"in {YEARS} years": CAMERAS + YEARS * MORE_A_YEAR}
    return [Scenario(name, cameras, rate) for rate in RATES for name, cameras in years.items()]
