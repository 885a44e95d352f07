"""Orders frames for training of a box: the order is on disk before it goes out, so that they are taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from agent.errors import UsageError
from agent.translatable import tr
from agent.wire.payloads import InfoPayload, rfc3339
from agent.wire.verbs import MOST_SAMPLES, SamplesArgs, Verb, understood
from station.command import CommandReply
from station.config import StationConfig
from station.footage.ask import Sending, found_in, not_noted, send, unless_sent
from station.footage.package_key import known_pem, told_pem
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders, SampleRequest


@dataclass(frozen=True, slots=True)
class SamplesWanted:
    """What is to be ordered, and by whom."""

    box: str
    purpose: str
    officer: str
    issuer: str
    """Who sends the order."""
    since: datetime | None = None
    """Only frames taken since then; None: all."""
    most: int = MOST_SAMPLES


def orders(config: StationConfig) -> SampleFolders:
    """The orders for frames of this station."""
    return SampleFolders(config.state_dir.absolute() / SAMPLES)


def order(config: StationConfig, wanted: SamplesWanted, how: Sending) -> tuple[SampleFolder, CommandReply]:
    """Note the order, send it, wait for its answer.

    Raises:
        UsageError: the box would not understand it; nothing was sent.
        NgatuError: the order cannot be noted, or did not go out.
    """
    args: dict[str, Any] = {"most": wanted.most, "purpose": wanted.purpose, "officer": wanted.officer}
    if wanted.since is not None:
        args["since"] = rfc3339(wanted.since)
    read = understood(Verb.SAMPLES, args)
    if not isinstance(read, SamplesArgs):
        raise UsageError(str(read), tr("`ngatu station samples --help` says what is asked for"))
    made: list[SampleFolder] = []
    clean = replace(wanted, purpose=read.purpose, officer=read.officer)

    def note(order_id: str, info: InfoPayload | None) -> None:
        made.append(note_order(config, clean, order_id, info))

    with unless_sent(made):
        answered = send(config, wanted.box, Verb.SAMPLES, args, wanted.issuer, how, note)
    return made[0], answered


def note_order(
    config: StationConfig, wanted: SamplesWanted, order_id: str, info: InfoPayload | None
) -> SampleFolder:
    """Note an order that is about to go out; `info` is the box's birth message.

    Raises:
        NgatuError: it cannot be noted; then it is not to go out.
    """
    request = SampleRequest(
        id=order_id,
        commune=config.commune,
        device=wanted.box,
        purpose=wanted.purpose,
        officer=wanted.officer,
        issuer=wanted.issuer,
        asked_at=datetime.now(UTC),
        since=wanted.since,
        most=wanted.most,
    )
    try:
        return orders(config).new(request, known_pem(config, wanted.box) or told_pem(info))
    except OSError as error:
        raise not_noted(error) from None


def find_order(config: StationConfig, order_id: str) -> SampleFolder:
    """An order by its id, or by what it ends with.

    Raises:
        UsageError: there is none, or more than one.
    """
    return found_in(orders(config), order_id, tr("`ngatu station samples --list` shows them"))
