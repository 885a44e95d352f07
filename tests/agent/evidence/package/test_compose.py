"""agent.evidence.package.compose"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.evidence.encryption import decrypt
from agent.evidence.package.compose import arrange, compose, plain_bytes
from agent.evidence.package.consistency import contradictions
from agent.evidence.package.manifest import fingerprint
from tests.agent.evidence.package.conftest import Made
from tests.support.footage import NOON_S
from tests.support.packages import FACTS, MASK_SHA256, request_of

TO = pyrage.x25519.Identity.generate().to_public()


def test_it_lists_every_part_by_both_hashes_and_sizes(made: Made) -> None:
    for part in made.signed.manifest.parts:
        cipher = made.ciphers[part.cipher_file]
        plain = decrypt(cipher, made.maker.footage.bench.identity)

        assert (part.cipher_bytes, part.cipher_sha256) == (len(cipher), sha256(cipher).hexdigest())
        assert (part.bytes, part.sha256) == (len(plain), sha256(plain).hexdigest())
    assert len(made.ciphers) == len(made.signed.manifest.parts)


def test_each_run_begins_with_its_head_and_counts_its_fragments(made: Made) -> None:
    assert [(part.run, part.number) for part in made.signed.manifest.parts] == [
        *((1, number) for number in range(15)),
        *((2, number) for number in range(12)),
    ]
    heads = [part for part in made.signed.manifest.parts if part.number == 0]
    assert [head.end - head.start for head in heads] == [timedelta(seconds=28), timedelta(seconds=22)]


def test_each_run_says_how_it_was_recorded_whatever_the_masks_are_now(made: Made) -> None:
    assert [(run.recorded, run.mask_sha256) for run in made.signed.manifest.runs] == [
        ("as it came", None),
        ("encoded from masked pictures", MASK_SHA256),
    ]


def test_it_agrees_with_itself_and_names_its_key(made: Made) -> None:
    manifest = made.signed.manifest

    assert contradictions(manifest) == ()
    assert manifest.key_sha256 == fingerprint(made.maker.key.public_key())


def test_a_gap_has_the_reason_that_the_ring_knows(made: Made) -> None:
    assert [(gap.end - gap.start, gap.why) for gap in made.signed.manifest.gaps] == [
        (timedelta(seconds=6), "camera_lost")
    ]


def test_of_a_range_with_no_footage_all_is_a_gap() -> None:
    request = request_of("north", NOON_S, NOON_S + 60)
    made = compose(request, [], [], [], FACTS, Ed25519PrivateKey.generate())

    assert contradictions(made.manifest) == ()
    assert [(gap.start, gap.end, gap.why) for gap in made.manifest.gaps] == [
        (request.start, request.end, "unknown")
    ]
    assert (made.manifest.chain, made.manifest.parts) == (None, ())


def test_a_fragment_of_a_segment_without_a_link_is_refused(made: Made) -> None:
    ring = made.maker.footage.bench.ring
    media = ring.index.between("north", NOON_S, NOON_S + 4)
    pieces = [(piece, ring.read(piece.stored)) for piece in arrange(media, ring.index.inits(media))]

    with pytest.raises(ValueError, match="segment 1 has no link"):
        compose(request_of("north", NOON_S, NOON_S + 4), pieces, [], [], FACTS, made.maker.key)


@given(st.integers(0, 200_000), st.integers(1, 3))
def test_the_length_of_what_is_in_an_age_file_is_known_without_its_key(length: int, readers: int) -> None:
    assert plain_bytes(pyrage.encrypt(bytes(length), [TO] * readers)) == length


@pytest.mark.parametrize(
    "data", [b"", b"age-encryption.org/v1\n", b"\x00" * 500, b"age-encryption.org/v1\n--- x\n"]
)
def test_what_is_no_age_file_has_no_such_length(data: bytes) -> None:
    with pytest.raises(ValueError, match="no age file"):
        plain_bytes(data)
