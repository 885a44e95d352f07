"""Asks a box for footage: the request is on disk before the order goes out, so that its pieces are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import BrokerUnreachable, NgatuError, UsageError
from agent.settings.access import user_name
from agent.translatable import tr
from agent.wire.payloads import InfoPayload, rfc3339
from agent.wire.verbs import ClipArgs, Verb, understood
from station import command
from station.command import CommandReply
from station.command_words import topics
from station.config import StationConfig
from station.footage.folder import (
    FOOTAGE,
    F,
    FootageFolder,
    FootageRequest,
    FootageStage,
    FootageState,
    PackageFolder,
    PackageFolders,
    RequestFolder,
    remove,
    write_whole,
)
from station.footage.package_key import known_pem, told_pem
from station.footage.wanted import ClipWanted
from station.ingest.settings import SubscriberSettings

SHORTEST: Final = 4
ENDED: Final = (
    FootageStage.COMPLETE,
    FootageStage.REFUSED,
    FootageStage.FAILED,
    FootageStage.RELEASED,
    FootageStage.DELETED,
)


@dataclass(frozen=True, slots=True)
class Sending:
    """How the order goes out."""

    life_s: float
    wait_s: float
    key: Ed25519PrivateKey | None


def folders(config: StationConfig) -> FootageFolder:
    """The requests of this station."""
    return FootageFolder(config.state_dir.absolute() / FOOTAGE)


def ask(config: StationConfig, wanted: ClipWanted, how: Sending) -> tuple[RequestFolder, CommandReply]:
    """Note the request, send the order, wait for its answer.

    Raises:
        UsageError: the box would not understand it; nothing was sent.
        NgatuError: the request cannot be noted, or the order did not go out.
    """
    args = {
        "camera": wanted.camera,
        "from": rfc3339(wanted.from_time),
        "to": rfc3339(wanted.to_time),
        "case_number": wanted.case_number,
        "purpose": wanted.purpose,
        "officer": wanted.officer,
    }
    read = understood(Verb.CLIP, args)
    if not isinstance(read, ClipArgs):
        raise UsageError(str(read), tr("`ngatu clip --help` says what is asked for"))
    made: list[RequestFolder] = []

    def note(request_id: str, info: InfoPayload | None) -> None:
        _recorded(wanted, info)
        request = FootageRequest(
            id=request_id,
            commune=config.commune,
            device=wanted.box,
            camera=wanted.camera,
            from_time=wanted.from_time,
            to_time=wanted.to_time,
            case_number=read.case_number,
            purpose=read.purpose,
            officer=read.officer,
            issuer=wanted.issuer,
            asked_at=datetime.now(UTC),
        )
        try:
            made.append(folders(config).new(request, known_pem(config, wanted.box) or told_pem(info)))
        except OSError as error:
            raise not_noted(error) from None

    def keep(body: bytes) -> None:
        try:
            write_whole(made[0].order, body, like=made[0].path)
        except OSError as error:
            raise not_noted(error) from None

    with unless_sent(made):
        answered = send(config, wanted.box, Verb.CLIP, args, wanted.issuer, how, note, keep, wanted.name)
    return made[0], answered


def ask_again(config: StationConfig, folder: RequestFolder, how: Sending) -> None:
    """Send the order of a request once more, word for word: a box that has it does nothing twice.

    Raises:
        NgatuError: it did not go out, or cannot be read.
    """
    try:
        body = folder.order.read_bytes()
    except OSError as error:
        raise not_noted(error) from None
    own, names = _connection(config), topics(config.commune, folder.request.device, config.broker.root)
    command.send_again(own, names, Verb.CLIP, body, how.life_s)


@contextmanager
def unless_sent(noted: Sequence[PackageFolder]) -> Iterator[None]:
    """What was noted in the block is gone again where the order did surely not go out."""
    try:
        yield
    except BrokerUnreachable:
        raise  # it may have gone out
    except NgatuError:
        for folder in noted:
            remove(folder.path)
        raise


def not_noted(error: OSError) -> NgatuError:
    """A request could not be noted in the station's folder."""
    return NgatuError(
        tr("{path}: {reason}", path=error.filename, reason=error.strerror or error),
        tr("be the station's user, on its host: sudo -u ngatu-station; you are {user}", user=user_name()),
    )


def release(config: StationConfig, folder: PackageFolder, issuer: str, how: Sending) -> CommandReply:
    """Have the box end the hold of what was asked for, and what it still has to send of it.

    Raises:
        NgatuError: the order did not go out.
    """
    args = {"request": folder.request.id}
    return send(config, folder.request.device, Verb.RELEASE, args, issuer, how, None)


def find(config: StationConfig, request_id: str) -> RequestFolder:
    """A request by its id, or by what it ends with: SHORTEST letters at least.

    Raises:
        UsageError: there is none, or more than one.
    """
    return found_in(folders(config), request_id, tr("`ngatu clip --list` shows them"))


def found_in(folders: PackageFolders[F], request_id: str, hint: str) -> F:
    """The same among requests of any kind.

    Raises:
        UsageError: there is none, or more than one; `hint` says where they are listed.
    """
    every = list(folders.every())
    found = [each for each in every if each.request.id == request_id]
    if not found and len(request_id) >= SHORTEST:
        found = [each for each in every if each.request.id.endswith(request_id)]
    if len(found) != 1:
        what = (
            tr("there is no request {id}", id=request_id)
            if not found
            else tr("{id}: more than one", id=request_id)
        )
        raise UsageError(what, hint)
    return found[0]


def follow(
    folder: PackageFolder, tell: Callable[[FootageState], object], turn: Callable[[float], object]
) -> FootageState:
    """Wait until it is here, or never will be; `tell` is told each change, `turn` called between two looks."""
    before: FootageState | None = None
    while True:
        state = folder.state()
        if state != before:
            tell(state)
            before = state
        if state.stage in ENDED:
            return state
        turn(0.3)


def send(
    config: StationConfig,
    box: str,
    verb: Verb,
    args: dict[str, Any],
    issuer: str,
    how: Sending,
    before: command.Before | None,
    written: command.Written | None = None,
    name: str | None = None,
) -> CommandReply:
    """Send an order and wait for its answer; `before` is called just before it goes out (command.py).

    Raises:
        NgatuError: it did not go out.
    """
    return command.send(
        _connection(config),
        topics(config.commune, box, config.broker.root),
        verb,
        args,
        issuer=issuer,
        life_s=how.life_s,
        wait_s=how.wait_s,
        key=how.key,
        before=before,
        written=written,
        name=name,
    )


def _connection(config: StationConfig) -> SubscriberSettings:
    """One of its own, beside the station's."""
    update = {"client_id": f"ngatu-command-{uuid4().hex[:12]}"}
    return config.subscriber(receipts=False).model_copy(update=update)


def _recorded(wanted: ClipWanted, info: InfoPayload | None) -> None:
    """Whether the box has such a camera, as far as it has told.

    Raises:
        UsageError: it has not.
    """
    names = [camera.id for camera in info.cameras] if info is not None else []
    if info is not None and wanted.camera not in names:
        raise UsageError(
            tr("{box} has no camera {camera}", box=wanted.box, camera=wanted.camera),
            tr("it has {names}", names=", ".join(names)),
        )
