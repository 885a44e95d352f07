"""station.province.requests.words"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.language import translated
from station.province.requests.book import AskedRequest
from station.province.requests.footage import SPOILED
from station.province.requests.words import KIND_WORDS, REASON_WORDS, reason_words, state_words, tone_of
from station.uplink.requests.order import RequestKind, RequestReason

ASKED = AskedRequest(
    "r-1", "hai-ninh", "picture", "hn-01", "e-1", "a" * 64, "Lan", "why", 100, 1_000, None, "asked", None, None,
    {}, None, False,
)  # fmt: skip


def said(now_ms: int = 200, **more: object) -> tuple[str, str]:
    request = replace(ASKED, **more)  # type: ignore[arg-type]
    return state_words(request, now_ms, lambda at_ms: f"<{at_ms}>"), tone_of(request, now_ms)


@pytest.mark.parametrize(
    ("more", "words", "tone"),
    [
        ({}, "not sent yet; it counts until <1000>", "info"),
        ({"sent_ms": 150}, "no answer yet; it counts until <1000>", "info"),
        ({"sent_ms": 150, "now_ms": 1_000}, "no answer came in time", "warn"),
        ({"state": "accepted", "heard_ms": 160, "now_ms": 5_000}, "station since <160>", "info"),
        (
            {"state": "refused", "reason": "not_allowed"},
            "refused: the commune's station does not allow",
            "warn",
        ),
        ({"state": "failed", "reason": "not_kept"}, "did not come: it is no longer kept", "warn"),
        ({"state": "failed", "reason": "of_tomorrow"}, "did not come: of_tomorrow", "warn"),
        ({"state": "done"}, "not all of it is here yet", "info"),
        ({"state": "done", "complete_ms": 300, "is_here": True}, "came at <300>", "info"),
        ({"state": "done", "complete_ms": 300}, "was deleted here since", ""),
        (
            {"state": "done", "kind": "events", "counts": {"went": 5_000, "are": 7_123}},
            "5,000 of 7,123",
            "info",
        ),
        (
            {"state": "accepted", "kind": "footage", "heard_ms": 160, "reason": "box_away", "now_ms": 5_000},
            "as heard at <160>: the box is not connected",
            "info",
        ),
        (
            {"state": "accepted", "kind": "footage", "pieces": 3, "file_bytes": 4_000_000},
            "on its way: 3 of 41 parts are here",
            "info",
        ),
        ({"state": "done", "kind": "footage", "pieces": 1, "file_bytes": 5}, "is being checked", "info"),
        ({"state": "failed", "kind": "footage", "reason": "spoiled"}, "what came is not what", "warn"),
    ],
)
def test_a_request_says_how_it_stands_and_no_more_than_is_known(
    more: dict[str, object], words: str, tone: str
) -> None:
    found, its_tone = said(**more)  # type: ignore[arg-type]
    assert words in found and its_tone == tone


def test_every_kind_and_reason_has_words_in_both_languages() -> None:
    assert set(KIND_WORDS) == set(RequestKind) and set(REASON_WORDS) == {*RequestReason, SPOILED}
    for words in (*KIND_WORDS.values(), *REASON_WORDS.values()):
        assert translated(words, "vi") != words
    assert reason_words(None)
