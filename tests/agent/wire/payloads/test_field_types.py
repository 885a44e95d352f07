"""agent.wire.payloads.field_types"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from agent.core.ids import uuid7
from agent.core.types import Instant
from agent.wire.payloads import AuditBody, HealthPayload, Id, rfc3339

AT = datetime(2026, 3, 2, 11, 4, 7, 412_999, tzinfo=UTC)


def test_times_are_in_utc_to_the_millisecond_whatever_zone_they_came_in() -> None:
    there = AT.astimezone(timezone(timedelta(hours=7)))

    assert rfc3339(there) == "2026-03-02T11:04:07.412Z"
    assert HealthPayload(time=there).time == AT.replace(microsecond=412_000)


def test_a_time_that_utc_does_not_have_is_refused_in_words() -> None:
    early = "0001-01-01T00:00:00+23:59", "1969-12-31T23:59:59Z"
    late = "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"
    for time in (*early, *late):
        with pytest.raises(ValidationError, match="outside the years 1970 to 2199"):
            HealthPayload.model_validate_json(f'{{"time":"{time}"}}')


@pytest.mark.parametrize("version", ["1.\u0663", "1.", "1.00000", "2.0", "1.0 "])
def test_a_version_of_other_digits_than_ours_is_refused(version: str) -> None:
    with pytest.raises(ValidationError):
        AuditBody.model_validate({"schema": version, "lines": ["{}"]})


def test_a_line_of_the_audit_log_is_ascii_and_bounded() -> None:
    assert AuditBody(lines=("~" * 32768,)).lines == ("~" * 32768,)
    for line in ("", "~" * 32769, "\n", "a\n", "\x7f", "ả"):
        with pytest.raises(ValidationError):
            AuditBody(lines=(line,))


@pytest.mark.parametrize("name", [".", "..", "...", "." * 64, "", "a" * 65, ".a" + "b" * 63, "a/b", "a\n", "ả"])
def test_an_id_that_an_address_would_fold_away_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Id).validate_python(name)


@pytest.mark.parametrize("name", ["a", "a.", ".a", "..a..", "-", "_", "." * 63 + "a", "a" * 64, "e-1.2_b"])
def test_any_other_id_is_taken(name: str) -> None:
    assert TypeAdapter(Id).validate_python(name) == name


def test_the_ids_that_a_box_makes_are_taken() -> None:
    assert TypeAdapter(Id).validate_python(uuid7(Instant(0.0, AT.timestamp()), b"\0" * 16, 0))
