"""station.footage.wanted"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.errors import ConfigError, NgatuError, UsageError
from station.footage.wanted import Given, clip_wanted

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
GIVEN = Given("hai-ninh-03", "north", "2026-03-02T17:00:00+07:00", "2026-03-02T17:01:00+07:00", "12", "x", "A")


def test_words_of_a_command_line_become_what_is_wanted() -> None:
    found = clip_wanted(GIVEN, "duty", NOW)

    assert (found.to_time - found.from_time).total_seconds() == 60
    assert (found.box, found.camera, found.issuer) == ("hai-ninh-03", "north", "duty")


def test_all_that_is_missing_is_named_at_once_with_an_example() -> None:
    with pytest.raises(UsageError, match="these are missing: CAMERA, --case") as error:
        clip_wanted(Given("box", None, "1h", "now", "", "x", "A"), "duty", NOW)
    assert "ngatu clip hai-ninh-03 north --from" in error.value.hint


@pytest.mark.parametrize(
    ("since", "until", "why", "kind"),
    [
        ("17:00", "16:00", "is not after", UsageError),
        ("soon", "now", "--from: 'soon' is no moment", ConfigError),
    ],
)
def test_a_range_that_is_none_is_told(since: str, until: str, why: str, kind: type[NgatuError]) -> None:
    with pytest.raises(kind, match=why):
        clip_wanted(Given("box", "north", since, until, "12", "x", "A"), "duty", NOW)
