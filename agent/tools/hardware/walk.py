"""The walk over a board: every item in turn, what is measured first, then what a person must do.

What a person does is believed by what it does to the board: a camera that is unplugged is lost and comes back,
a covered lens is dark, a board without power starts anew. What was verified once is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from agent.clock import Clock, boot_id
from agent.config.schema import CameraConfig, Config
from agent.errors import CameraError, NgatuError
from agent.host.machine import Machine
from agent.settings.quoting import redacted
from agent.tools import check
from agent.tools.check import CheckVerdict
from agent.tools.hardware import board, cameras, storage
from agent.tools.hardware.checklist import BoardFinding, Checklist, State
from agent.translatable import joined, tr

HEAT_S: Final = 60.0
HAND_S: Final = 120.0
"""So long somebody may take to reach a plug."""
POWER_S: Final = 900.0
STATES: Final = {
    CheckVerdict.OK: State.OK,
    CheckVerdict.WARNING: State.WARNING,
    CheckVerdict.FAILED: State.FAILED,
    CheckVerdict.BROKEN: State.FAILED,
}
Step = tuple[str, str, Callable[[], BoardFinding]]
"""Its item, its title, and what finds it."""


class Person(Protocol):
    """Somebody at the board."""

    def asked(self, what: str, then: str) -> bool:
        """Whether they will do it now; `then` says what is verified by itself."""
        ...

    def now(self) -> None:
        """What was asked for is to be done now."""
        ...

    def waits(self, for_s: float) -> None:
        """Nothing is to be done for so long, unless the power goes or they say that they gave up."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each part of a walk takes; tests have less of it."""

    heat_s: float = HEAT_S
    camera_s: float = cameras.SEEN_S
    hand_s: float = HAND_S
    power_s: float = POWER_S


def walk(
    config: Config,
    clock: Clock,
    before: Checklist,
    folder: Path,
    person: Person | None,
    patience: Patience | None = None,
    again: bool = False,
) -> Iterator[BoardFinding]:
    """Every item as it is found; `before` is what was found at the last walk, in `folder`.

    Without a person what they must do is told as open. `again`: also what was verified is to be done.
    """
    patience = patience or Patience()
    rtc = guarded("battery clock", tr("Battery clock"), lambda: board.battery_clock(clock.now().wall_s))
    cut = storage.power_went(folder, boot_id(), _off_s(rtc))
    if cut is not None and cut.state is State.OPEN:
        cut = None  # it is asked for again
    if cut is not None:
        yield cut  # first of all: whoever cut it waits for the word, and it is saved at once
    for item, title, find in _measured(config, clock, folder, patience):
        yield guarded(item, title, find)
        if item == "clock":
            yield rtc
    for item, title, find in _by_hand(config, clock, folder, person, patience):
        if item == "power" and cut is not None:
            continue
        if not again and (verified := before.verified(item)) is not None:
            yield verified
        elif person is None:
            yield BoardFinding(
                item, title, State.OPEN, _left(item), tr("ngatu check --hardware, at a terminal")
            )
        else:
            yield guarded(item, title, find)


def guarded(item: str, title: str, find: Callable[[], BoardFinding]) -> BoardFinding:
    """The finding, or the error that came instead, in one line."""
    try:
        return find()
    except NgatuError as error:
        return BoardFinding(item, title, State.FAILED, redacted(error.what), error.hint)
    except OSError as error:
        return BoardFinding(item, title, State.FAILED, joined("", (error.strerror or type(error).__name__,)))
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        hint = tr("this is a fault of ngatu: report it with this line")
        return BoardFinding(item, title, State.FAILED, redacted(what), hint)


def _of_check(item: str, title: str, found: check.CheckResult) -> BoardFinding:
    return BoardFinding(item, title, STATES[found.verdict], found.found, found.hint)


def _off_s(rtc: BoardFinding) -> float | None:
    off_s = rtc.measured.get("off_s")
    return float(off_s) if isinstance(off_s, int | float) else None


