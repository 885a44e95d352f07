"""agent.commands.policy"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import policy
from agent.commands.policy import (
    AHEAD_S,
    MAX_BYTES,
    VERBS,
    Command,
    KnownTime,
    Refusal,
    SetArgs,
    read,
    untimely,
)
from agent.wire.topics import Topics

TOPICS = Topics("hai-ninh", "hai-ninh-03")
ISSUED = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
ISSUED_S = ISSUED.timestamp()


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def told(**more: Any) -> dict[str, Any]:
    """A command that may be done."""
    return {
        "id": "0193-a",
        "issued_at": text(ISSUED),
        "expires_at": text(ISSUED + timedelta(minutes=10)),
        "issuer": "duty officer",
        "args": {},
    } | more


def heard(
    verb: str = "ping", payload: bytes | None = None, retained: bool = False, **more: Any
) -> Command | Refusal:
    body = json.dumps(told(**more)).encode() if payload is None else payload
    return read(TOPICS.below(f"command/{verb}"), body, retained, TOPICS)


def ordered(verb: str = "ping", **more: Any) -> Command:
    order = heard(verb, **more)
    assert isinstance(order, Command), order
    return order


PAUSE = {"camera": "north", "action": "pause", "until": text(ISSUED + timedelta(hours=2))}


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("ping", {}),
        ("snapshot", {"camera": "north"}),
        ("set", PAUSE),
        ("set", {**PAUSE, "rule": "stop-line"}),
        ("set", {"camera": "north", "action": "resume"}),
        ("reload", {}),
        ("restart", {}),
    ],
)
def test_each_verb_is_understood(verb: str, args: dict[str, Any]) -> None:
    order = ordered(verb, args=args)

    assert (order.id, order.verb, order.issuer) == ("0193-a", verb, "duty officer")
    assert untimely(order, KnownTime(ISSUED_S + 1, trusted=True)) is None


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"verb": "explode"}, "there is no command 'explode'"),
        ({"verb": "ping/more"}, "there is no command"),
        ({"retained": True}, "retained"),
        ({"payload": b""}, "malformed"),
        ({"payload": b"\xff\xfe"}, "malformed"),
        ({"payload": b"[" * 7000}, "malformed"),
        ({"payload": b"{" + b" " * MAX_BYTES}, "too large"),
        ({"id": "../etc"}, "malformed"),
        ({"id": "a/b"}, "malformed"),
        ({"issued_at": "yesterday"}, "malformed"),
        ({"issued_at": 1_770_000_000}, "malformed"),
        ({"expires_at": None}, "malformed"),
        ({"args": []}, "malformed"),
        ({"args": {"camera": "north"}}, "args.camera: Extra inputs are not permitted"),
        ({"verb": "snapshot"}, "args.camera: Field required"),
        ({"verb": "snapshot", "args": {"camera": "../north"}}, "args.camera"),
        ({"verb": "snapshot", "args": {"camera": 7}}, "args.camera"),
        ({"verb": "set", "args": {"camera": "north", "action": "pause"}}, "a pause needs until"),
        ({"verb": "set", "args": {**PAUSE, "action": "resume"}}, "a pause needs until"),
        ({"verb": "set", "args": {**PAUSE, "until": 1_770_000_000}}, "args.until"),
        ({"args": {"n": 10**5000}}, "malformed"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(message: dict[str, Any], why: str) -> None:
    if message.get("args", {}) == {"n": 10**5000}:
        message = {"payload": json.dumps(told(args="N")).replace('"N"', '{"n":1' + "0" * 5000 + "}").encode()}
    refusal = heard(**message)

    assert isinstance(refusal, Refusal)
    assert why in refusal.why
    assert len(refusal.why) <= 500


def test_a_refusal_bears_the_id_that_is_answered_where_there_is_one() -> None:
    assert heard("ping", retained=True).id == "0193-a"
    assert heard("ping", b"{}").id is None


def test_what_is_for_another_box_is_not_understood() -> None:
    refusal = read("ngatu/v1/hai-ninh/hai-ninh-04/command/ping", json.dumps(told()).encode(), False, TOPICS)

    assert isinstance(refusal, Refusal)


# ------------------------------------------------------------------------------------------------------ time


def lasting(seconds: float, **more: Any) -> Command:
    return ordered(expires_at=text(ISSUED + timedelta(seconds=seconds)), **more)


@pytest.mark.parametrize(
    ("order", "now", "why"),
    [
        (lasting(600), KnownTime(ISSUED_S + 599, trusted=True), None),
        (lasting(600), KnownTime(ISSUED_S + 600, trusted=True), "expired"),
        (lasting(600), KnownTime(ISSUED_S - AHEAD_S, trusted=True), None),
        (lasting(600), KnownTime(ISSUED_S - AHEAD_S - 1, trusted=True), "issued in the future"),
        (lasting(600), KnownTime(ISSUED_S - 1e9, trusted=False), None),
        (lasting(600), KnownTime(ISSUED_S + 601, trusted=False), "expired"),
        (lasting(0), KnownTime(ISSUED_S, trusted=True), "expires before it was issued"),
        (lasting(8 * 86400), KnownTime(ISSUED_S, trusted=True), "more than seven days"),
    ],
)
def test_an_order_holds_from_its_issue_to_its_end(order: Command, now: KnownTime, why: str | None) -> None:
    found = untimely(order, now)

    assert found == why if why is None else why in (found or "")


@pytest.mark.parametrize("days", [-1, 0, 31])
def test_a_pause_ends_after_it_was_ordered_and_within_thirty_days(days: int) -> None:
    order = ordered("set", args={**PAUSE, "until": text(ISSUED + timedelta(days=days))})

    assert "a pause ends" in (untimely(order, KnownTime(ISSUED_S, trusted=True)) or "")


def paused(now: KnownTime) -> policy.Pause:
    order = ordered("set", args=PAUSE)
    assert isinstance(order.args, SetArgs)
    return policy.pause(order, order.args, 1000.0, "boot-1", now)


HOURS = 3600.0


@pytest.mark.parametrize(
    ("ordered_at", "mono_s", "boot", "now", "holds"),
    [
        # A trusted clock tells how much is left of it.
        (KnownTime(ISSUED_S + HOURS, True), 1000 + HOURS - 1, "boot-1", KnownTime(0, False), True),
        (KnownTime(ISSUED_S + HOURS, True), 1000 + HOURS, "boot-1", KnownTime(0, False), False),
        # Without one it lasts as long as the station wanted when it spoke.
        (KnownTime(0, False), 1000 + 2 * HOURS - 1, "boot-1", KnownTime(0, False), True),
        (KnownTime(0, False), 1000 + 2 * HOURS, "boot-1", KnownTime(0, False), False),
        # No step of the wall clock ends it, or prolongs it.
        (KnownTime(ISSUED_S, True), 1001, "boot-1", KnownTime(ISSUED_S + 6e8, True), True),
        (KnownTime(ISSUED_S, True), 1000 + 2 * HOURS, "boot-1", KnownTime(ISSUED_S - 6e8, True), False),
        # After another boot it holds only if that can be known.
        (KnownTime(ISSUED_S, True), 5, "boot-2", KnownTime(ISSUED_S + HOURS, True), True),
        (KnownTime(ISSUED_S, True), 5, "boot-2", KnownTime(ISSUED_S + 2 * HOURS, True), False),
        (KnownTime(ISSUED_S, True), 5, "boot-2", KnownTime(ISSUED_S + HOURS, False), False),
    ],
)
def test_a_pause_holds_by_a_clock_that_can_be_trusted(
    ordered_at: KnownTime, mono_s: float, boot: str, now: KnownTime, holds: bool
) -> None:
    assert paused(ordered_at).in_force(mono_s, boot, now) is holds


def test_a_pause_is_forgotten_only_when_it_is_surely_over() -> None:
    pause = paused(KnownTime(ISSUED_S, True))

    assert not pause.over(5, "boot-2", KnownTime(ISSUED_S, trusted=False))
    assert pause.over(5, "boot-2", KnownTime(ISSUED_S + 2 * HOURS, trusted=False))


# ------------------------------------------------------------------------------------------------------ fuzz

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=80) | JSONS,
        "issued_at": st.datetimes().map(lambda at: at.isoformat() + "Z") | st.text(max_size=30) | JSONS,
        "expires_at": st.datetimes().map(lambda at: at.isoformat() + "+23:59") | JSONS,
        "issuer": st.text(max_size=300) | JSONS,
        "args": st.dictionaries(st.sampled_from(["camera", "rule", "action", "until", "x"]), JSONS) | JSONS,
        "signature": JSONS,
    },
)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """From noise to what is nearly right: a field changed, or a byte."""
    kind = draw(st.sampled_from(["noise", "json", "fields", "bytes"]))
    if kind == "noise":
        return draw(st.binary(max_size=200))
    if kind == "json":
        return json.dumps(draw(JSONS)).encode()
    if kind == "fields":
        return json.dumps(told() | draw(FIELDS)).encode()
    good = bytearray(json.dumps(told(args=draw(st.sampled_from([{}, PAUSE, {"camera": "north"}])))).encode())
    for _ in range(draw(st.integers(1, 4))):
        good[draw(st.integers(0, len(good) - 1))] = draw(st.integers(0, 255))
    return bytes(good)


@settings(max_examples=300, deadline=None)
@given(
    payloads(),
    st.sampled_from([*VERBS, "", "command", "x"]) | st.text(max_size=30),
    st.booleans(),
    st.sampled_from([KnownTime(ISSUED_S, True), KnownTime(0.0, False), KnownTime(1e11, True)]),
)
def test_any_bytes_are_an_order_or_one_refusal(
    payload: bytes, verb: str, retained: bool, now: KnownTime
) -> None:
    """The long run, 10,000 and more of these, is `make test-faults`."""
    found = read(TOPICS.below(f"command/{verb}"), payload, retained, TOPICS)

    if isinstance(found, Refusal):
        assert found.why
        return
    assert not retained
    assert found.verb in VERBS
    why = untimely(found, now)
    if why is None and isinstance(found.args, SetArgs) and found.args.until is not None:
        pause = policy.pause(found, found.args, 5.0, "boot", now)
        assert pause.until_mono_s <= 5.0 + policy.MAX_PAUSE_S + policy.MAX_LIFE_S
