"""Where heads of people and number plates are, by the geometry of boxes alone. Pure.

No network looks for faces or plates. A person's head is at the top of the person's box, a rider's at the top of
the two-wheeler's, a plate in the lower half of a vehicle's. What it cannot do: it knows nobody whom the
detector does not find, nobody behind the glass of a car, and nobody who lies across or hangs head down; and
what it takes out is more than the head or the plate.

Proportions: a standing adult is seven and a half heads high (Richer, "Artistic Anatomy"); a head is taken with
as much again below it, for boxes waver. Plates are some 110 to 165 mm high: a tenth of a car, and about as much
of a motorbike's box with its rider.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.types import Box, Detection, Sensitive, SensitiveKind, Track

HEAD = 0.27
"""Of a person's box, from its top: two heads."""
HEAD_OF_A_PART = 0.5
"""Of a box whose lower end the picture cuts, or that is wider than high: nobody sits or stoops less."""
HEAD_ON_WHEELS = 0.42
"""Of a two-wheeler's box with its riders."""
ABOVE = 0.06
"""Of the height, above the box: detectors cut hair off. As much of the width at each side."""
BORDER = 0.01
"""Of the frame: so near to its lower border a box is cut by it."""
PLATE_OF_A_CAR = (0.45, 1.0)
PLATE_ON_WHEELS = (0.4, 0.9)
ROWS, ROWS_OF_A_PART = 6, 4
"""Of one colour each, in the height of what is taken out: three for a head, less than one for a plate."""
FOUR_WHEELS = frozenset({"car", "bus", "truck"})
TWO_WHEELS = frozenset({"motorcycle", "bicycle"})


def regions(tracks: Sequence[Track], found: Sequence[Detection]) -> tuple[Sensitive, ...]:
    """Of all who are followed, and of all that the detector saw in this frame; in its fractions."""
    boxes = [(each.label, each.box) for each in tracks if not each.ended]
    boxes += [(each.label, each.box) for each in found]
    return tuple(region for label, box in boxes for region in _of(label, box))


def within(everywhere: Sequence[Sensitive], cut: Box) -> tuple[Sensitive, ...]:
    """Those that reach into a part of the frame, in the fractions of that part; they may go beyond it."""
    if not everywhere or cut.width <= 0 or cut.height <= 0:
        return ()
    return tuple(
        Sensitive(
            each.kind,
            Box(
                (each.box.left - cut.left) / cut.width,
                (each.box.top - cut.top) / cut.height,
                (each.box.right - cut.left) / cut.width,
                (each.box.bottom - cut.top) / cut.height,
            ),
            each.rows,
        )
        for each in everywhere
        if each.box.left < cut.right
        and each.box.right > cut.left
        and each.box.top < cut.bottom
        and each.box.bottom > cut.top
    )


def _of(label: str, box: Box) -> tuple[Sensitive, ...]:
    if label == "person":
        part = box.bottom >= 1 - BORDER or box.width > box.height
        share, rows = (HEAD_OF_A_PART, ROWS_OF_A_PART) if part else (HEAD, ROWS)
        return (Sensitive(SensitiveKind.HEAD, _band(box, 0.0, share), rows),)
    if label in TWO_WHEELS:
        head = Sensitive(SensitiveKind.HEAD, _band(box, 0.0, HEAD_ON_WHEELS), ROWS)
        plate = Sensitive(SensitiveKind.PLATE, _band(box, *PLATE_ON_WHEELS), ROWS)
        return (head, plate) if label == "motorcycle" else (head,)
    if label in FOUR_WHEELS:
        return (Sensitive(SensitiveKind.PLATE, _band(box, *PLATE_OF_A_CAR), ROWS),)
    return ()


def _band(box: Box, top: float, bottom: float) -> Box:
    """So much of the box's height, from side to side and a little beyond; at its top also above it."""
    side, above = ABOVE * box.width, ABOVE * box.height if top == 0 else 0.0
    return Box(
        box.left - side, box.top + top * box.height - above, box.right + side, box.top + bottom * box.height
    )
