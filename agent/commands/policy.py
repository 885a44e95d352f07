"""Commands of the station, read and judged: what is asked, by whom, and may it be done now. Pure.

Nothing here is done yet: journal.py remembers commands so that each is done once, agent/workers/commands.py
does them.
Whatever the bytes, `read` gives a Command or a Refusal; the first reason that is found is told.

By which clock a command expires
    Its times are the station's. While somebody vouches for the box's clock, the two are compared. While nobody
    does, no command is refused for what the box's clock shows; what speaks against an old one then is (a) the
    broker, which drops what has expired in its queue (MQTT 5, Message Expiry), (b) a lower bound of the true
    time, the floor of FlooredClock: whatever ends before it has surely ended, and (c) the journal, which does
    nothing twice and refuses what was issued before all that it remembers.

For which life of the agent it is
    The journal lies on the card, and a card can be changed, put back, or doubled: then it does not know what
    was done. So a signed command names the life of the agent that it is for, and no other life does it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field

from agent.errors import WireError
from agent.settings.base import Settings
from agent.wire import codec
from agent.wire.payloads import CommandPayload, Id, Payload
from agent.wire.signature import is_genuine
from agent.wire.topics import Topics
from agent.wire.verbs import VERBS, Args, SetArgs, Verb, understood

MAX_BYTES: Final = 8 * 1024
"""No command is nearly as large; what is larger is not even read."""
MAX_LIFE_S: Final = 7 * 86400.0
"""As long as a broker keeps messages for a box that is away."""
AHEAD_S: Final = 300.0
"""How far the station's clock may be ahead of a trusted one of the box."""
MAX_PAUSE_S: Final = 30 * 86400.0
"""A pause that nobody remembers must not blind a camera for ever."""
ISSUER_LETTERS: Final = 200


class CommandSettings(Settings):
    """Whose commands the box obeys."""

    key: Path | None = Field(
        None,
        description="The station's public key for commands (Ed25519, PEM): then only signed ones are done. "
        "Without it the broker's access rules decide who may command.",
    )


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be understood; whether it is in time and new is judged beside it."""

    id: str
    verb: Verb
    args: Args
    issuer: str
    issued_s: float
    """By the station's wall clock, as is `expires_s`."""
    expires_s: float
    sha256: str
    """Of verb and payload: the same id with another content is no repetition."""
    session: str | None = None
    """The life of the agent that it is for; None: any."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is done."""

    why: str
    verb: str
    id: str | None = None
    """None: it bears no id that could be answered."""
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class KnownTime:
    """What the box knows of the time."""

    wall_s: float
    """Trusted: the time. Else a lower bound of it."""
    trusted: bool


def read(
    topic: str, payload: bytes, retained: bool, topics: Topics, key: Ed25519PublicKey | None = None
) -> Command | Refusal:
    """What a message below command/ asks for; with the station's `key`, only if the station has signed it."""
    verb = topics.read("station", topic)[1].get("verb", "")
    known = Verb(verb) if verb in VERBS else None
    shown = known or "unknown"
    if len(payload) > MAX_BYTES:
        return Refusal(f"too large: {len(payload)} bytes, the limit is {MAX_BYTES}", shown)
    try:
        message = codec.parse(CommandPayload, payload)
    except WireError as error:
        return Refusal(f"malformed: {error.what}"[:500], shown, _legible_id(payload))
    issuer = message.issuer[:ISSUER_LETTERS]
    why = _barred(message, payload, retained, topics.device, verb, key)
    if known is None or why is not None:
        return Refusal(why or "", shown, message.id, issuer)
    args = understood(known, message.args)
    if isinstance(args, str):
        return Refusal(args[:500], shown, message.id, issuer)
    return Command(
        message.id,
        known,
        args,
        issuer,
        message.issued_at.timestamp(),
        message.expires_at.timestamp(),
        hashlib.sha256(verb.encode() + b"\0" + payload).hexdigest(),
        message.session,
    )


