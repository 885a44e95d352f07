"""What the tests of the heads share: a field, what is asked for, and how an answer is compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from agent.core.types import Size
from agent.detectors.heads.found import Ask, RawDetections

FIELD = Size(128, 96)


LABELS = 4


KEPT = np.array([1, 3])


ASK = Ask(FIELD, KEPT, np.array([0.25, 0.5], np.float32), LABELS)


boxes = st.builds(
    lambda x, y, w, h: np.array([x, y, x + w, y + h]),
    st.floats(0, 60),
    st.floats(0, 40),
    st.floats(4, 60),
    st.floats(4, 50),
)


def centre_and_size(box: Any) -> tuple[Any, Any]:
    return (box[:2] + box[2:]) / 2, box[2:] - box[:2]


def only(found: RawDetections, box: Any, label: int, score: float) -> None:
    assert found.labels.tolist() == [label]
    assert found.scores == pytest.approx([score], abs=1e-3)
    assert found.boxes[0] == pytest.approx(box, abs=0.05)
