"""What a box can be asked for: each verb with its arguments, judged alike by who sends and by who does.

What is wrong with an argument is said in words that name it, what was given, and what there is instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.printable import printable
from agent.settings.base import NAME_IN_WORDS, Name
from agent.wire.payloads import Time


class Verb(StrEnum):
    """The last level of a command's topic."""

    PING = "ping"
    SNAPSHOT = "snapshot"
    SET = "set"
    RELOAD = "reload"
    RESTART = "restart"


GIVEN_LETTERS: Final = 40
"""Of what was given, in a message about it."""
MOST_FAULTS: Final = 3
"""Told of one command; a hostile one may have thousands."""


class Args(BaseModel):
    """What a verb needs. Unlike elsewhere on the wire, an unknown field is refused: half a command is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PingArgs(Args):
    """An answer."""


class SnapshotArgs(Args):
    """One picture of a camera, now."""

    camera: Name = Field(examples=["NAME"])


class SetArgs(Args):
    """Pause or resume a camera, or one of its rules."""

    camera: Name = Field(examples=["NAME"])
    rule: Name | None = Field(None, examples=["ID"])
    action: Literal["pause", "resume"]
    until: Time | None = Field(None, examples=["TIME"])
    """When a pause ends by itself."""

    @model_validator(mode="after")
    def _a_pause_ends(self) -> Self:
        if (self.action == "pause") != (self.until is not None):
            raise ValueError("action=pause needs until, and action=resume has none")
        return self


class ReloadArgs(Args):
    """Judge the configuration file anew, and start with it: the new one lies where the old one lay."""


class RestartArgs(Args):
    """Stop in order, and start again."""


VERBS: Final[dict[Verb, type[Args]]] = {
    Verb.PING: PingArgs,
    Verb.SNAPSHOT: SnapshotArgs,
    Verb.SET: SetArgs,
    Verb.RELOAD: ReloadArgs,
    Verb.RESTART: RestartArgs,
}


def usage(verb: Verb) -> str:
    """The verb with its arguments as one types them: `set camera=NAME [rule=ID] action=pause|resume …`."""
    words = [str(verb)]
    for name, field in VERBS[verb].model_fields.items():
        choice = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        word = f"{name}={'|'.join(choice) or (field.examples or ['…'])[0]}"
        words.append(word if field.is_required() else f"[{word}]")
    return " ".join(words)


def understood(verb: Verb, given: Mapping[str, Any]) -> Args | str:
    """The arguments of a verb, or what is wrong with them, in words for whoever sent them."""
    model = VERBS[verb]
    try:
        # As JSON: a time is a text there, and a number is none.
        return model.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        return "; ".join(
            _in_words(verb, detail["loc"], detail["type"], detail) for detail in details[:MOST_FAULTS]
        )
    except (ValueError, RecursionError):
        return "args: numbers too long, or too many levels"


def _in_words(verb: Verb, loc: tuple[int | str, ...], kind: str, detail: Mapping[str, Any]) -> str:
    fields = VERBS[verb].model_fields
    if not loc:  # what several arguments are together: our own words, behind pydantic's
        return f"{verb}: {str(detail['msg']).removeprefix('Value error, ')}"
    name = printable(str(loc[0]))[:GIVEN_LETTERS]
    if kind == "extra_forbidden":
        takes = f"it takes {', '.join(fields)}" if fields else "it takes no argument"
        return f"{verb} has no argument {name}; {takes}"
    if kind == "missing":
        return f"{verb} needs {name}; write {usage(verb)}"
    shown = printable(json.dumps(detail["input"], ensure_ascii=False)[:GIVEN_LETTERS])
    choice = get_args(fields[name].annotation)
    if get_origin(fields[name].annotation) is Literal:
        return f"{name}: {shown} is not {' or '.join(choice)}"
    if name == "until":
        return f"{name}: {shown} is no time with its zone, such as 2026-03-02T18:00:00+07:00"
    return f"{name}: {shown} is not {NAME_IN_WORDS}"
