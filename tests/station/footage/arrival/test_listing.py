"""station.footage.arrival.listing"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire.pieces import PIECE_BYTES
from station.footage.arrival.listing import MAX_PART_BYTES, is_whole, listed, listed_files, too_much
from tests.support.footage_requests import KEY, asked, package

FILES = package(300, 7)
MANIFEST, SIGNATURE = FILES["manifest.json"], FILES["manifest.sig"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PART = st.fixed_dictionaries({"run": JSON, "number": JSON, "cipher_bytes": JSON})


def test_a_package_lists_its_encrypted_files_with_their_lengths(tmp_path: Path) -> None:
    wanted = {name: len(data) for name, data in FILES.items() if name.endswith(".age")}

    assert listed(MANIFEST) == wanted
    assert listed_files(asked(tmp_path), MANIFEST) == wanted


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_no_manifest_lists_nothing(data: bytes) -> None:
    assert listed(data) is None or json.loads(data)["parts"] == []


@given(st.lists(PART, max_size=3))
def test_whatever_a_manifest_says_its_files_have_names_of_footage_and_lengths(parts: list[object]) -> None:
    found = listed(json.dumps({"parts": parts}).encode())

    assert found is None or len(found) == len(parts)
    for name, size in (found or {}).items():
        assert name.startswith("footage-") and name.endswith(".age") and 0 < size < 1 << 40


def test_a_part_that_is_listed_twice_makes_no_manifest() -> None:
    part = {"run": 1, "number": 1, "cipher_bytes": 5}

    assert listed(json.dumps({"parts": [part, part]}).encode()) is None


@pytest.mark.parametrize(
    ("files", "most", "why"),
    [
        ({"a": 10, "b": 20}, 30, None),
        (
            {"a": 10, "b": 21},
            30,
            "the package has 31 bytes, and footage.max_bytes is 30: ask for a shorter range",
        ),
        (
            {"a": MAX_PART_BYTES + 1},
            1 << 40,
            f"a of the package has {MAX_PART_BYTES + 1} bytes, and no part has more than {MAX_PART_BYTES}",
        ),
    ],
)
def test_files_are_too_much_by_themselves_or_together(
    files: dict[str, int], most: int, why: str | None
) -> None:
    assert too_much(files, most) == why


def test_a_manifest_is_whole_by_its_box_s_signature_and_without_its_key_by_its_end(tmp_path: Path) -> None:
    folder, full = asked(tmp_path), b"[" * PIECE_BYTES

    assert is_whole(folder, full, KEY.sign(full), KEY.public_key())
    assert not is_whole(folder, full, b"\0" * 64, KEY.public_key())
    assert not is_whole(folder, full, b"\0" * 64, None)
    assert is_whole(folder, MANIFEST, SIGNATURE, None)
