"""agent.commands.policy"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import policy
from agent.commands.policy import AHEAD_S, MAX_BYTES, Command, KnownTime, Refusal, read, untimely
from agent.wire.topics import Topics
from agent.wire.verbs import VERBS, PingArgs, SetArgs, Verb

TOPICS = Topics("hai-ninh", "hai-ninh-03")
ISSUED = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
ISSUED_S = ISSUED.timestamp()


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def fields(**more: Any) -> dict[str, Any]:
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
    body = json.dumps(fields(**more)).encode() if payload is None else payload
    return read(TOPICS.below(f"command/{verb}"), body, retained, TOPICS)


def commanded(verb: str = "ping", **more: Any) -> Command:
    command = heard(verb, **more)
    assert isinstance(command, Command), command
    return command


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
    command = commanded(verb, args=args)

    assert (command.id, command.verb, command.issuer) == ("0193-a", verb, "duty officer")
    assert untimely(command, KnownTime(ISSUED_S + 1, trusted=True)) is None


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
        ({"args": {"camera": "north"}}, "ping has no argument camera; it takes no argument"),
        ({"verb": "snapshot"}, "snapshot needs camera; write snapshot camera=NAME"),
        ({"verb": "snapshot", "args": {"camera": "../north"}}, 'camera: "../north" is not 2 to 32 of'),
        ({"verb": "snapshot", "args": {"camera": 7}}, "camera: 7 is not 2 to 32 of"),
        ({"verb": "set", "args": {"camera": "north", "action": "pause"}}, "action=pause needs until"),
        ({"verb": "set", "args": {**PAUSE, "action": "resume"}}, "action=pause needs until"),
        ({"verb": "set", "args": {**PAUSE, "until": 1_770_000_000}}, "until: 1770000000 is no time"),
        ({"args": {"n": 10**5000}}, "malformed"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(message: dict[str, Any], why: str) -> None:
    if message.get("args", {}) == {"n": 10**5000}:
        message = {"payload": json.dumps(fields(args="N")).replace('"N"', '{"n":1' + "0" * 5000 + "}").encode()}
    refusal = heard(**message)

    assert isinstance(refusal, Refusal)
    assert why in refusal.why
    assert len(refusal.why) <= 500


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (
            {"retained": True},
            Refusal("retained: publish commands without retain", "ping", "0193-a", "duty officer"),
        ),
        (
            {"verb": "explode" * 9},
            Refusal(
                f"there is no command {('explode' * 9)[:40]!r}; "
                "there are ping, snapshot, set, look, reload, restart, clip, release, samples",
                "unknown",
                "0193-a",
                "duty officer",
            ),
        ),
        (
            {"verb": "snapshot", "issuer": "x" * 201},
            Refusal("snapshot needs camera; write snapshot camera=NAME", "snapshot", "0193-a", "x" * 200),
        ),
        ({"payload": b"{" + b" " * MAX_BYTES}, Refusal("too large: 8193 bytes, the limit is 8192", "ping")),
        (
            {"verb": "x", "payload": b"{" + b" " * MAX_BYTES},
            Refusal("too large: 8193 bytes, the limit is 8192", "unknown"),
        ),
    ],
)
def test_a_refusal_says_why_and_bears_what_is_answered_where_there_is_one(
    message: dict[str, Any], refusal: Refusal
) -> None:
    assert heard(**message) == refusal


def test_what_is_malformed_bears_no_id_that_could_be_answered() -> None:
    refusal = heard("ping", b"{}")

    assert isinstance(refusal, Refusal)
    assert refusal.why.startswith("malformed: CommandPayload: id: is missing")
    assert (refusal.verb, refusal.id, refusal.issuer) == ("ping", None, None)


@pytest.mark.parametrize(
    ("message", "bears"),
    [
        ({"issued_at": "yesterday"}, "0193-a"),
        ({"issuer": None, "args": []}, "0193-a"),
        ({"verb": "explode", "expires_at": 7}, "0193-a"),
        ({"payload": b'{"id": "0193-b"}'}, "0193-b"),
        ({"id": "a/b"}, None),
        ({"id": "../up"}, None),
        ({"id": "x" * 65}, None),
        ({"id": 7}, None),
        ({"payload": b'[{"id": "0193-b"}]'}, None),
        ({"payload": b'{"id": "0193-b"'}, None),
        ({"payload": b'{"id": "0193-b"}' + b" " * MAX_BYTES}, None),
    ],
)
def test_what_is_malformed_is_answered_under_its_id_where_that_can_be_read(
    message: dict[str, Any], bears: str | None
) -> None:
    refusal = heard(**message)

    assert isinstance(refusal, Refusal)
    assert refusal.why.startswith(("malformed: CommandPayload: ", "too large"))
    assert (refusal.id, refusal.issuer) == (bears, None)


def test_no_reason_is_longer_than_an_ack_bears() -> None:
    wrong = {"x" * 300: 1, "y" * 300: 2, "z" * 300: 3, "extra": 4}
    refusal = heard("ping", args=wrong)

    assert isinstance(refusal, Refusal)
    shown = [f"ping has no argument {name * 40}; it takes no argument" for name in "xyz"]
    assert refusal.why == "; ".join(shown), "three of them, each cut"
    camera = heard("snapshot", args={"camera": "north"}, id="x" * 65, issued_at=1, expires_at=2)
    assert isinstance(camera, Refusal)
    assert len(camera.why) <= 500


def test_a_command_of_the_largest_size_is_read_and_known_by_its_verb_and_bytes() -> None:
    body = json.dumps(fields()).encode()
    body += b" " * (MAX_BYTES - len(body))
    command = heard("ping", body)

    assert command == Command(
        "0193-a",
        Verb.PING,
        PingArgs(),
        "duty officer",
        ISSUED_S,
        ISSUED_S + 600,
        hashlib.sha256(b"ping\0" + body).hexdigest(),
    )


def test_what_is_for_another_box_is_not_understood() -> None:
    refusal = read("ngatu/v1/hai-ninh/hai-ninh-04/command/ping", json.dumps(fields()).encode(), False, TOPICS)

    assert isinstance(refusal, Refusal)


# ------------------------------------------------------------------------------------------------------ time


def lasting(seconds: float, **more: Any) -> Command:
    return commanded(expires_at=text(ISSUED + timedelta(seconds=seconds)), **more)


@pytest.mark.parametrize(
    ("command", "now", "why"),
    [
        (lasting(600), KnownTime(ISSUED_S + 599, trusted=True), None),
        (lasting(600), KnownTime(ISSUED_S + 600, trusted=True), "expired"),
        (lasting(600), KnownTime(ISSUED_S - AHEAD_S, trusted=True), None),
        (
            lasting(600),
            KnownTime(ISSUED_S - AHEAD_S - 1, trusted=True),
            "issued in the future: compare the clocks of box and station",
        ),
        (lasting(600), KnownTime(ISSUED_S - 1e9, trusted=False), None),
        (lasting(600), KnownTime(ISSUED_S + 601, trusted=False), "expired"),
        (lasting(0), KnownTime(ISSUED_S, trusted=True), "it expires before it was issued"),
        (lasting(7 * 86400), KnownTime(ISSUED_S, trusted=True), None),
        (lasting(7 * 86400 + 1), KnownTime(ISSUED_S, trusted=True), "it would hold for more than seven days"),
    ],
)
def test_a_command_holds_from_its_issue_to_its_end(command: Command, now: KnownTime, why: str | None) -> None:
    assert untimely(command, now) == why


@pytest.mark.parametrize(
    ("lasts_s", "why"),
    [(lasts_s, "a pause ends after it was commanded, and within thirty days") for lasts_s in (-1, 0, 2_592_001)]
    + [(lasts_s, None) for lasts_s in (1, 2_592_000)],
)
def test_a_pause_ends_after_it_was_commanded_and_within_thirty_days(lasts_s: int, why: str | None) -> None:
    command = commanded("set", args={**PAUSE, "until": text(ISSUED + timedelta(seconds=lasts_s))})

    assert untimely(command, KnownTime(ISSUED_S, trusted=True)) == why


def paused(now: KnownTime) -> policy.Pause:
    command = commanded("set", args=PAUSE)
    assert isinstance(command.args, SetArgs)
    return policy.pause(command, command.args, 1000.0, "boot-1", now)


HOURS = 3600.0


@pytest.mark.parametrize(
    ("commanded_at", "mono_s", "boot", "now", "holds"),
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
    commanded_at: KnownTime, mono_s: float, boot: str, now: KnownTime, holds: bool
) -> None:
    assert paused(commanded_at).in_force(mono_s, boot, now) is holds


def test_a_pause_is_forgotten_only_when_it_is_surely_over() -> None:
    pause = paused(KnownTime(ISSUED_S, True))

    assert not pause.over(5, "boot-2", KnownTime(ISSUED_S, trusted=False))
    assert pause.over(5, "boot-2", KnownTime(ISSUED_S + 2 * HOURS, trusted=False))
    assert not pause.over(1000 + 2 * HOURS - 1, "boot-1", KnownTime(ISSUED_S + 9 * HOURS, trusted=True))
    assert pause.over(1000 + 2 * HOURS, "boot-1", KnownTime(0, trusted=False))


def test_a_pause_says_of_what_until_when_and_by_whom() -> None:
    until_s = ISSUED_S + 2 * HOURS
    command = commanded("set", args={**PAUSE, "rule": "stop-line"})
    assert isinstance(command.args, SetArgs)

    assert policy.pause(command, command.args, 1000.0, "boot-1", KnownTime(ISSUED_S, True)) == policy.Pause(
        "north", "stop-line", until_s, "boot-1", 1000 + 2 * HOURS, "duty officer"
    )
    late = policy.pause(command, command.args, 1000.0, "boot-1", KnownTime(until_s + 5, True))
    assert late.until_mono_s == 1000.0, "over as it begins, not before"


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
        return json.dumps(fields() | draw(FIELDS)).encode()
    good = bytearray(json.dumps(fields(args=draw(st.sampled_from([{}, PAUSE, {"camera": "north"}])))).encode())
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
def test_any_bytes_are_a_command_or_one_refusal(
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
