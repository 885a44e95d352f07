"""agent.wire.chain"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import chain, codec
from agent.wire.chain import ChainFault, Head, Kept, verify
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import Carried, ChainBody, ChainPayload, SealPlace
from tests.conftest import SteppedClock

AT = Instant(1000.0, 1_770_000_000.0)
JPEG = b"\xff\xd8"


def kept(stored: Stored, payload: bytes) -> Kept:
    """What a station makes of the bytes that it keeps, whoever wrote them."""
    picture = stored.message.content_type == codec.JPEG
    body = payload if picture else codec.body(payload)
    seal = None
    if stored.message.topic == codec.CHAIN:
        try:
            seal = codec.parse(ChainPayload, payload)
        except codec.WireError:
            seal = None
    return Kept(stored.seq, sha256(body).hexdigest(), seal)


def messages(number: int) -> Iterable[Message]:
    for n in range(number):
        if n % 5 == 4:
            yield Message(
                f"camera/north/image/e{n}/thumbnail", JPEG + b"%d" % n, codec.JPEG, Priority.IMAGE, AT
            )
        else:
            body = b'{"id":"e%d","kind":"line_crossed"}' % n
            yield Message("camera/north/event", body, codec.JSON, Priority.EVENT, AT, f"e{n}", 1)


@cache
def stream(number: int) -> tuple[tuple[Stored, ...], Head]:
    """So many messages as a real outbox gives them, and its newest seal."""
    clock = SteppedClock()
    with TemporaryDirectory() as folder:
        box = Outbox(Path(folder) / "outbox.db", OutboxSettings(ballast_bytes=0), clock)
        all_of_them = list(messages(number))
        for at in range(0, number, 100):
            box.put(all_of_them[at : at + 100])
        clock.advance(1000)
        box.tend()
        seal = box.head()
        assert seal is not None
        found = tuple(sorted(box.waiting(2 * number, clock.now()), key=lambda stored: stored.seq))
        box.close()
    return found, Head(seal[1], seal[2])


def arrived(number: int) -> tuple[dict[int, tuple[Stored, bytes]], Head]:
    stored, head = stream(number)
    return {each.seq: (each, codec.finish(each, each.stream, AT)) for each in stored}, head


def judged(store: dict[int, tuple[Stored, bytes]], head: Head | None) -> chain.ChainVerdict:
    return verify((kept(replace(each, seq=seq), payload) for seq, (each, payload) in store.items()), head)


def test_what_nobody_touched_is_intact() -> None:
    store, head = arrived(1000)
    verdict = judged(store, head)

    assert verdict.intact
    assert verdict.unsealed == (max(store),), "the newest seal itself"
    assert verdict.proven == len(store) - 1


@pytest.mark.parametrize("seed", range(5))
def test_every_deleted_altered_and_swapped_message_of_ten_thousand_is_found_where_it_is(seed: int) -> None:
    """Promise P9."""
    chance = random.Random(seed)
    store, head = arrived(10_000)
    victims = chance.sample(sorted(store), 120)
    deleted, altered, swapped = set(victims[:40]), set(victims[40:80]), victims[80:]
    listed_by_lost = {seq for victim in victims for seq in entries(store[victim])}
    for seq in deleted:
        del store[seq]
    for seq in altered:
        each, payload = store[seq]
        store[seq] = each, payload[:-2] + bytes([payload[-2] ^ 1]) + payload[-1:]
    for one, two in zip(swapped[::2], swapped[1::2], strict=True):
        store[one], store[two] = store[two], store[one]
    findings = judged(store, head).findings

    assert {f.seq for f in findings if f.fault is ChainFault.MISSING and f.seq is not None} == deleted
    changed = {f.seq for f in findings if f.fault is ChainFault.ALTERED}
    assert changed | {f.seq for f in findings if f.fault is ChainFault.UNPROVEN} >= altered | set(swapped)
    assert {*altered, *swapped} - changed <= listed_by_lost, "only what its own seal is gone for is in doubt"
    assert changed <= altered | set(swapped), "nothing else is accused"


def entries(kept_as: tuple[Stored, bytes]) -> list[int]:
    stored, payload = kept_as
    return (
        [seq for seq, _ in codec.parse(ChainPayload, payload).entries]
        if stored.message.topic == codec.CHAIN
        else []
    )


def test_a_head_that_was_told_before_newer_seals_came_vouches_for_its_own() -> None:
    store, newest = arrived(1000)
    seals = [kept(each, payload) for each, payload in store.values()]
    older = next(one for one in seals if one.seal is not None and one.seal.number == newest.number // 2)
    assert judged(store, Head(newest.number // 2, older.sha256)).intact

    found = judged(store, Head(newest.number // 2, "0" * 64)).findings
    assert chain.ChainFinding(ChainFault.ALTERED, older.seq, newest.number // 2) in found


@pytest.mark.parametrize("cut", [1, 3, 50, 200])
def test_an_end_that_was_cut_off_is_seen_by_the_head(cut: int) -> None:
    store, head = arrived(1000)
    for seq in sorted(store)[-cut:]:
        del store[seq]

    assert not judged(store, head).intact
    assert judged(store, head).findings[-1] == chain.ChainFinding(ChainFault.MISSING, None, head.number)


def test_a_seal_that_was_forged_together_with_its_message_is_found_by_the_next_one() -> None:
    store, head = arrived(1000)
    seq, (each, payload) = next((s, v) for s, v in store.items() if v[0].message.topic == codec.CHAIN)
    seal = codec.parse(ChainPayload, payload)
    victim = seal.entries[7][0]
    forged = store[victim][1].replace(b"line_crossed", b"line_covered")
    hash_of = sha256(codec.body(forged)).hexdigest().encode()
    assert store[victim][1] != forged
    store[victim] = store[victim][0], forged
    store[seq] = each, payload.replace(seal.entries[7][1].encode(), hash_of)
    findings = judged(store, head).findings

    assert chain.ChainFinding(ChainFault.ALTERED, seq, seal.number) in findings


def test_what_the_box_gave_up_is_not_missing(tmp_path: Path) -> None:
    clock = SteppedClock()
    box = Outbox(tmp_path / "outbox.db", OutboxSettings(max_bytes=1 << 20, ballast_bytes=0), clock)
    pictures = [
        Message(f"camera/north/image/e{n}/thumbnail", JPEG + bytes(60_000 + n), codec.JPEG, Priority.IMAGE, AT)
        for n in range(30)
    ]
    box.put(pictures)
    dropped = box.stats().dropped["image"]
    clock.advance(1000)
    box.tend()
    found = {s.seq: (s, codec.finish(s, s.stream, AT)) for s in box.waiting(99, clock.now())}
    seal = box.head()
    box.close()
    assert seal is not None
    verdict = judged(found, Head(seal[1], seal[2]))

    assert dropped > 0
    assert verdict.intact
    assert verdict.given_up.total == dropped


def branches(tmp_path: Path) -> tuple[dict[int, Kept], list[Kept], list[Kept]]:
    """A stream whose outbox was put back: one branch in place, the seals of the other, and all of the other."""
    clock, path = SteppedClock(), tmp_path / "outbox.db"
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    box.put(list(messages(60)))
    box.close()
    older = path.read_bytes()

    def goes_on(name: str) -> list[Stored]:
        path.write_bytes(older)
        box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
        for n in range(100):
            box.put(
                [
                    Message(
                        "camera/north/event",
                        b'{"id":"%s%d"}' % (name.encode(), n),
                        codec.JSON,
                        Priority.EVENT,
                        AT,
                    )
                ]
            )
        clock.advance(1000)
        box.tend()
        found = sorted(box.waiting(999, clock.now()), key=lambda stored: stored.seq)
        box.close()
        return found

    first, second = (
        [kept(each, codec.finish(each, each.stream, AT)) for each in goes_on(name)] for name in "ab"
    )
    beside = [each for each in second if each.seal is not None and each not in first]
    return {each.seq: each for each in first}, beside, second


def test_of_a_forked_stream_what_any_branch_lists_is_in_its_place(tmp_path: Path) -> None:
    first, beside, second = branches(tmp_path)
    assert len(beside) >= 2
    mixed = {**first, **{each.seq: each for each in second if each.seq % 3 == 0}}

    assert chain.verify_forked(first.values(), more=beside).intact
    assert chain.verify_forked(mixed.values(), more=[*beside, *first.values()]).intact
    end = max(seq for each in beside if each.seal for seq, _ in each.seal.entries)
    late = {**first, end: replace(first[end], sha256="0" * 64)}
    assert not chain.verify_forked(late.values(), more=beside).intact
    shorter = [each for each in late.values() if each.seal is None or end not in dict(each.seal.entries)]
    verdict = chain.verify_forked(shorter, more=beside)
    assert end in verdict.unsealed, "the first branch ends before it"
    assert ChainFault.ALTERED not in {finding.fault for finding in verdict.findings}
    assert not verify(mixed.values()).intact


def test_of_a_forked_stream_what_no_branch_lists_is_altered_and_what_is_gone_is_missing(tmp_path: Path) -> None:
    first, beside, second = branches(tmp_path)
    gone, altered = 70, 75
    del first[gone]
    first[altered] = replace(first[altered], sha256="0" * 64)
    expected = {(ChainFault.MISSING, gone), (ChainFault.ALTERED, altered)}
    came = {each.sha256 for each in second}

    def found(**more: Any) -> set[tuple[ChainFault, int | None]]:
        verdict = chain.verify_forked(first.values(), more=beside, **more)
        return {(finding.fault, finding.seq) for finding in verdict.findings}

    assert found() == expected
    assert found(elsewhere={gone}) == expected, "it was told as carried, and did not come"
    assert found(elsewhere={gone}, came=came) == expected, "only the other branch's came"
    listed = {sha256 for each in [*first.values(), *beside] if each.seal for _, sha256 in each.seal.entries}
    assert found(elsewhere={gone}, came=listed) == {(ChainFault.ALTERED, altered)}


def test_what_was_told_as_carried_must_have_come(tmp_path: Path) -> None:
    store, head = arrived(1000)
    del store[70]
    everything = [kept(each, payload) for each, payload in store.values()]
    stored, _ = stream(1000)
    (digest,) = [each.sha256 for each in stored if each.seq == 70]

    assert not verify(everything, head, elsewhere={70}).intact
    assert verify(everything, head, elsewhere={70}, came={digest}).intact


def test_the_first_seal_of_a_new_stream_names_the_last_of_the_one_before() -> None:
    head = Head(7, "a" * 64)
    carried = Carried(stream="s-1", newest=99, seqs=((90, 95),))
    seal = codec.parse(codec.ChainBody, codec.seal("s-2", 1, ("s-1", 7, "a" * 64), [], [], AT, carried))

    assert chain.linked(seal, head, "s-1")
    assert not chain.linked(seal, Head(7, "b" * 64), "s-1")
    assert not chain.linked(seal, head, "s-0")


@given(st.dictionaries(st.integers(0, 50), st.sampled_from(["a" * 64, "b" * 64]), max_size=30), st.booleans())
def test_no_store_whatever_it_holds_makes_it_raise(store: dict[int, str], with_head: bool) -> None:
    seal = codec.parse(
        codec.ChainBody, codec.seal("s", 3, ("s", 2, "c" * 64), [(1, "a" * 64), (2, "b" * 64)], [], AT)
    )
    all_kept = [Kept(seq, digest, seal if seq % 7 == 3 else None) for seq, digest in store.items()]

    verify(all_kept, Head(5, "d" * 64) if with_head else None)


def sealed(number: int, seq: int, previous: SealPlace | None, *entries: tuple[int, str]) -> Kept:
    body = ChainBody(
        of="s", number=number, previous=previous, entries=entries, dropped=(), time=codec.moment(AT)
    )
    return Kept(seq, f"{number:064x}", body)


def test_a_seal_vouches_for_the_one_before_it_also_where_none_lists_that() -> None:
    first = sealed(1, 2, None, (1, "a" * 64))
    message = Kept(1, "a" * 64)
    for said, fault in ((first.sha256, ()), ("b" * 64, (chain.ChainFinding(ChainFault.ALTERED, 2, 1),))):
        second = sealed(2, 3, SealPlace(stream="s", number=1, sha256=said))
        verdict = verify([message, first, second])

        assert verdict.findings[:1] == fault
        assert verdict.proven == (0 if fault else 1)


def test_a_box_that_numbers_and_gives_up_as_it_likes_costs_no_more_than_it_sent() -> None:
    """Numbers up to 2^53: each of them by itself would fill the memory of whoever verifies."""
    far = 2**53 - 1
    seal = ChainBody.model_validate(
        {"schema": "1.0", "of": "s-1", "number": 2**53, "dropped": [[3, 2**52]], "time": "2026-03-02T11:04:07Z"}
    )
    verdict = verify([Kept(1, "a" * 64), Kept(far, "b" * 64, seal)], Head(2**53, "b" * 64))

    missing = [finding.seq for finding in verdict.findings if finding.fault is ChainFault.MISSING]
    absent = [seq for seq in missing if seq is not None]
    assert absent[:2] == [2, 2**52 + 1]
    assert verdict.given_up.total == 2**52 - 2
    assert len(verdict.findings) < 4 * chain.SINGLY


@given(
    st.sets(st.integers(1, 40), min_size=1),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda span: (span[0], span[0] + span[1]))),
)
def test_what_is_absent_is_what_is_neither_there_nor_given_up(
    there: set[int], dropped: list[tuple[int, int]]
) -> None:
    seal = ChainBody.model_validate(
        {"schema": "1.0", "of": "s-1", "number": 1, "dropped": dropped, "time": "2026-03-02T11:04:07Z"}
    )
    kept = [Kept(seq, "a" * 64, seal if seq == max(there) else None) for seq in there]
    given_up = {seq for first, last in dropped for seq in range(first, last + 1)}
    verdict = verify(kept)

    absent = {finding.seq for finding in verdict.findings if finding.fault is ChainFault.MISSING}
    assert absent == set(range(1, max(there))) - there - given_up
    assert verdict.given_up.total == len(given_up)
    assert all(seq in verdict.given_up for seq in given_up)
