"""fleet.report.local_time"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.errors import UsageError
from fleet.report.local_time import SUCH, day, minute, named_zone, own_zone

LATE = datetime(2026, 11, 27, 18, 31, tzinfo=UTC)
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def test_a_moment_is_shown_by_the_clock_of_a_zone_that_is_named() -> None:
    assert minute(LATE, VIETNAM) == "2026-11-28 01:31 Asia/Ho_Chi_Minh (UTC+07:00)"
    assert minute(LATE, UTC) == minute(LATE, ZoneInfo("UTC")) == "2026-11-27 18:31 UTC"
    assert day(LATE, VIETNAM) == "2026-11-28"


def test_a_zone_that_does_not_exist_is_told() -> None:
    for name in ("Asia/Hue", "../../etc/passwd", "", "GMT+7", "Asia"):
        with pytest.raises(UsageError, match="there is no such zone") as refused:
            named_zone(name)
        assert refused.value.hint == SUCH


@pytest.mark.parametrize("name", ["asia/ho_chi_minh", "Asia/Ho Chi Minh", "Ho Chi Minh", "asia/Ho-Chi-Minh"])
def test_a_zone_that_is_written_otherwise_is_named(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        named_zone(name)
    assert refused.value.hint == "did you mean Asia/Ho_Chi_Minh?"


def test_the_computers_own_zone_is_known_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Bangkok")
    assert own_zone(link) == ZoneInfo("Asia/Bangkok")
    assert own_zone(tmp_path / "nowhere") is None
    monkeypatch.setenv("TZ", ":Asia/Ho_Chi_Minh")
    assert own_zone(link) == VIETNAM
    monkeypatch.setenv("TZ", "ICT-7")
    assert own_zone(link) is None