class _BearsId(Payload):
    """As much of a command as an answer needs."""

    id: Id


def _legible_id(payload: bytes) -> str | None:
    """The id of what is no command, if it is a JSON object that has one: that alone is taken of it."""
    try:
        return codec.parse(_BearsId, payload).id
    except WireError:
        return None


def _barred(
    message: CommandPayload,
    payload: bytes,
    retained: bool,
    device: str,
    verb: str,
    key: Ed25519PublicKey | None,
) -> str | None:
    """Why it is not even looked at; None: it may be."""
    if verb not in VERBS:
        return f"there is no command {verb[:40]!r}; there are {', '.join(VERBS)}"
    if retained:  # it would come again with each connection, for ever
        return "retained: publish commands without retain"
    if key is not None and message.signature is None:
        return "unsigned: this box does only what its station has signed"
    if key is not None and not is_genuine(payload, device, verb, key):
        return "the signature is not the station's"
    return None


def untimely(command: Command, now: KnownTime) -> str | None:
    """Why the command may not be done now, as far as its times say; None: it may."""
    if command.expires_s <= command.issued_s:
        return "it expires before it was issued"
    if command.expires_s - command.issued_s > MAX_LIFE_S:
        return "it would hold for more than seven days"
    if now.wall_s >= command.expires_s:  # untrusted: a lower bound of the time, so this holds all the more
        return "expired"
    if now.trusted and command.issued_s > now.wall_s + AHEAD_S:
        return "issued in the future: compare the clocks of box and station"
    if isinstance(command.args, SetArgs) and command.args.until is not None:
        lasts_s = command.args.until.timestamp() - command.issued_s
        if not 0 < lasts_s <= MAX_PAUSE_S:
            return "a pause ends after it was commanded, and within thirty days"
    return None


def for_another_life(command: Command, session: str, signed: bool) -> str | None:
    """Why this life of the agent may not take the command as new; None: it may.

    `session` is this life, which nobody could foresee. `signed`: only what is signed is done here, so what was
    signed once must not be worth anything to a life that may have forgotten it.
    """
    if command.session is None and signed:
        return "it names no session, so it could be done twice: send it with a newer ngatu station command"
    if command.session not in (None, session):
        return (
            "it is for another session of this box, which was started again since, or whose card was changed "
            "or doubled: if it is still wanted, send it anew"
        )
    return None


@dataclass(frozen=True, slots=True)
class Pause:
    """A camera, or one of its rules, that is not to be watched for a while."""

    camera: str
    rule: str | None
    until_s: float
    """By the station's clock."""
    boot_id: str
    """The boot in which it was commanded."""
    until_mono_s: float
    """The same end by the steady clock of that boot."""
    issuer: str

    def in_force(self, mono_s: float, boot_id: str, now: KnownTime) -> bool:
        """Whether it still holds.

        In the boot of its command the steady clock decides, whatever the wall clock does. After another boot
        only a trusted clock can tell: until it can, the camera is watched.
        """
        if self.boot_id == boot_id:
            return mono_s < self.until_mono_s
        return now.trusted and now.wall_s < self.until_s

    def over(self, mono_s: float, boot_id: str, now: KnownTime) -> bool:
        """Whether it has surely ended and can be forgotten."""
        if self.boot_id == boot_id:
            return mono_s >= self.until_mono_s
        return now.wall_s >= self.until_s


def pause(command: Command, args: SetArgs, mono_s: float, boot_id: str, now: KnownTime) -> Pause:
    """The pause that the command asks for; without a trusted clock, as long from now on as the command says."""
    assert args.until is not None
    until_s = args.until.timestamp()
    left_s = until_s - (now.wall_s if now.trusted else command.issued_s)
    return Pause(args.camera, args.rule, until_s, boot_id, mono_s + max(0.0, left_s), command.issuer)
