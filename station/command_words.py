"""From the words of a command line to an order that a box understands, and from its answer to words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agent.errors import NgatuError, UsageError, WireError
from agent.printable import printable
from agent.settings.access import user_name
from agent.settings.quoting import nearest
from agent.translatable import joined, tr
from agent.wire.payloads import AckBody
from agent.wire.topics import Topics
from agent.wire.verbs import VERBS, Verb, typed, understood, usage
from agent.wire.words import ANSWERS, named
from station.command import CommandReply

UNITS: Final = {"m": 60, "h": 3600, "d": 86400}
EXAMPLE: Final = tr("write camera=north, action=pause, until=+30m")
TIMES: Final = tr("write until=+30m, +2h, +7d, or a time with its zone such as 2026-03-02T18:00:00+07:00")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent: a verb with arguments that it takes."""

    verb: Verb
    args: dict[str, Any]


def order(verb: str, words: Sequence[str]) -> Order:
    """The order that a verb and its `key=value` words make; nothing was sent yet.

    Raises:
        UsageError: there is no such verb, or it does not take these arguments; the text lists what there is.
    """
    if verb not in VERBS:
        near = nearest(verb, list(VERBS))
        none = tr("there is no order {verb}", verb=repr(printable(verb)))
        raise UsageError(joined("; ", filter(None, (none, near))), _all_orders())
    known = Verb(verb)
    if known is Verb.CLIP:  # its pieces are taken only of what was noted here before
        raise UsageError(
            tr("a clip is not ordered so: the station has to note first what it asks for"),
            tr("write: ngatu clip BOX CAMERA --from 18:00 --to 18:02 …"),
        )
    if known is Verb.SAMPLES:  # the same
        raise UsageError(
            tr("frames for training are not ordered so: the station has to note first what it asks for"),
            tr("write: ngatu station samples BOX --purpose … --officer …"),
        )
    args = typed(known, arguments(words))
    wrong = understood(known, args)
    if isinstance(wrong, str):
        raise UsageError(wrong, TIMES if wrong.startswith("until") else tr("write {usage}", usage=usage(known)))
    return Order(known, args)


def _all_orders() -> str:
    return joined("\n    ", [tr("the orders are"), *(usage(verb) for verb in VERBS)])


def arguments(words: Sequence[str]) -> dict[str, str]:
    """`key=value` words as arguments; a time may be so many minutes from now: until=+30m.

    Raises:
        UsageError: a word is not of that form, or names an argument again.
    """
    args: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not (key and sign):
            raise UsageError(
                tr("{word} is no argument", word=repr(printable(word))),
                tr("write camera=north, action=pause, until=+30m"),
            )
        if key in args:
            raise UsageError(tr("{key} is given twice", key=printable(key)), tr("name it once"))
        args[key] = _later(value) if key == "until" and value.startswith("+") else value
    return args


def _later(words: str) -> str:
    number, unit = words[1:-1], words[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdigit()) or len(number) > 6:
        raise UsageError(tr("until={words} is no time", words=printable(words)), TIMES)
    at = datetime.now(UTC) + timedelta(seconds=int(number) * UNITS[unit])
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def topics(commune: str, box: str, root: str) -> Topics:
    """Where the box is spoken to.

    Raises:
        UsageError: no box can be called so.
    """
    try:
        return Topics(commune, box, root)
    except WireError as error:
        raise UsageError(error.what, error.hint) from None


def may_save(file: Path, verb: Verb) -> None:
    """Whether the order has a picture and it could be written there, looked at before anything is sent.

    Raises:
        UsageError: it has none, or it could not.
    """
    if verb is not Verb.SNAPSHOT:
        raise UsageError(
            tr("--save: {verb} has no picture", verb=verb), tr("only {snapshot} has", snapshot=Verb.SNAPSHOT)
        )
    folder = file.parent
    if file.is_dir():
        raise UsageError(
            tr("--save: {file} is a folder", file=file),
            tr("name a file in it, such as {file}", file=file / "north.jpg"),
        )
    if not folder.is_dir():
        raise UsageError(
            tr("--save: there is no folder {folder}", folder=folder),
            tr("make it: mkdir -p {folder}", folder=folder),
        )
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise UsageError(
            tr("--save: {file} may not be written", file=file),
            tr("name another file, or ask whose folder it is"),
        )


def save(file: Path, picture: bytes | None, kept: Callable[[], bytes | None]) -> None:
    """Write the picture that came, or the one that the station keeps; nothing while there is neither.

    Raises:
        NgatuError: it could not be read or written.
    """
    try:
        if picture is None:
            picture = kept()
        if picture is not None:
            file.write_bytes(picture)
    except OSError as error:
        raise NgatuError(
            tr("--save: {file}: {reason}", file=file, reason=error.strerror or error),
            tr("the station keeps it all the same"),
        ) from error


def shown(answered: CommandReply) -> str:
    """The last word of the box in a line."""
    if not answered.answers:
        unless = "" if answered.session is None else tr(", unless it is started again before")
        return tr(
            "{id}: no answer yet; the box does it when it comes, until the command expires{unless}",
            id=answered.id,
            unless=unless,
        )
    last = answered.answers[-1]
    words = [
        tr("{id}: {state}", id=answered.id, state=named(ANSWERS, last.state)),
        f": {last.detail}" if last.detail else "",
        f" {json.dumps(_shown(last.result), ensure_ascii=False)}" if last.result else "",
    ]
    return printable(joined("", words))


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    """Without what nobody reads: the station keeps the hash of the line under the seals."""
    return {name: value for name, value in result.items() if name != "audit_sha256"}


def picture_words(answered: CommandReply, sha256: str, is_kept: bool | None, waited_s: float) -> str:
    """How it stands with the picture that the answer promises, at the station.

    `is_kept`: whether the station has it, None: this user may not look. `waited_s`: how long it was waited for.
    """
    if is_kept:
        return tr("its picture: {sha256}, kept by the station", sha256=sha256)
    if is_kept is None:
        return tr(
            "its picture, once the station has kept it: {sha256}; user {user} may not look there",
            sha256=sha256,
            user=user_name(),
        )
    if answered.picture is None:
        return tr(
            "its picture has not come within {waited_s:g} s: boxes hold pictures back while the "
            "station is away; once it has come, it is {sha256}",
            waited_s=waited_s,
            sha256=sha256,
        )
    return tr(
        "its picture came, but the station has not kept it yet: is `ngatu station` at work, "
        "on this machine? once it has, it is {sha256}; --save FILE keeps what comes here",
        sha256=sha256,
    )


def promised(answered: CommandReply) -> str | None:
    """The sha256 of the picture that the answer promises."""
    last: AckBody | None = answered.answers[-1] if answered.answers else None
    sha256 = last.result.get("sha256") if last is not None and last.state == "done" else None
    return sha256 if isinstance(sha256, str) and len(sha256) == 64 and sha256.isalnum() else None
