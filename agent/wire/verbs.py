"""What a box can be asked for: each verb with its arguments, judged alike by who sends and by who does.

What is wrong with an argument is said in words that name it, what was given, and what there is instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from agent.printable import printable
from agent.settings.base import NAME_IN_WORDS, Name
from agent.translatable import joined, tr
from agent.wire.payloads import Id, Time


class Verb(StrEnum):
    """The last level of a command's topic."""

    PING = "ping"
    SNAPSHOT = "snapshot"
    SET = "set"
    LOOK = "look"
    RELOAD = "reload"
    RESTART = "restart"
    CLIP = "clip"
    RELEASE = "release"
    SAMPLES = "samples"


GIVEN_LETTERS: Final = 40
"""Of what was given, in a message about it."""
MOST_FAULTS: Final = 3
"""Told of one command; a hostile one may have thousands."""
TIMES: Final = ("until", "from", "to", "since")
"""Arguments that are moments."""


class Args(BaseModel):
    """What a verb needs. Unlike elsewhere on the wire, an unknown field is refused: half a command is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


OFFICER_LETTERS: Final = 100
PURPOSE_LETTERS: Final = 300
CASE_LETTERS: Final = 100
MOST_SAMPLES: Final = 2000
"""Frames for training of one order: more than four cameras give in a week (docs/guide/collect.md)."""
MAX_CLIP_S: Final = 3600.0
"""The longest clip; who needs more asks for the next hour, too."""
LOOK_S: Final = 60
"""The longest look: what is wanted for longer is a clip."""
LOOK_PER_S: Final = 2.0
LOOK_OLDEST_S: Final = 5.0
"""A picture that is older is not what a camera sees now: nobody hands it on, and nobody shows it as that."""
PAUSE: Final = tr("action=pause needs until, and action=resume has none")
RANGE: Final = tr("from must be before to, and at most an hour before it")
_TOGETHER: Final = (PAUSE, RANGE)


Officer = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=OFFICER_LETTERS),
    AfterValidator(printable),
]
Purpose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=PURPOSE_LETTERS),
    AfterValidator(printable),
]
CaseNumber = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=CASE_LETTERS),
    AfterValidator(printable),
]


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
            raise ValueError(PAUSE)
        return self


class LookArgs(Args):
    """Small pictures of a camera, as it is now, for a minute at most."""

    camera: Name = Field(examples=["NAME"])
    seconds: int = Field(ge=1, le=LOOK_S, examples=["20"])
    per_second: float = Field(LOOK_PER_S, ge=0.1, le=LOOK_PER_S, examples=["2"])
    officer: str = Field(min_length=1, max_length=OFFICER_LETTERS, examples=["OFFICER"])
    """Who looks; stands in the audit log of the box."""
    purpose: str = Field(min_length=1, max_length=PURPOSE_LETTERS, examples=["PURPOSE"])
    """What for; stands there, too."""


class ReloadArgs(Args):
    """Judge the configuration file anew, and start with it: the new one lies where the old one lay."""


class RestartArgs(Args):
    """Stop in order, and start again."""


class ClipArgs(Args):
    """Footage of a camera from one moment to another: held at once, cut, and sent behind everything else."""

    camera: Name = Field(examples=["NAME"])
    from_time: Time = Field(alias="from", examples=["TIME"])
    to_time: Time = Field(alias="to", examples=["TIME"])
    case_number: CaseNumber = Field(examples=["NUMBER"])
    purpose: Purpose = Field(examples=["PURPOSE"])
    officer: Officer = Field(examples=["OFFICER"])
    """Who asks; the command's issuer is who sent it."""

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if not 0 < (self.to_time - self.from_time).total_seconds() <= MAX_CLIP_S:
            raise ValueError(RANGE)
        return self


class ReleaseArgs(Args):
    """End the hold of a clip, or an order for frames, and what is still to be sent of it."""

    request: Id = Field(examples=["ID"])
    """The id of the command that asked for it."""


