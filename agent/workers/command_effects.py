"""What each command does on the box: the effect of a verb, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, Protocol

from agent.clock import Clock
from agent.commands import policy
from agent.commands.audit import AuditLine
from agent.commands.journal import CommandState
from agent.commands.policy import Command, KnownTime, Pause
from agent.errors import NgatuError
from agent.host.supervise import Beat, Stop
from agent.publishing.jpeg import Jpeg
from agent.wire.channels import MessageKind
from agent.wire.topics import suffix
from agent.wire.verbs import ClipArgs, LookArgs, ReleaseArgs, SamplesArgs, SetArgs, SnapshotArgs, Verb
from agent.workers.looks import LookReport

PICTURE_S: Final = 10.0
"""How long a picture may take: a camera that is slowed down gives one a second at least."""

End = Literal[CommandState.DONE, CommandState.FAILED, CommandState.REFUSED]


class Unfinished(Enum):
    """Why there is no result yet."""

    LEAVES = "leaves"
    """The agent is to end, and its next life will know."""
    LASTS = "lasts"
    """It goes on beside the other commands."""


class Executor(Protocol):
    """Who carries the commands out. Each may raise NgatuError, which is told as the reason."""

    def names(self) -> dict[str, tuple[str, ...]]:
        """The cameras of this box with the rules of each."""
        ...

    def picture(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg:
        """A picture of the camera, as it is now."""
        ...

    def look(self, command: Command, args: LookArgs) -> None:
        """Begin a look at a camera that is there."""
        ...

    def looks_over(self, all_of_them: bool = False) -> Sequence[LookReport]:
        """The looks that have ended since the last call; `all_of_them`: the agent stops."""
        ...

    def clip(self, command: Command, args: ClipArgs, line: int) -> dict[str, Any]:
        """Note and hold a range of footage, to be sent; the result to send.

        `line` is the number of the line of the audit log in which the order stands.
        """
        ...

    def samples(self, command: Command, args: SamplesArgs, line: int) -> dict[str, Any]:
        """Note and hold frames for training, to be sent; the result to send. `line` as for a clip."""
        ...

    def release(self, command: Command, args: ReleaseArgs) -> dict[str, Any]:
        """End the hold of a clip or an order for frames, and what is still to be sent; the result to send."""
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

    def __init__(
        self,
        executor: Executor,
        clock: Clock,
        known: Callable[[], KnownTime],
        boot_id: str,
        noted: Callable[[Command], AuditLine | None],
    ) -> None:
        """`known` is what the box knows of the time; `noted` writes down that a command begins."""
        self._executor, self._clock, self._known, self._boot_id = executor, clock, known, boot_id
        self._noted = noted

    def of(self, command: Command, stop: Stop, beat: Beat) -> CommandResult | Unfinished:
        """What became of it, or why nobody knows yet.

        Raises:
            NgatuError: it cannot be done; its text is the reason.
        """
        if isinstance(command.args, SnapshotArgs):
            return self._snapshot(command, command.args.camera, stop, beat)
        if isinstance(command.args, LookArgs):
            self._known_camera(command.args.camera)
            self._executor.look(command, command.args)
            return Unfinished.LASTS
        if isinstance(command.args, SetArgs):
            return self._set(command, command.args)
        if isinstance(command.args, ClipArgs | SamplesArgs | ReleaseArgs):
            return self._footage(command, command.args)
        if command.verb is Verb.PING:
            return CommandResult(CommandState.DONE)
        self._executor.may_leave(command.verb)
        return Unfinished.LEAVES

    def looks_over(self, all_of_them: bool = False) -> list[tuple[Command, CommandResult]]:
        """The commands whose looks have ended, with what became of them."""
        return [
            (each.command, CommandResult(_look_state(each), each.detail, each.result))
            for each in self._executor.looks_over(all_of_them)
        ]

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

    def _footage(self, command: Command, args: ClipArgs | SamplesArgs | ReleaseArgs) -> CommandResult:
        if isinstance(args, ReleaseArgs):
            return CommandResult(CommandState.DONE, None, self._executor.release(command, args))
        if isinstance(args, ClipArgs):
            self._known_camera(args.camera)
        line = self._noted(command)
        if line is None:
            raise NgatuError("it cannot be written into the audit log of the box, so no footage leaves it")
        give = self._executor
        result = (
            give.clip(command, args, line.n)
            if isinstance(args, ClipArgs)
            else give.samples(command, args, line.n)
        )
        return CommandResult(CommandState.DONE, None, result)

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


def _look_state(report: LookReport) -> End:
    return CommandState.DONE if report.done else CommandState.FAILED
