"""tests.acceptance.duty_room.swarm"""

from __future__ import annotations

from station.watch.embedded import Address
from tests.acceptance.duty_room.swarm import Swarm


def test_two_words_that_come_together_are_both_heeded(embedded: Address) -> None:
    with Swarm(embedded.port, 2, 10) as swarm:
        swarm.figures()
        swarm.say("stop", "how", "how")
        answers = [swarm.heard(), swarm.heard()]
        later = swarm.figures()

    assert [each.events for each in answers] == [later.events] * 2
