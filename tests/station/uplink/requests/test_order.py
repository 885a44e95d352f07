"""station.uplink.requests.order"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import WireError
from agent.wire.signature import is_genuine, sign
from station.uplink.requests.order import (
    AHEAD_MS,
    LONGEST_CLIP_MS,
    MAX_BYTES,
    EventsArgs,
    FootageArgs,
    PictureArgs,
    RequestKind,
    RequestReason,
    read_request,
    untimely,
)
from tests.support.asked_requests import KEY, NOW, PICTURE, as_read, command, is_heeded, signed

SHA = "a" * 64
NOW_MS = round(NOW.timestamp() * 1000)
SPAN = {"purpose": "kiểm tra", "cameras": [{"device": "north-01", "camera": "north"}]}


def test_what_the_console_signs_the_station_reads() -> None:
    request = as_read(command(1, **PICTURE, sha256=SHA))

    assert request.id == "r-1" and request.issuer == "Lan (lan)" and request.purpose == "tin báo 12/2026"
    assert isinstance(request.args, PictureArgs) and request.args.sha256 == SHA
    assert request.expires_ms - request.issued_ms == 3_600_000


def test_a_request_is_worth_nothing_to_another_commune_shard_kind_or_box_or_by_another_key() -> None:
    body = signed(command(1, **PICTURE, sha256=SHA))

    assert is_heeded(body)
    assert not is_heeded(body, commune="mong-cai") and not is_heeded(body, shard="s02")
    assert not is_heeded(body, kind="events")
    assert not is_heeded(signed(command(1, **PICTURE, sha256=SHA), key=Ed25519PrivateKey.generate()))
    assert not is_genuine(body, "hai-ninh", "picture", KEY.public_key())
    ordered = sign(body, "hai-ninh", "picture", KEY)  # as a station signs a command for a box of that name
    assert not is_heeded(ordered)


@pytest.mark.parametrize("change", ["purpose", "sha256", "issuer", "expires_at"])
def test_no_word_of_a_request_can_be_changed(change: str) -> None:
    said = json.loads(signed(command(1, **PICTURE, sha256=SHA)))
    place = said if change in said else said["args"]
    place[change] = str(place[change])[:-1] + "0"

    assert not is_heeded(json.dumps(said).encode())


def test_what_is_retained_unsigned_or_too_large_is_none() -> None:
    body = signed(command(1, **PICTURE, sha256=SHA))
    with pytest.raises(WireError, match="retained"):
        read_request("picture", body, True, "s01", "hai-ninh", KEY.public_key())
    unsigned = {**json.loads(body), "signature": None}
    assert not is_heeded(json.dumps(unsigned).encode()) and not is_heeded(b"{}") and not is_heeded(b"\xff")
    assert not is_heeded(signed(command(1, **PICTURE, sha256=SHA, more="x" * MAX_BYTES)))


@pytest.mark.parametrize(
    "args",
    [
        {**PICTURE, "sha256": "A" * 64},
        {**PICTURE, "sha256": SHA, "device": "../etc"},
        {**PICTURE, "sha256": SHA, "purpose": " "},
        {**PICTURE, "sha256": SHA, "also": 1},
        {},
    ],
)
def test_what_is_signed_and_not_understood_can_still_be_answered(args: dict[str, object]) -> None:
    request = as_read(command(1, **args))

    assert request.args is None and request.id == "r-1"


def test_a_span_of_events_has_its_limits() -> None:
    def read(**more: object) -> object:
        return as_read(
            command(1, **(SPAN | {"from_ms": 1_000, "to_ms": 2_000} | more)), RequestKind.EVENTS
        ).args

    assert isinstance(read(), EventsArgs)
    assert read(to_ms=1_000) is None and read(to_ms=1_001 + 31 * 86_400_000) is None
    assert read(most=5_001) is None and read(cameras=[]) is None


def test_a_request_counts_from_its_moment_to_its_end() -> None:
    request = as_read(command(1, life_s=60.0))

    assert untimely(request, NOW_MS) is None and untimely(request, NOW_MS + 59_999) is None
    assert untimely(request, NOW_MS + 60_000) is RequestReason.LATE
    assert untimely(request, NOW_MS - AHEAD_MS - 1) is RequestReason.EARLY
    forever = as_read(command(1, life_s=timedelta(days=8).total_seconds()))
    assert untimely(forever, NOW_MS) is RequestReason.MALFORMED
    assert untimely(as_read(command(1, life_s=-1.0)), NOW_MS) is RequestReason.MALFORMED


def test_a_clip_of_footage_has_its_limits() -> None:
    clip = {"purpose": "va chạm", "case_number": "12", "device": "north-01", "camera": "north"}

    def read(**more: object) -> object:
        return as_read(
            command(1, **(clip | {"from_ms": 1_000, "to_ms": 2_000} | more)), RequestKind.FOOTAGE
        ).args

    assert isinstance(read(), FootageArgs) and isinstance(read(to_ms=1_000 + LONGEST_CLIP_MS), FootageArgs)
    assert read(to_ms=1_000) is None and read(to_ms=1_001 + LONGEST_CLIP_MS) is None
    assert read(case_number=" ") is None and read(case_number="1" * 101) is None
    assert read(purpose="x" * 301) is None and read(camera="../etc") is None
