"""agent.evidence.listing.listed"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.evidence.listing.listed import ListedSegment

MS = st.integers(0, 2**41)


@given(began_ms=MS, corrected_ms=MS, long_ms=st.integers(0, 600_000))
def test_a_segment_lasts_from_its_corrected_start_on(began_ms: int, corrected_ms: int, long_ms: int) -> None:
    """What its box's clock said when it began does not count."""
    row = ListedSegment(
        number=3, boot="b", start_mono_ms=0, start_wall_ms=began_ms, clock="none", wall_ms=corrected_ms,
        duration_ms=long_ms, bytes=1, before="", camera="north", added=7,
    )  # fmt: skip
    assert round(row.from_s * 1000) == corrected_ms
    assert round(row.to_s * 1000) == corrected_ms + long_ms
