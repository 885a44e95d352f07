"""agent.evidence.package.bounds"""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.errors import WireError
from agent.evidence.package.bounds import MOST_MS, beyond
from agent.evidence.package.manifest import opened
from agent.wire.signature import canonical
from tests.agent.evidence.package.conftest import Made


def test_what_a_box_composed_is_within(made: Made) -> None:
    assert beyond(made.signed.manifest) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("facts.box.utc_offset_s", 10**9),
        ("facts.box.config_sha256", "\x1b[2J"),
        ("facts.box.model_sha256", "B" * 64),
        ("facts.clocks[0].mono_s", -1.0),
        ("request.command_sha256", "c" * 63),
        ("request.command_key_sha256", ""),
        ("runs[1].mask_sha256", "e" * 65),
        ("runs[0].width_px", -1),
        ("parts[3].record", -2),
        ("parts[3].bytes", -1),
        ("parts[3].segment", -1),
        ("chain.links[1].number", -1),
        ("chain.links[1].start.wall_ms", MOST_MS + 1),
        ("chain.links[1].end.mono_ms", -1),
        ("chain.links[1].parts[0].at_ms", 86_400_001),
        ("chain.links[1].parts[0].duration_ms", -1),
    ],
)
def test_what_no_box_says_is_refused_where_it_is_read(made: Made, place: str, value: object) -> None:
    members: Any = json.loads(made.signed.data)
    *above, last = place.replace("]", "").replace("[", ".").split(".")
    at = members
    for name in above:
        at = at[int(name) if name.isdigit() else name]
    at[last] = value
    data = canonical(members)

    with pytest.raises(WireError) as refused:
        opened(data, made.maker.key.sign(data), made.maker.key.public_key())
    assert refused.value.what == f"{place}: is none that a box gives"
