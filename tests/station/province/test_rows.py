"""station.province.rows"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from station.province.rows import digests, first_of_each, latest_of_each, put_later, put_once
from tests.support.provinces_up import ProvincePlace, up


def row(device: str, said_ms: int, state: str = "online") -> dict[str, Any]:
    stands = {"state": state, "state_ms": None, "last_seen_ms": 1, "cameras": "{}", "received_ms": 1}
    return {"commune_id": 1, "device": device, "said_ms": said_ms} | stands


def odd(text: str, raw: bytes = b"\x00\xff\\x") -> dict[str, Any]:
    return {
        "commune_id": 1, "digest": text, "kind": "event", "device": "", "reason": text, "raw": raw,
        "received_ms": 1,
    }  # fmt: skip


def test_of_each_key_the_first_or_the_latest_is_taken() -> None:
    rows = [row("a", 1), row("b", 5), row("a", 3), row("a", 3, "offline")]

    firsts, others = first_of_each("box_state", rows)
    assert (firsts, others) == ([rows[0], rows[1]], [rows[2], rows[3]])
    assert latest_of_each("box_state", rows, lambda each: each["said_ms"]) == [rows[2], rows[1]]


@pytest.mark.postgresql
def test_a_row_is_put_once_or_replaced_by_a_later_one_whatever_its_text_and_bytes(
    province: ProvincePlace,
) -> None:
    texts = ["plain", "Ngã tư", 'quote " and \\ and \\u0000', "line\nfeed"]
    with closing(province.open()) as store:
        store.commit([up(1)])  # commune 1
        do = store.lock.transact
        assert do(lambda c: put_once(c, "unreadable", [odd(each) for each in texts])) == {(1, t) for t in texts}
        assert do(lambda c: put_once(c, "unreadable", [odd("plain"), odd("new")])) == {(1, "new")}
        assert do(lambda c: digests(c, "unreadable", [odd("plain"), odd("absent")])) == {(1, "plain"): "plain"}
        for said_ms, state in ((5, "online"), (4, "offline"), (5, "offline"), (6, "stopped")):
            one = row("a", said_ms, state)
            do(lambda c, one=one: put_later(c, "box_state", [one], "said_ms"))  # type: ignore[misc]

    assert province.rows("select state, said_ms from box_state") == [("stopped", 6)]
    found = province.rows("select reason, raw from unreadable order by id")
    assert {reason for reason, _ in found} == {*texts, "new"}
    assert {bytes(raw) for _, raw in found} == {b"\x00\xff\\x"}
