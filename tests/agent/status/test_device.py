"""agent.status.device"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.status.device import DeviceSettings


def device(offset: str) -> DeviceSettings:
    return DeviceSettings(commune="hai-ninh", id="hai-ninh-03", utc_offset=offset)


@pytest.mark.parametrize(
    ("offset", "seconds"), [("+07:00", 25_200), ("-03:30", -12_600), ("+00:00", 0), ("+14:00", 50_400)]
)
def test_local_time_is_hours_and_minutes_ahead_of_utc(offset: str, seconds: int) -> None:
    assert device(offset).utc_offset_s == seconds


@pytest.mark.parametrize("offset", ["7", "+7:00", "+14:30", "-12:30", "+07:60"])
def test_no_place_on_earth_has_another(offset: str) -> None:
    with pytest.raises(ValidationError):
        device(offset)
