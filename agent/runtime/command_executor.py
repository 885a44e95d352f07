"""Carries the station's commands out on the parts of a running box."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.commands.policy import Command, Pause
from agent.config.last_good import Chosen
from agent.config.schema import Config, config_sha256, load
from agent.core.types import Instant
from agent.detectors import load_detector
from agent.errors import NgatuError
from agent.evidence.clips.requests import ClipRequest
from agent.host import relaunch
from agent.publishing.jpeg import Jpeg
from agent.wire.codec import moment
from agent.wire.payloads import rfc3339
from agent.wire.verbs import ClipArgs, LookArgs, ReleaseArgs, SamplesArgs, Verb
from agent.workers.footage.clips import ClipWorker
from agent.workers.looks import LookReport, Looks
from agent.workers.samples.handover import SampleHandover
from agent.workers.snapshots import Snapshots
from agent.workers.watching.camera import CameraWorker, PauseState


class CommandExecutor:
    """The hands of agent/workers/command_effects.py; its methods are described there."""

    def __init__(
        self,
        config: Config,
        chosen: Chosen | None,
        cameras: Mapping[str, CameraWorker],
        snapshots: Snapshots,
        looks: Looks,
        clips: ClipWorker | str,
        sample_orders: SampleHandover | str,
        leave: Callable[[], None],
    ) -> None:
        """`chosen` is where the configuration came from, if it came from a file; `leave` ends this run.

        `clips` may be why no footage can be asked for, `sample_orders` why no frames leave by order.
        """
        self._config, self._chosen = config, chosen
        self._cameras, self._snapshots, self._looks = cameras, snapshots, looks
        self._leave, self._clips, self._sample_orders = leave, clips, sample_orders

    def names(self) -> dict[str, tuple[str, ...]]:
        """The cameras of this box with the rules of each."""
        return {camera.name: tuple(rule.id for rule in camera.rules) for camera in self._config.cameras}

    def picture(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg:
        """A picture of the camera, as it is now.

        Raises:
            NgatuError: it gives none in time.
        """
        worker = self._cameras[camera]
        taken = None if worker.paused.why is not None else self._snapshots.take(camera, within_s, turn)
        if taken is None:
            seen = worker.seen()
            reason = f", {seen.reason}" if seen.reason else ""
            raise NgatuError(f"no picture within {within_s:g} s: the camera is {seen.state}{reason}")
        return taken

    def look(self, command: Command, args: LookArgs) -> None:
        """Begin a look at a camera of this box.

        Raises:
            NgatuError: the camera is paused, or somebody looks already.
        """
        if (why := self._cameras[args.camera].paused.why) is not None:
            raise NgatuError(f"camera {args.camera} gives no pictures: {why}")
        self._looks.begin(command, args)

    def looks_over(self, all_of_them: bool = False) -> Sequence[LookReport]:
        """The looks that have ended since the last call; `all_of_them`: the agent stops."""
        return self._looks.over(all_of_them)

    def clip(self, command: Command, args: ClipArgs, line: int) -> dict[str, Any]:
        """Note and hold a range of footage, to be sent; what of it is there.

        Raises:
            NgatuError: there is none, or it cannot be noted.
        """
        request = ClipRequest(
            id=command.id,
            camera=args.camera,
            from_s=args.from_time.timestamp(),
            to_s=args.to_time.timestamp(),
            case_number=args.case_number,
            purpose=args.purpose,
            officer=args.officer,
            issuer=command.issuer,
            asked_s=command.issued_s,
            command_sha256=command.sha256,
            audit_line=line,
        )
        return self._footage().ask(request)

    def samples(self, command: Command, args: SamplesArgs, line: int) -> dict[str, Any]:
        """Note and hold frames for training, to be sent; how many.

        Raises:
            NgatuError: there are none, none leave by order, or it cannot be noted.
        """
        if isinstance(self._sample_orders, str):
            raise NgatuError(self._sample_orders)
        request = ClipRequest(
            id=command.id,
            camera="",
            from_s=0.0 if args.since is None else args.since.timestamp(),
            to_s=command.issued_s,
            case_number="",
            purpose=args.purpose,
            officer=args.officer,
            issuer=command.issuer,
            asked_s=command.issued_s,
            command_sha256=command.sha256,
            audit_line=line,
        )
        return self._sample_orders.ask(request, args.most)

    def release(self, command: Command, args: ReleaseArgs) -> dict[str, Any]:
        """End the hold of a clip or an order for frames, and what is still to be sent of it.

        Raises:
            NgatuError: there is no such request, or it cannot be noted.
        """
        orders = self._sample_orders
        if not isinstance(orders, str) and orders.knows(args.request):
            return orders.release(args.request, command.issuer)
        return self._footage().release(args.request, command.issuer)

    def _footage(self) -> ClipWorker:
        if isinstance(self._clips, str):
            raise NgatuError(self._clips)
        return self._clips

    def halt(self, pauses: Sequence[Pause]) -> None:
        """From now on exactly these are paused."""
        for name, camera in self._cameras.items():
            of_camera = [pause for pause in pauses if pause.camera == name]
            whole = next((pause for pause in of_camera if pause.rule is None), None)
            rules = frozenset(pause.rule for pause in of_camera if pause.rule)
            camera.halt(PauseState(_reason(whole), rules))

    def paused(self) -> list[str]:
        """What is paused now: camera, or camera/rule."""
        return [
            what
            for name, camera in self._cameras.items()
            for what in (
                *([name] if camera.paused.why is not None else []),
                *(f"{name}/{rule}" for rule in sorted(camera.paused.rules)),
            )
        ]

    def may_leave(self, verb: Verb) -> None:
        """Judge whether the agent can begin anew as `verb` (reload or restart) wants it, before it stops.

        A service that cannot goes back to its last good configuration, or is started again until it can. By
        hand nobody does either, so what would keep it from beginning anew is looked at here.

        Raises:
            ConfigError: the configuration as it lies there now is wrong.
            NgatuError: it could not begin anew.
        """
        by_hand = not relaunch.is_service()
        if by_hand:
            relaunch.check()
        if self._chosen is None and verb is Verb.RELOAD:
            raise NgatuError("this box was not started from a file")
        if self._chosen is None or not (by_hand or verb is Verb.RELOAD):
            return
        config = load(self._chosen.path)
        if by_hand and config.detects:
            load_detector(config.detector).close()

    def restarted(self, verb: str) -> tuple[bool, dict[str, Any]]:
        """Whether this run began as `verb` wanted it, and what to tell of it."""
        result = {"config_sha256": config_sha256(self._config)}
        refused = self._chosen.refused if self._chosen else None
        if verb == "reload" and refused is not None:
            return False, {**result, "why": f"the last good configuration is kept: {refused}"}
        return True, result

    def leave(self) -> None:
        """Stop in order, and be started again."""
        self._leave()


def _reason(pause: Pause | None) -> str | None:
    if pause is None:
        return None
    return f"paused by {pause.issuer} until {rfc3339(moment(Instant(0.0, pause.until_s)))}"
