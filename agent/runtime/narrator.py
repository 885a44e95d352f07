"""What the box sees, in words, for whoever stands on the ladder: `ngatu run -v`.

    16:31:02  north  10.0 pictures/s, the detector looked at 4 of 20; 1.2 % moves, most at top [0.50, 0.12]
    16:31:02  north    #3 motorcycle 0.83, 2 riders, bottom left [0.31, 0.72], in junction, moves
    16:31:02  north  EVENT line_crossed start, stop-line, alert, motorcycle #3, in
    16:31:13  north  3.0 pictures/s, the detector rests: nothing moves and nobody is followed

A camera is told of every two seconds while it has something to tell, else now and then; events at once, as far
as they can be read. Lines are written by a thread of their own: a terminal that is held up loses lines, and
holds up no camera.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from agent.config.schema import CameraConfig
from agent.core.geometry import inside
from agent.core.pipeline import Outcome
from agent.core.rules.zones import Anchor
from agent.core.types import Box, Count, Event, Frame, Instant, Phase, Track
from agent.translatable import joined, tr
from agent.wire.words import DETAILS, DIRECTIONS, END_REASONS, KINDS, LABELS, PHASES, SEVERITIES, named

BUSY_S: Final = 2.0
CALM_S: Final = 10.0
"""How often a camera is told of while something moves or is followed, and while nothing does."""
MOST: Final = 6
"""Road users, and events, told of at a time; more would scroll away before they are read."""
LINES: Final = 200
"""Lines that may wait for a slow terminal."""
PLACES: Final = (
    (tr("top left"), tr("top"), tr("top right")),
    (tr("left side"), tr("centre"), tr("right side")),
    (tr("bottom left"), tr("bottom"), tr("bottom right")),
)


class CameraNarrator:
    """Puts one camera's outcomes into words; a value of its own per camera, used in its thread."""

    def __init__(self, camera: CameraConfig) -> None:
        self._camera = camera
        self._numbers: dict[str, int] = {}
        """Track id -> a short number for people; of the tracks that live."""
        self._numbered = 0
        self._began: Instant | None = None
        self._pictures = self._looks = self._reports = 0
        """Since the last time the camera was told of."""
        self._was_busy = False

    def lines(self, frame: Frame, outcome: Outcome) -> Iterator[str]:
        """What there is to say about a frame that was looked at: most often nothing."""
        at = frame.at
        self._began = self._began or at
        self._pictures += 1
        self._looks += bool(outcome.crops)
        self._number(outcome.tracks)
        for report in outcome.reports:
            if isinstance(report, Event) and report.phase is Phase.UPDATE:
                continue  # a better picture, for the most part
            self._reports += 1
            if self._reports <= MOST:
                yield self._line(at, self._event(report) if isinstance(report, Event) else _count(report))
        busy = not outcome.quiet
        passed_s = at.since(self._began)
        # What begins or ends is worth a line, but not one for each branch in the wind.
        if passed_s >= CALM_S or (passed_s >= BUSY_S and (busy or self._was_busy)):
            yield from self._state(at, outcome, passed_s)
            self._began, self._pictures, self._looks, self._reports, self._was_busy = at, 0, 0, 0, busy

    def _state(self, at: Instant, outcome: Outcome, passed_s: float) -> Iterator[str]:
        rate = tr("{rate:.1f} pictures/s", rate=self._pictures / passed_s)
        looks = joined(", ", (rate, self._detector(outcome)))
        yield self._line(at, joined("; ", filter(None, (looks, _motion(outcome), _sight(outcome)))))
        if self._reports > MOST:
            yield self._line(at, tr("  and {number} more events", number=self._reports - MOST))
        living = [each for each in outcome.tracks if not each.ended]
        for track in living[:MOST]:
            yield self._line(at, joined("", ("  ", self._track(track))))
        if len(living) > MOST:
            yield self._line(at, tr("  and {number} more road users", number=len(living) - MOST))

    def _detector(self, outcome: Outcome) -> str:
        if self._looks:
            return tr(
                "the detector looked at {looks} of {pictures}", looks=self._looks, pictures=self._pictures
            )
        return tr("the detector rests: {why}", why=self._rest(outcome))

    def _rest(self, outcome: Outcome) -> str:
        """Why nothing was looked at."""
        living = [each for each in outcome.tracks if not each.ended]
        if not self._camera.attention.enabled:
            return tr("it is off for this camera (attention.enabled)")
        if outcome.motion.settling:
            return tr("the scene is being learned")
        if not outcome.motion.regions and not living:
            return tr("nothing moves and nobody is followed")
        if outcome.quiet:
            return tr("whoever is followed stands still")
        if not living:
            return tr("it has found nothing in what moves there")
        return tr("it looked a moment ago")

    def _track(self, track: Track) -> str:
        number, label = self._numbers[track.id], named(LABELS, track.label)
        words: list[str] = [tr("#{number} {label} {score:.2f}", number=number, label=label, score=track.score)]
        if track.riders:
            one = track.riders == 1
            words.append(tr("1 rider") if one else tr("{number} riders", number=track.riders))
        words.append(_place(track.box))
        if zones := self._zones(track.box):
            words.append(tr("in {zones}", zones=joined(tr(" and "), zones)))
        if not track.confirmed:
            words.append(tr("not sure yet"))
        elif track.static_false_positive:
            words.append(tr("a thing that only looks like one"))
        else:
            words.append(tr("stands") if track.stationary else tr("moves"))
        return joined(", ", words)

    def _zones(self, box: Box) -> list[str]:
        return [
            zone.id
            for zone in self._camera.zones
            if inside(box.foot if zone.anchor is Anchor.FOOT else box.center, zone.polygon)
        ]

    def _event(self, event: Event) -> str:
        kind, phase = named(KINDS, event.kind.value), named(PHASES, event.phase.value)
        words: list[str] = [
            tr("EVENT {kind} {phase}", kind=kind, phase=phase),
            event.rule_id,
            named(SEVERITIES, event.severity.value),
        ]
        if event.object is not None:
            number, label = self._numbers.get(event.object.track_id), named(LABELS, event.object.label)
            words.append(joined(" ", (label, f"#{number}")) if number else label)
        if event.direction:
            words.append(named(DIRECTIONS, event.direction))
        if event.end_reason:
            words.append(named(END_REASONS, event.end_reason.value))
        if event.detail:
            words.append(named(DETAILS, event.detail))
        return joined(", ", words)

    def _number(self, tracks: Iterable[Track]) -> None:
        numbers = {}
        for track in tracks:
            if track.id not in self._numbers:
                self._numbered += 1
            numbers[track.id] = self._numbers.get(track.id, self._numbered)
        self._numbers = numbers

    def _line(self, at: Instant, text: str) -> str:
        return joined("  ", (time.strftime("%H:%M:%S", time.localtime(at.wall_s)), self._camera.name, text))