class SamplesArgs(Args):
    """The frames for training that the box keeps: those that teach most, sent behind everything else."""

    since: Time | None = Field(None, examples=["TIME"])
    """Only those taken since then."""
    most: int = Field(MOST_SAMPLES, ge=1, le=MOST_SAMPLES, examples=["500"])
    purpose: Purpose = Field(examples=["PURPOSE"])
    officer: Officer = Field(examples=["OFFICER"])
    """Who orders; the command's issuer is who sent it."""


VERBS: Final[dict[Verb, type[Args]]] = {
    Verb.PING: PingArgs,
    Verb.SNAPSHOT: SnapshotArgs,
    Verb.SET: SetArgs,
    Verb.LOOK: LookArgs,
    Verb.RELOAD: ReloadArgs,
    Verb.RESTART: RestartArgs,
    Verb.CLIP: ClipArgs,
    Verb.RELEASE: ReleaseArgs,
    Verb.SAMPLES: SamplesArgs,
}


def arguments(verb: Verb) -> dict[str, FieldInfo]:
    """The arguments of a verb by the names that they have on the wire, in their order."""
    return {field.alias or name: field for name, field in VERBS[verb].model_fields.items()}


ALLOWED: Final = {
    "most": tr("a whole number from 1 to {most}", most=MOST_SAMPLES),
    "seconds": tr("a whole number from 1 to {most}", most=LOOK_S),
    "per_second": tr("a number from 0.1 to {most:g}", most=LOOK_PER_S),
    "officer": tr("a name of 1 to {most} letters", most=OFFICER_LETTERS),
    "purpose": tr("words, 1 to {most} letters", most=PURPOSE_LETTERS),
    "case_number": tr("words, 1 to {most} letters", most=CASE_LETTERS),
}
"""What an argument may be, where it is no name."""


def typed(verb: Verb, words: Mapping[str, str]) -> dict[str, Any]:
    """Arguments as one types them, the numbers among them as numbers; what is none stays for `understood`."""
    fields = arguments(verb)
    return {
        name: _number(word) if name in fields and fields[name].annotation in (int, float) else word
        for name, word in words.items()
    }


def _number(word: str) -> Any:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(word)
    return word


def usage(verb: Verb) -> str:
    """The verb with its arguments as one types them: `set camera=NAME [rule=ID] action=pause|resume …`."""
    words = [str(verb)]
    for name, field in arguments(verb).items():
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
        return joined(
            "; ", (_in_words(verb, detail["loc"], detail["type"], detail) for detail in details[:MOST_FAULTS])
        )
    except (ValueError, RecursionError):
        return tr("args: numbers too long, or too many levels")


def _in_words(verb: Verb, loc: tuple[int | str, ...], kind: str, detail: Mapping[str, Any]) -> str:
    fields = arguments(verb)
    if not loc:  # what several arguments are together: our own words, behind pydantic's
        said = str(detail["msg"]).removeprefix("Value error, ")
        return tr("{verb}: {said}", verb=verb, said=next((ours for ours in _TOGETHER if ours == said), said))
    name = printable(str(loc[0]))[:GIVEN_LETTERS]
    if kind == "extra_forbidden":
        takes = tr("it takes {names}", names=", ".join(fields)) if fields else tr("it takes no argument")
        return tr("{verb} has no argument {name}; {takes}", verb=verb, name=name, takes=takes)
    if kind == "missing":
        return tr("{verb} needs {name}; write {usage}", verb=verb, name=name, usage=usage(verb))
    return _misfit(fields[name], name, detail)


def _misfit(field: FieldInfo, name: str, detail: Mapping[str, Any]) -> str:
    """What is wrong with the value of an argument."""
    shown = printable(json.dumps(detail["input"], ensure_ascii=False)[:GIVEN_LETTERS])
    choice = get_args(field.annotation)
    if get_origin(field.annotation) is Literal:
        return tr("{name}: {shown} is not {choice}", name=name, shown=shown, choice=joined(tr(" or "), choice))
    if name in TIMES:
        return tr(
            "{name}: {shown} is no time with its zone, such as 2026-03-02T18:00:00+07:00",
            name=name,
            shown=shown,
        )
    allowed = ALLOWED.get(name, NAME_IN_WORDS)
    return tr("{name}: {shown} is not {allowed}", name=name, shown=shown, allowed=allowed)
