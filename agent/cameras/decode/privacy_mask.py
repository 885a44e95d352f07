"""Privacy masks: which bytes of a picture may be copied on, and which never are.

A masked pixel is not painted over after the fact: it is left out of the copy, so it never reaches the memory
that the rest of the program can see. The mask grows to whole pixels and whole chroma samples: whatever the
polygon touches is hidden.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from agent.cameras.decode.decoded import Layout, Polygon

Span = tuple[int, int]
"""From the first to behind the last of a row's hidden columns, or of a plane's bytes."""

BLACK_LIMITED = 16  # ITU-R BT.601: luma runs from 16 to 235
BLACK_FULL = 0
NEUTRAL_CHROMA = 128


class PrivacyMask:
    """Copies pictures of one layout without what the masks hide."""

    def __init__(self, layout: Layout, masks: Sequence[Polygon]) -> None:
        self.layout = layout
        luma = hidden_rows(masks, layout.width_px, layout.height_px)
        chroma = coarse(luma, (2, 2))
        rows = luma, chroma, chroma
        self._hidden = tuple(_flat(r, s) for r, s in zip(rows, layout.strides, strict=True))
        self._open = tuple(between(h, n) for h, n in zip(self._hidden, layout.sizes, strict=True))

    def blacken(self, slot: memoryview) -> None:
        """Paint the hidden bytes of a slot black, once: `copy` never touches them."""
        luma = BLACK_FULL if self.layout.full_range else BLACK_LIMITED
        shades = luma, NEUTRAL_CHROMA, NEUTRAL_CHROMA
        for offset, hidden, shade in zip(self.layout.offsets, self._hidden, shades, strict=True):
            for start, end in hidden:
                slot[offset + start : offset + end] = bytes([shade]) * (end - start)

    def copy(self, planes: Sequence[memoryview], slot: memoryview) -> None:
        """Copy what may be seen of the three planes into a slot of `layout.nbytes`."""
        for plane, offset, runs in zip(planes, self.layout.offsets, self._open, strict=True):
            for start, end in runs:
                slot[offset + start : offset + end] = plane[start:end]


def hidden_rows(masks: Iterable[Polygon], width_px: int, height_px: int) -> list[list[Span]]:
    """For each row of pixels, the spans of columns that any polygon touches, merged and sorted.

    Per row this joins the inside along the row's middle line (non-zero winding, so crossing edges hide their
    middle too) with the reach of every edge within the row; a pixel that is touched is in one of the two.
    """
    rows: list[list[Span]] = [[] for _ in range(height_px)]
    for polygon in masks:
        corners = [(x * width_px, y * height_px) for x, y in polygon]
        top = max(0, math.floor(min(y for _, y in corners)))
        bottom = min(height_px, math.ceil(max(y for _, y in corners)))
        edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
        for row in range(top, bottom):
            reaches = [*_inside(edges, row + 0.5), *_edges_within(edges, row)]
            rows[row].extend(_pixels(left, right, width_px) for left, right in reaches)
    return [_merged(spans) for spans in rows]


def coarse(rows: Sequence[Sequence[Span]], grid: tuple[int, int]) -> list[list[Span]]:
    """Hidden rows of pixels as rows of samples that cover `grid` pixels; one that is touched is hidden."""
    wide, high = grid
    bands = [rows[top : top + high] for top in range(0, len(rows), high)]
    return [_merged([(a // wide, -(-b // wide)) for row in band for a, b in row]) for band in bands]


def between(hidden: Sequence[Span], length: int) -> list[Span]:
    """The spans from 0 to `length` that are not hidden; `hidden` is merged and sorted."""
    ends = [0, *(end for _, end in hidden)]
    starts = [*(start for start, _ in hidden), length]
    return [(a, b) for a, b in zip(ends, starts, strict=True) if a < b]


Edge = tuple[tuple[float, float], tuple[float, float]]


def _inside(edges: Sequence[Edge], y: float) -> list[tuple[float, float]]:
    crossings = []
    for (x0, y0), (x1, y1) in edges:
        if (y0 <= y) != (y1 <= y):
            crossings.append((x0 + (y - y0) / (y1 - y0) * (x1 - x0), 1 if y1 > y0 else -1))
    spans = []
    winding, start = 0, 0.0
    for x, turn in sorted(crossings):
        if winding == 0:
            start = x
        winding += turn
        if winding == 0:
            spans.append((start, x))
    return spans


def _edges_within(edges: Sequence[Edge], row: int) -> list[tuple[float, float]]:
    spans = []
    for (x0, y0), (x1, y1) in edges:
        low, high = max(row, min(y0, y1)), min(row + 1, max(y0, y1))
        if low > high:
            continue
        if y0 == y1:
            spans.append((min(x0, x1), max(x0, x1)))
            continue
        ends = [x0 + (y - y0) / (y1 - y0) * (x1 - x0) for y in (low, high)]
        spans.append((min(ends), max(ends)))
    return spans


def _pixels(left: float, right: float, width_px: int) -> Span:
    return max(0, math.floor(left)), min(width_px, math.ceil(right))


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _flat(rows: list[list[Span]], stride: int) -> list[Span]:
    return _merged([(y * stride + start, y * stride + end) for y, row in enumerate(rows) for start, end in row])