def _measured(config: Config, clock: Clock, folder: Path, patience: Patience) -> Iterator[Step]:
    machine = Machine(clock)
    yield "clock", tr("Clock"), lambda: _of_check("clock", tr("Clock"), check.check_clock(clock))
    yield "network", tr("Network"), board.links
    yield "broker", tr("Broker"), lambda: _of_check("broker", tr("Broker"), check.check_broker(config))
    yield "keys", tr("Keys of the board"), board.keys
    yield "watchdog", tr("Hardware watchdog"), board.watchdog
    yield "storage", tr("Storage"), lambda: storage.speed(folder, clock)
    yield "wear", tr("Storage's own word"), lambda: storage.wear(folder)
    yield "cameras", tr("Cameras at the board"), cameras.present
    yield "encoder", tr("Video encoder"), board.encoders
    for camera in config.cameras:
        yield _frames(camera, clock, patience.camera_s)
    yield "heat", tr("Heat"), lambda: board.heat(machine, patience.heat_s)
    yield "throttling", tr("Power supply"), lambda: board.throttling(machine)


def _frames(camera: CameraConfig, clock: Clock, for_s: float) -> Step:
    title = tr("Camera {name}", name=camera.name)
    return f"frames {camera.name}", title, lambda: cameras.judged(camera, clock, for_s)


def _by_hand(
    config: Config, clock: Clock, folder: Path, person: Person | None, patience: Patience
) -> Iterator[Step]:
    """The plug of the board comes last: with it goes the walk."""
    for camera in config.cameras:
        kind = camera.source.kind
        if kind in ("usb", "rtsp"):
            yield _unplugged(camera, clock, person, patience.hand_s)
        if kind != "file":
            yield _covered(camera, clock, person, patience.hand_s)
    title = tr("Power cut")
    yield "power", title, lambda: _power(folder, person, patience.power_s)


def _left(item: str) -> str:
    """What somebody must do for this item."""
    what, _, name = item.partition(" ")
    return {"unplug": _unplug, "cover": _cover}[what](name) if name else _cut()


def _unplug(name: str) -> str:
    return tr("pull the cable of camera {name}, count to twenty, and plug it in again", name=name)


def _cover(name: str) -> str:
    return tr("cover the lens of camera {name} with a hand for five seconds, and take the hand away", name=name)


def _cut() -> str:
    return tr("pull the plug of the board, count to ten, plug it in, and call this command again")


def _unplugged(camera: CameraConfig, clock: Clock, person: Person | None, within_s: float) -> Step:
    item, title = f"unplug {camera.name}", tr("Camera {name} unplugged", name=camera.name)

    def find() -> BoardFinding:
        assert person is not None
        todo = _unplug(camera.name)
        if not person.asked(todo, tr("its loss and its return are noticed")):
            return BoardFinding(item, title, State.OPEN, todo)
        lost_s, back_s = cameras.lost_and_back(camera, clock, within_s, person.now)
        if lost_s is None:
            return BoardFinding(item, title, State.OPEN, tr("it was never lost"), todo)
        if back_s is None:
            found = tr("lost, and not back within {within_s:.0f} s", within_s=within_s)
            return BoardFinding(item, title, State.FAILED, found, tr("name it by /dev/v4l/by-id or by-path"))
        found = tr("lost, and back {back_s:.0f} s after that", back_s=back_s)
        return BoardFinding(item, title, State.OK, found, "", {"back_s": round(back_s, 1)})

    return item, title, find


def _covered(camera: CameraConfig, clock: Clock, person: Person | None, within_s: float) -> Step:
    item, title = f"cover {camera.name}", tr("Camera {name} covered", name=camera.name)

    def find() -> BoardFinding:
        assert person is not None
        todo = _cover(camera.name)
        if not person.asked(todo, tr("its picture becomes dark and light again")):
            return BoardFinding(item, title, State.OPEN, todo)
        try:
            dark, light = cameras.covered_and_free(camera, clock, within_s, person.now)
        except CameraError as error:
            return BoardFinding(item, title, State.FAILED, redacted(error.what), error.hint)
        if dark and light:
            return BoardFinding(
                item, title, State.OK, tr("dark and light again: it is the camera of that name")
            )
        found = tr("it stayed dark") if dark else tr("it never became dark: is it another camera?")
        return BoardFinding(item, title, State.FAILED if dark else State.OPEN, found, todo)

    return item, title, find


def _power(folder: Path, person: Person | None, within_s: float) -> BoardFinding:
    assert person is not None
    title = tr("Power cut")
    if person.asked(_cut(), tr("that it starts by itself, and that what was synced is there")):
        with storage.power_may_go(folder, boot_id()):
            person.waits(within_s)
    return BoardFinding("power", title, State.OPEN, tr("the board did not lose its power"), _cut())