def _count(count: Count) -> str:
    crossings = [
        joined(" ", (str(number), named(LABELS, label), named(DIRECTIONS, direction)))
        for label, directions in sorted(count.counts.items())
        for direction, number in sorted(directions.items())
    ]
    return tr(
        "COUNT {rule}: {numbers} in {seconds:.0f} s",
        rule=count.rule_id,
        numbers=joined(", ", crossings) if crossings else tr("nobody"),
        seconds=count.end.since(count.start),
    )


def _motion(outcome: Outcome) -> str:
    motion = outcome.motion
    if motion.settling:
        return tr("what moves is not known yet")
    if not motion.regions:
        return tr("nothing moves")
    percent, place = 100 * motion.share, _place(motion.regions[0])
    if len(motion.regions) == 1:
        return tr("{percent:.1f} % moves, most at {place}", percent=percent, place=place)
    return tr(
        "{percent:.1f} % moves in {places} places, most at {place}",
        percent=percent,
        places=len(motion.regions),
        place=place,
    )


def _sight(outcome: Outcome) -> str:
    if outcome.view.fault is None:
        return ""
    return tr("BLIND: {why}", why=named(DETAILS, outcome.view.fault.value))


def _place(box: Box) -> str:
    """Where it stands on the ground: in words, and as it would be written into the configuration."""
    x, y = (min(max(each, 0.0), 1.0) for each in box.foot)
    return joined(" ", (PLACES[min(2, int(y * 3))][min(2, int(x * 3))], f"[{x:.2f}, {y:.2f}]"))


class Narrator:
    """Tells of all cameras of a box; `close` ends its thread."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """`say` is given a line at a time, in a thread of its own."""
        self._say = say
        self._waiting: queue.Queue[str | None] = queue.Queue(LINES)
        self._thread = threading.Thread(target=self._write, name="narrator", daemon=True)
        self._thread.start()

    def of(self, camera: CameraConfig) -> Callable[[Frame, Outcome], None]:
        """What is to be called with each frame of this camera that was looked at."""
        narrator = CameraNarrator(camera)

        def saw(frame: Frame, outcome: Outcome) -> None:
            for line in narrator.lines(frame, outcome):
                if not self._waiting.full():  # nobody reads so fast; the next second tells anew
                    self._waiting.put(line)

        return saw

    def close(self, within_s: float = 1.0) -> None:
        """Write what waits, as far as the terminal takes it in time."""
        if not self._waiting.full():
            self._waiting.put(None)
        self._thread.join(within_s)

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            self._say(line)
