"""agent.evidence.package.manifest"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.evidence.links import link_sha256
from agent.evidence.package.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SEAMLESS,
    SIGNATURE,
    PackagePart,
    claimed_key,
    coverage,
    fingerprint,
    opened,
    uncovered,
)
from agent.wire.signature import canonical
from tests.agent.evidence.package.conftest import Made
from tests.support.footage import NOON_S
from tests.support.packages import pem, request_of


def test_a_signed_manifest_is_read_back(made: Made) -> None:
    assert opened(made.signed.data, made.signed.signature, made.maker.key.public_key()) == made.signed.manifest


def test_the_bytes_are_canonical_json(made: Made) -> None:
    assert canonical(json.loads(made.signed.data)) == made.signed.data


def test_nothing_is_read_before_the_signature_holds(made: Made) -> None:
    with pytest.raises(InvalidSignature):
        opened(b"{" * 1000, made.signed.signature, made.maker.key.public_key())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "no JSON"),
        (b"\xff", "no JSON"),
        (b"[]", "no manifest"),
        (b'{"format":"else"}', "no manifest"),
        (b'{"format":"ngatu evidence package","version":2}', "version 2"),
        (b'{"format":"ngatu evidence package","version":1}', "is not there"),
    ],
)
def test_what_is_signed_and_yet_no_manifest_is_told(made: Made, data: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        opened(data, made.maker.key.sign(data), made.maker.key.public_key())


TWIN = b'"case_number":"1/2020","case_number"'


@pytest.mark.parametrize(
    "data",
    [
        lambda whole: whole.replace(b'"case_number"', TWIN, 1),
        lambda whole: whole + b"\n",
        lambda whole: whole.replace(b":", b": ", 1),
        lambda whole: whole.replace(b'{"', b'{"a":NaN,"', 1),
        lambda whole: whole.replace(b'{"', b'{"a":"\\ud800","', 1),
        lambda whole: whole.replace(b'{"', b'{"a":' + b"[" * 60 + b"]" * 60 + b',"', 1),
    ],
    ids=["a name twice", "an end of line", "a blank", "no number", "half a letter", "deep"],
)
def test_what_two_readers_could_read_in_two_ways_is_no_manifest(
    made: Made, data: Callable[[bytes], bytes]
) -> None:
    """One reader takes the first of two names, another the last; signed is only the one form."""
    other = data(made.signed.data)
    assert other != made.signed.data

    with pytest.raises(WireError, match="is not written in the one form"):
        opened(other, made.maker.key.sign(other), made.maker.key.public_key())


def test_no_manifest_is_read_that_no_station_would_take() -> None:
    """One of 32 MB took 900 MB of memory, on the court's computer, too."""
    assert MAX_MANIFEST_BYTES == 8 << 20


def test_a_manifest_that_names_another_signer_is_refused(made: Made) -> None:
    other = Ed25519PrivateKey.generate()

    with pytest.raises(WireError, match="names another key"):
        opened(made.signed.data, other.sign(made.signed.data), other.public_key())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here: apt install openssl")
def test_openssl_says_the_same_without_a_line_of_ours(made: Made, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(made.signed.data)
    (tmp_path / SIGNATURE).write_bytes(made.signed.signature)
    (tmp_path / "box.pub").write_bytes(pem(made.maker.key))
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "box.pub", "-rawin", "-in", MANIFEST]
    done = subprocess.run(
        [*verify, "-sigfile", SIGNATURE], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    words = ["openssl", "pkey", "-pubin", "-in", "box.pub", "-outform", "der"]
    der = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout

    assert "Verified Successfully" in done.stdout
    assert sha256(der).hexdigest() == made.signed.manifest.key_sha256


def test_the_key_that_a_manifest_names_is_found_without_reading_it(made: Made) -> None:
    assert claimed_key(made.signed.data) == fingerprint(made.maker.key.public_key())
    assert claimed_key(b"\x00") is None


def test_the_chain_leads_to_the_newest_link(made: Made) -> None:
    manifest = made.signed.manifest
    assert manifest.chain is not None
    assert manifest.head is not None
    hashes = manifest.chain.hashes()

    assert hashes[manifest.head.number] == manifest.head.sha256
    assert hashes[manifest.chain.links[0].number] == link_sha256(manifest.chain.links[0])


RANGES = st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 9_000)), max_size=8)


@given(RANGES, st.integers(0, 50_000), st.integers(1_500, 30_000))
def test_what_is_asked_for_is_covered_or_told(
    ranges: list[tuple[int, int]], first_ms: int, length_ms: int
) -> None:
    request = request_of("north", NOON_S + first_ms / 1000, NOON_S + (first_ms + length_ms) / 1000)
    covered = coverage(part(start_ms, lasts_ms) for start_ms, lasts_ms in ranges)
    holes = uncovered(request, covered)

    assert list(covered) == sorted(covered)
    assert all(after[0] - before[1] > SEAMLESS for before, after in pairwise(covered))
    assert all(request.start <= start < end <= request.end for start, end in holes)
    assert not any(start < over and begins < end for start, end in holes for begins, over in covered)
    listed = sum((end - start for start, end in holes), timedelta())
    seen = sum(
        (max(min(over, request.end) - max(begins, request.start), timedelta()) for begins, over in covered),
        timedelta(),
    )
    # at each edge of what is covered so much may be neither
    assert abs(listed + seen - (request.end - request.start)) <= SEAMLESS * (len(covered) + 1)


def part(start_ms: int, lasts_ms: int) -> PackagePart:
    request = request_of("north", NOON_S + start_ms / 1000, NOON_S + (start_ms + lasts_ms) / 1000)
    return PackagePart(1, 1, request.start, request.end, 1, "0" * 64, 1, "0" * 64, 1, 0)
