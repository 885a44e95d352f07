"""station.access.audit_entry"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import translated
from station.access.audit_entry import FIRST, VERBS, Actor, AuditVerb, LogEnd, digest, entry_of
from tests.support.people import LAN

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def made(detail: dict[str, Any] | None = None) -> Any:
    return entry_of(
        LogEnd(6, "ab" * 32), 1000, LAN, AuditVerb.LOOK_UP, "north-01", detail or {"b": 1, "a": "đỏ"}
    )


def test_an_entry_follows_another_by_its_hash_which_anybody_can_compute() -> None:
    entry = made()
    text = (
        '{"address":"10.0.0.7","detail":"{\\"a\\":\\"đỏ\\",\\"b\\":1}","id":7,"login":"lan",'
        '"name":"Nguyễn Thị Lan","previous_sha256":"' + "ab" * 32 + '","role":"officer","subject":"north-01",'
        '"time_ms":1000,"verb":"look_up"}'
    )

    assert (entry.id, entry.previous_sha256) == (7, "ab" * 32)
    assert entry.sha256 == digest(entry) == sha256(text.encode()).hexdigest()
    assert entry.details == {"a": "đỏ", "b": 1}


@pytest.mark.parametrize(
    "field",
    ["id", "time_ms", "login", "name", "role", "address", "verb", "subject", "detail", "previous_sha256"],
)
def test_whatever_is_changed_changes_the_hash(field: str) -> None:
    entry = made()
    other = 8 if field in ("id", "time_ms") else "other"

    assert digest(replace(entry, **{field: other})) != entry.sha256


@given(st.text(), st.dictionaries(st.text(), JSON, max_size=5))
def test_whatever_comes_from_outside_is_kept_in_bounds_as_json_that_steers_nothing(
    text: str, detail: dict[str, Any]
) -> None:
    entry = entry_of(LogEnd(0, FIRST), 0, Actor(text, text, "", text), AuditVerb.ORDER, text, detail)

    assert isinstance(entry.details, dict)
    assert json.loads(entry.detail) == entry.details
    assert len(entry.detail) <= 4000
    assert len(entry.subject) <= 300
    for each in (entry.login, entry.name, entry.subject, entry.address, entry.detail):
        assert not set(each) & {"\x00", "\x1b", "\n", "\u202e"}
        each.encode()


def test_a_detail_that_is_too_long_is_cut_and_says_so() -> None:
    assert list(made({"words": "x" * 5000}).details) == ["cut"]


def test_a_detail_that_was_altered_to_something_else_reads_as_nothing() -> None:
    assert [replace(made(), detail=each).details for each in ("", "[1]", "{", "[" * 100_000)] == [{}] * 4


def test_every_verb_has_words_in_both_languages() -> None:
    assert set(VERBS) == set(AuditVerb)
    assert all(translated(words, "vi") != translated(words, "en") for words in VERBS.values())
