"""agent.evidence.samples.sample"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.sampling.settings import ALL_REASONS
from agent.errors import FootageError
from agent.evidence.samples.sample import SampleName, name_of, packed, unpacked
from tests.support.kept_samples import jpeg, sample


@given(
    taken_ms=st.integers(0, 10**14),
    camera=st.from_regex(r"[a-z0-9-]{2,32}", fullmatch=True),
    reason=st.sampled_from(ALL_REASONS),
    place=st.sampled_from(["0x0", "3x2", "night-hard"]),
    hour=st.integers(0, 23),
    worth=st.integers(0, 1000).map(lambda each: each / 1000),
    sample_id=st.uuids().map(str),
    sealed=st.booleans(),
)
def test_the_name_of_a_file_says_what_the_index_says(
    taken_ms: int, camera: str, reason: str, place: str, hour: int, worth: float, sample_id: str, sealed: bool
) -> None:
    name = SampleName(taken_ms, camera, str(reason), place, hour, worth, sample_id)

    assert name_of(name.file(sealed)) == name


@pytest.mark.parametrize(
    "file", ["", "x.sample", "1.road.faces.0x0.1.1.a.sample", "../1.road.sample", "samples.db"]
)
def test_what_is_no_sample_s_name_is_none(file: str) -> None:
    assert name_of(file) is None


def test_a_note_and_its_picture_come_back_as_they_were() -> None:
    _, note = sample(1)

    assert unpacked(packed(note, jpeg())) == (note, jpeg())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n\xff\xd8",
        b"[1]\n\xff\xd8",
        b"[" * 5000 + b"\n",
        b"\xff\xd8\xff\xe0",
        packed(sample(1)[1], b"GIF89a"),
    ],
)
def test_what_is_damaged_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(FootageError):
        unpacked(data)
