"""Hypothesis strategies for the words that cross rooms: instants, boxes, events, counts."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from agent.core.types import (
    Box,
    Colour,
    Colours,
    ColourWord,
    Count,
    EndReason,
    Event,
    EventKind,
    Instant,
    ObjectState,
    Phase,
    Severity,
    Shot,
    Size,
)

names = st.from_regex(r"[a-z0-9-]{2,32}", fullmatch=True).filter(lambda name: name != "station")
uuids = st.uuids().map(str)
words = st.text(st.characters(exclude_categories=()), max_size=100)
"""Any text, Vietnamese and lone surrogates too: errors of the system may hold them."""
instants = st.builds(
    Instant,
    mono_s=st.floats(0, 1e8, allow_nan=False),
    wall_s=st.floats(-1e6, 4e9, allow_nan=False),
)
positions = st.floats(-0.5, 1.5, allow_nan=False)
"""A predicted box may reach out of the frame."""
boxes = st.builds(Box, positions, positions, positions, positions)
scores = st.floats(0, 1, allow_nan=False)
colours = st.none() | st.builds(Colour, st.none() | st.sampled_from(ColourWord), scores)
objects = st.builds(
    ObjectState,
    track_id=uuids,
    label=words,
    score=scores,
    top_score=scores,
    riders=st.integers(0, 5),
    box=boxes,
    started=instants,
    ended=st.none() | instants,
    stationary=st.booleans(),
    zones=st.lists(words, max_size=20).map(tuple),
    entered_zones=st.lists(words, max_size=40).map(tuple),
    path=st.lists(st.tuples(st.floats(0, 1e5), positions, positions), max_size=32).map(tuple),
    colours=st.builds(Colours, colours, colours),
)


@st.composite
def shots(draw: st.DrawFn) -> Shot:
    """A small noisy picture."""
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Shot(image, draw(instants), draw(boxes), draw(scores))


events = st.builds(
    Event,
    id=uuids,
    revision=st.integers(1, 1_000_000),
    kind=st.sampled_from(EventKind),
    phase=st.sampled_from(Phase),
    severity=st.sampled_from(Severity),
    at=instants,
    rule_id=words,
    rule_kind=words,
    started=instants,
    frame=st.none() | st.builds(Size, st.integers(1, 8000), st.integers(1, 8000)),
    object=st.none() | objects,
    region=st.none() | boxes,
    direction=st.none() | words,
    end_reason=st.none() | st.sampled_from(EndReason),
    detail=st.none() | st.text(st.characters(exclude_categories=()), max_size=2000),
    suppressed=st.integers(0, 100_000),
    thumbnail=st.none() | shots(),
    scene=st.none() | shots(),
)
counts = st.builds(
    Count,
    rule_id=names,
    start=instants,
    end=instants,
    counts=st.dictionaries(
        st.text(max_size=20),
        st.dictionaries(st.text(max_size=10), st.integers(0, 10_000), max_size=4),
        max_size=6,
    ),
)
