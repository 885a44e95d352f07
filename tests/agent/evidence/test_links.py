"""agent.evidence.links: the chain over segments."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.evidence.links import (
    FIRST,
    Moment,
    Part,
    SegmentLink,
    body_sha256,
    head_after,
    link_json,
    link_sha256,
    verify_links,
)


def chain(count: int) -> list[SegmentLink]:
    links: list[SegmentLink] = []
    for number in range(1, count + 1):
        start = Moment(number * 10_000, 1_800_000_000_000 + number * 10_000)
        end = Moment(start.mono_ms + 10_000, start.wall_ms + 10_000)
        parts = tuple(Part(f"{number}{n}" * 32, f"c{n}" * 32, n * 2000, 2000) for n in range(5))
        previous = link_sha256(links[-1]) if links else FIRST
        links.append(SegmentLink("north", number, "boot", start, end, "ntp", "ab" * 32, parts, "", previous))
    return links


def test_a_chain_holds_and_begins_anywhere() -> None:
    assert verify_links(chain(6)) == ()
    assert verify_links(chain(6)[2:]) == ()
    assert verify_links([]) == ()


def test_a_link_is_the_same_after_json() -> None:
    for link in chain(3):
        back = SegmentLink.from_json(json.loads(json.dumps(link_json(link))))
        assert back == link
        assert link_sha256(back) == link_sha256(link)


@given(st.integers(0, 4), st.sampled_from(["start", "end", "clock", "init_sha256", "before", "boot", "parts"]))
def test_every_change_of_a_link_breaks_the_chain_after_it(at: int, name: str) -> None:
    links = chain(6)
    changed = {
        "start": Moment(1, 2),
        "end": Moment(3, 4),
        "parts": links[at].parts[:-1],
    }.get(name, "another")
    links[at] = replace(links[at], **{name: changed})

    assert [(fault.number, fault.what) for fault in verify_links(links)] == [(at + 1, "altered")]


def test_links_that_are_left_out_or_swapped_are_found() -> None:
    links = chain(6)
    assert [fault.what for fault in verify_links(links[:2] + links[3:])] == ["missing"]
    assert "order" in [fault.what for fault in verify_links([links[1], links[0], *links[2:]])]


def test_two_hashes_of_each_link_lead_to_a_later_one() -> None:
    links = chain(6)

    assert head_after(link_sha256(links[1]), map(body_sha256, links[2:])) == link_sha256(links[5])


@pytest.mark.parametrize("spoiled", [{}, {"number": 1.5}, {"parts": [{}]}, {"start": 7}, {"camera": None}])
def test_what_is_no_link_is_refused(spoiled: dict[str, object]) -> None:
    plain = {**link_json(chain(1)[0]), **spoiled} if spoiled else {}
    with pytest.raises(ValueError, match="no link"):
        SegmentLink.from_json(plain)


def test_whoever_verifies_needs_no_library() -> None:
    code = (
        "import sys, agent.evidence.links;"
        "print([m for m in ('numpy', 'pydantic', 'pyrage', 'av') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
