"""station.lookup.colour_asked; what the database makes of it is in test_search and test_query"""

from __future__ import annotations

from dataclasses import replace

import pytest

from station.lookup.colour_asked import unknown_besides, with_unknown
from tests.station.lookup.test_search import DAY

RED, BOTH = ("red",), ("red", "unknown")


def test_what_is_found_besides_stands_in_look_ups_that_share_no_event() -> None:
    wanted = replace(DAY, vehicle_colours=RED, clothes_colours=RED)

    assert with_unknown(wanted) == replace(DAY, vehicle_colours=BOTH, clothes_colours=BOTH)
    assert [(each.vehicle_colours, each.clothes_colours) for each in unknown_besides(wanted)] == [
        (("unknown",), BOTH),
        (RED, ("unknown",)),
    ]


@pytest.mark.parametrize("colours", [(), BOTH])
def test_where_no_colour_is_asked_for_or_the_unknown_already_are_there_is_nothing_besides(
    colours: tuple[str, ...],
) -> None:
    wanted = replace(DAY, vehicle_colours=colours)

    assert (with_unknown(wanted), unknown_besides(wanted)) == (wanted, [])
