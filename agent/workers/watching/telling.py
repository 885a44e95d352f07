"""What a camera tells: events and counts as messages in the outbox, some when a larger picture is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import structlog

from agent.core.rules.engine import RulesState
from agent.core.types import Count, Event, Shot, Size
from agent.outbox.outbox import Outbox
from agent.publishing.compose import Sender, count_message, event_messages
from agent.wire.message import Message, Priority
from agent.workers.watching.main_pictures import MainPictures

log = structlog.get_logger(__name__)

Reports = Sequence[Event | Count]


class Telling:
    """Of one camera, in its thread."""

    def __init__(self, camera: str, outbox: Outbox, sender: Callable[[], Sender]) -> None:
        """`sender` says in whose name a message is sent that is made now."""
        self._camera, self._outbox, self._sender = camera, outbox, sender
        self.on_events: Callable[[Sequence[Event]], None] = lambda _events: None
        """Is given what is told of events, before it waits for anything."""
        self.pictures: MainPictures | None = None
        """Where pictures of events may be had that show more; set before its camera runs."""

    def tell(self, reports: Reports) -> None:
        """Now, with all that has waited for a picture: none will come."""
        self._listen(reports)
        self._put(reports if self.pictures is None else self.pictures.last(reports))

    def tell_when_pictured(self, reports: Reports, rules: RulesState | None) -> None:
        """Now, or when a picture that shows more is there; of these events and of those that have waited.

        `rules` says which pictures will be wanted: those of open events that are better than what was told.
        """
        self._listen(reports)
        if self.pictures is not None:
            reports = self.pictures.passed(reports)
            self.pictures.prepare(_untold_shots(rules))
        self._put(reports)

    def _listen(self, reports: Reports) -> None:
        if events := [each for each in reports if isinstance(each, Event)]:
            self.on_events(events)

    def _put(self, reports: Reports) -> None:
        """Into the outbox: nothing, with most frames."""
        self._outbox.put_or_drop([message for each in reports for message in self._messages(each)])

    def _messages(self, report: Event | Count) -> Iterator[Message]:
        try:
            sender = self._sender()
            if isinstance(report, Event):
                yield from event_messages(report, sender)
            else:
                yield count_message(report, sender)
        except Exception:  # one that cannot be put into words must not silence the others
            log.exception("event_not_encoded", camera=self._camera, rule=report.rule_id)
            self._outbox.count_dropped([Priority.EVENT if isinstance(report, Event) else Priority.COUNT])


def _untold_shots(rules: RulesState | None) -> Iterator[tuple[Shot, Size | None]]:
    for each in rules.events.open.values() if rules is not None else ():
        trajectory = each.fact.trajectory
        shot = trajectory.shot if trajectory is not None else None
        if shot is not None and shot.at != each.picture_at and shot.quality > each.picture:
            yield shot, each.event.frame
