"""What each command does on the box: the effect of a verb, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from agent.clock import Clock
from agent.commands import policy
from agent.commands.journal import CommandState
from agent.commands.policy import Command, KnownTime, Pause
from agent.errors import NgatuError
from agent.host.supervise import Beat, Stop
from agent.publishing.jpeg import Jpeg
from agent.wire.channels import MessageKind
from agent.wire.topics import suffix
from agent.wire.verbs import SetArgs, SnapshotArgs, Verb

PICTURE_S: Final = 10.0
"""How long a picture may take: a camera that is slowed down gives one a second at least."""

End = Literal[CommandState.DONE, CommandState.FAILED, CommandState.REFUSED]


class Executor(Protocol):
    """Who carries the commands out. Each may raise NgatuError, which is told as the reason."""

    def names(self) -> dict[str, tuple[str, ...]]:
        """The cameras of this box with the rules of each."""
        ...

    def picture(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg:
        """A picture of the camera, as it is now."""
        ...

    def halt(self, pauses: Sequence[Pause]) -> None:
        """From now on exactly these are paused."""
        ...

    def may_leave(self, verb: Verb) -> None:
        """Judge whether the agent can begin anew as `verb` (reload or restart) wants it, before it stops.

        Raises:
            ConfigError: the configuration as it lies there now is wrong.
            NgatuError: it could not begin anew.
        """
        ...

    def restarted(self, verb: Verb) -> tuple[bool, dict[str, Any]]:
        """Whether this life began as `verb` (reload or restart) wanted it, and the result to send."""
        ...

    def leave(self) -> None:
        """Stop in order, and be started again."""
        ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command."""

    state: End
    detail: str | None = None
    result: dict[str, Any] | None = None
    picture: Jpeg | None = None
    topic: str | None = None
    pause: Pause | None = None
    resume: tuple[str, str | None] | None = None


class CommandEffects:
    """Has the executor do what a command asks for."""

    def __init__(self, executor: Executor, clock: Clock, known: Callable[[], KnownTime], boot_id: str) -> None:
        """`known` is what the box knows of the time."""
        self._executor, self._clock, self._known, self._boot_id = executor, clock, known, boot_id

    def of(self, command: Command, stop: Stop, beat: Beat) -> CommandResult | None:
        """What became of it; None: the agent is to end, and its next life will know.

        Raises:
            NgatuError: it cannot be done; its text is the reason.
        """
        if isinstance(command.args, SnapshotArgs):
            return self._snapshot(command, command.args.camera, stop, beat)
        if isinstance(command.args, SetArgs):
            return self._set(command, command.args)
        if command.verb is Verb.PING:
            return CommandResult(CommandState.DONE)
        self._executor.may_leave(command.verb)
        return None

    def _snapshot(self, command: Command, camera: str, stop: Stop, beat: Beat) -> CommandResult:
        self._known_camera(camera)

        def turn() -> bool:
            beat()
            return not stop.is_set()

        picture = self._executor.picture(camera, PICTURE_S, turn)
        result = {
            "sha256": picture.sha256,
            "bytes": len(picture.data),
            "width_px": picture.width_px,
            "height_px": picture.height_px,
        }
        return CommandResult(
            CommandState.DONE, None, result, picture, suffix(MessageKind.SNAPSHOT, camera=camera)
        )

    def _set(self, command: Command, args: SetArgs) -> CommandResult:
        rules = self._known_camera(args.camera)
        if args.rule is not None and args.rule not in rules:
            return CommandResult(
                CommandState.FAILED,
                f"camera {args.camera} has no rule {args.rule!r}; it has {', '.join(rules)}",
            )
        if args.action == "resume":
            return CommandResult(CommandState.DONE, resume=(args.camera, args.rule))
        at, now = self._clock.now(), self._known()
        pause = policy.pause(command, args, at.mono_s, self._boot_id, now)
        if pause.until_mono_s <= at.mono_s:
            return CommandResult(CommandState.FAILED, "the pause has ended before it could begin")
        return CommandResult(CommandState.DONE, pause=pause)

    def _known_camera(self, camera: str) -> tuple[str, ...]:
        names = self._executor.names()
        if camera not in names:
            raise NgatuError(f"there is no camera {camera!r}; there are {', '.join(names)}")
        return names[camera]
