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

BUSY_S: Final = 2.0
CALM_S: Final = 10.0
"""How often a camera is told of while something moves or is followed, and while nothing does."""
MOST: Final = 6
"""Road users, and events, told of at a time; more would scroll away before they are read."""
LINES: Final = 200
"""Lines that may wait for a slow terminal."""
COLUMNS, ROWS = ("left", "", "right"), ("top", "", "bottom")


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
        rate = f"{self._pictures / passed_s:.1f} pictures/s"
        yield self._line(at, f"{rate}, {self._detector(outcome)}; {_motion(outcome)}{_sight(outcome)}")
        if self._reports > MOST:
            yield self._line(at, f"  and {self._reports - MOST} more events")
        living = [each for each in outcome.tracks if not each.ended]
        for track in living[:MOST]:
            yield self._line(at, f"  {self._track(track)}")
        if len(living) > MOST:
            yield self._line(at, f"  and {len(living) - MOST} more road users")

    def _detector(self, outcome: Outcome) -> str:
        if self._looks:
            return f"the detector looked at {self._looks} of {self._pictures}"
        return f"the detector rests: {self._rest(outcome)}"

    def _rest(self, outcome: Outcome) -> str:
        """Why nothing was looked at."""
        living = [each for each in outcome.tracks if not each.ended]
        if not self._camera.attention.enabled:
            return "it is off for this camera (attention.enabled)"
        if outcome.motion.settling:
            return "the scene is being learned"
        if not outcome.motion.regions and not living:
            return "nothing moves and nobody is followed"
        if outcome.quiet:
            return "whoever is followed stands still"
        if not living:
            return "it has found nothing in what moves there"
        return "it looked a moment ago"

    def _track(self, track: Track) -> str:
        words = [f"#{self._numbers[track.id]} {track.label} {track.score:.2f}"]
        if track.riders:
            words.append(f"{track.riders} rider{'s' * (track.riders > 1)}")
        words.append(_place(track.box))
        if zones := self._zones(track.box):
            words.append(f"in {' and '.join(zones)}")
        if not track.confirmed:
            words.append("not sure yet")
        elif track.static_false_positive:
            words.append("a thing that only looks like one")
        else:
            words.append("stands" if track.stationary else "moves")
        return ", ".join(words)

    def _zones(self, box: Box) -> list[str]:
        return [
            zone.id
            for zone in self._camera.zones
            if inside(box.foot if zone.anchor is Anchor.FOOT else box.center, zone.polygon)
        ]

    def _event(self, event: Event) -> str:
        words = [f"EVENT {event.kind.value} {event.phase.value}", event.rule_id, event.severity.value]
        if event.object is not None:
            number = self._numbers.get(event.object.track_id)
            words.append(event.object.label + (f" #{number}" if number else ""))
        words += filter(None, (event.direction, event.end_reason and event.end_reason.value, event.detail))
        return ", ".join(words)

    def _number(self, tracks: Iterable[Track]) -> None:
        numbers = {}
        for track in tracks:
            if track.id not in self._numbers:
                self._numbered += 1
            numbers[track.id] = self._numbers.get(track.id, self._numbered)
        self._numbers = numbers

    def _line(self, at: Instant, text: str) -> str:
        return f"{time.strftime('%H:%M:%S', time.localtime(at.wall_s))}  {self._camera.name}  {text}"


def _count(count: Count) -> str:
    crossings = [
        f"{number} {label} {direction}"
        for label, directions in sorted(count.counts.items())
        for direction, number in sorted(directions.items())
    ]
    return f"COUNT {count.rule_id}: {', '.join(crossings) or 'nobody'} in {count.end.since(count.start):.0f} s"


def _motion(outcome: Outcome) -> str:
    motion = outcome.motion
    if motion.settling:
        return "what moves is not known yet"
    if not motion.regions:
        return "nothing moves"
    places = f" in {len(motion.regions)} places" if len(motion.regions) > 1 else ""
    return f"{100 * motion.share:.1f} % moves{places}, most at {_place(motion.regions[0])}"


def _sight(outcome: Outcome) -> str:
    return f"; BLIND: {outcome.view.fault.value}" if outcome.view.fault is not None else ""


def _place(box: Box) -> str:
    """Where it stands on the ground: in words, and as it would be written into the configuration."""
    x, y = (min(max(each, 0.0), 1.0) for each in box.foot)
    row, column = ROWS[min(2, int(y * 3))], COLUMNS[min(2, int(x * 3))]
    return f"{f'{row} {column}'.strip() or 'centre'} [{x:.2f}, {y:.2f}]"


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
