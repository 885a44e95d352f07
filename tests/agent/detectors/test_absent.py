"""agent.detectors.absent"""

from __future__ import annotations

import numpy as np

from agent.detectors.absent import Absent


def test_it_finds_nothing_in_any_picture_and_has_no_name() -> None:
    nobody = Absent()

    assert nobody.detect([np.zeros((8, 8, 3), np.uint8)] * 2) == [(), ()]
    assert (nobody.name, nobody.sha256) == ("", "")
    nobody.close()
