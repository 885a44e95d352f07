"""A clock that jumps from event to event, and a line in which one is served after the other. Pure.

SimPy (4.1.2 of May 2026, MIT) does the same with generators. What is needed here are these few lines: a line
needs no process of its own, for whoever enters knows when he leaves (Lindley, "The theory of queues with a
single server", 1952); and the loop of an intake is clearer as the states that it has than as a generator.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Job = Callable[[], None]


class Timeline:
    """Jobs in the order of their moments; those of one moment in the order in which they were given."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._jobs: list[tuple[float, int, Job]] = []
        self._numbers = count()

    def at(self, moment_s: float, job: Job) -> None:
        """Do it then; what is due before now is done now."""
        heapq.heappush(self._jobs, (max(moment_s, self.now_s), next(self._numbers), job))

    def run(self, until_s: float) -> None:
        """Do everything up to this moment; what is due later waits for another call."""
        while self._jobs and self._jobs[0][0] <= until_s:
            self.now_s, _, job = heapq.heappop(self._jobs)
            job()
        self.now_s = max(self.now_s, until_s)


class Line:
    """One server, first come, first served: a link, a processor of a broker."""

    def __init__(self, timeline: Timeline) -> None:
        self.busy_s = 0.0
        self.entered = self.left = 0
        self.longest_wait_s = 0.0
        self._timeline = timeline
        self._free_s = 0.0

    @property
    def waiting(self) -> int:
        """Who has entered and not left, the one who is served among them."""
        return self.entered - self.left

    def enter(self, service_s: float, then: Job, later_s: float = 0.0) -> None:
        """Be served for so long once those before have been, then go on, after a way that delays nobody."""
        begins_s = max(self._timeline.now_s, self._free_s)
        self.longest_wait_s = max(self.longest_wait_s, begins_s - self._timeline.now_s)
        self._free_s = begins_s + service_s
        self.busy_s += service_s
        self.entered += 1

        def leave() -> None:
            self.left += 1
            if later_s:
                self._timeline.at(self._timeline.now_s + later_s, then)
            else:
                then()

        self._timeline.at(self._free_s, leave)
