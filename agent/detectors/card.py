"""The model card: everything about a network that its file does not say.

A card is a YAML file beside the .onnx, of the same stem. See docs/guide/models.md for each field.
"""

from __future__ import annotations

import hashlib
import reprlib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from agent.core.types import Size
from agent.detectors.heads import Head
from agent.detectors.heads.found import logit
from agent.detectors.judgement import CardJudgement, DataFacts
from agent.detectors.labels import BUILT_IN, ROAD_USERS
from agent.detectors.settings import Score
from agent.errors import ModelError
from agent.settings.base import Settings
from agent.translatable import joined, tr

SURE = 0.6
"""The tracker's bar for a strong detection; at this score three of four boxes of YOLOX-nano are right."""

SHOWN = 100
"""Labels in a hint."""
MAX_BYTES = 64 * 1024
"""Of a card, and of a list of labels: a thousand labels are a quarter of it."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2  # a few lines of YAML may stand for millions of values
_SHORT.maxstring = _SHORT.maxother = 80

Triple = tuple[float, float, float]
UnitScore = Annotated[float, Field(gt=0, lt=1)]


class Input(Settings):
    """What the network sees."""

    width_px: int = Field(ge=32, le=4096, description="Width in pixels.")
    height_px: int = Field(ge=32, le=4096, description="Height in pixels.")


class Card(Settings):
    """One model: how pictures go in, how boxes come out, and where it came from."""

    name: str = Field(min_length=1, description="The model's name, told with every event.")
    input: Input = Field(description="Size of the network's input.")
    layout: Literal["nchw", "nhwc"] = Field("nchw", description="Order of the axes.")
    resize: Literal["letterbox_top_left", "letterbox_centre", "stretch"] = Field(
        description="How a picture of another shape is brought in."
    )
    pad: int = Field(114, ge=0, le=255, description="Grey of the letterbox.")
    channels: Literal["bgr", "rgb"] = Field(description="Order of the colours.")
    scale: float = Field(1.0, gt=0, description="Each pixel (0..255) is multiplied by this first.")
    mean: Triple = Field((0.0, 0.0, 0.0), description="Then this is subtracted, per channel.")
    std: Triple = Field((1.0, 1.0, 1.0), description="Then it is divided by this, per channel.")
    head: Head = Field(description="Family of the outputs and its constants.")
    labels: str | tuple[str, ...] = Field(
        "coco80", description="coco80, coco91, a file of one label a line, or the list."
    )
    keep: tuple[str, ...] = Field(ROAD_USERS, min_length=1, description="Labels that are told.")
    min_score: Score = Field(0.1, description="Least score that is told; the tracker has its own, higher bar.")
    sure_from: UnitScore = Field(
        SURE,
        description="Score of the network at which three of four boxes are right; it is told as 0.6.",
    )
    label_sure_from: dict[str, UnitScore] = Field(
        {}, description="The same of labels for which it is another score."
    )
    nms_iou: float = Field(0.5, gt=0, le=1, description="Boxes of one label that overlap more are one object.")
    licence: str = Field(min_length=1, description="Of the weights.")
    source: str = Field(min_length=1, description="Where the file came from.")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Of the .onnx file.")
    trained_on: tuple[DataFacts, ...] = Field(
        (), max_length=64, description="Sets of pictures that it was trained on."
    )
    judgement: CardJudgement | None = Field(None, description="What `ngatu models judge` wrote.")

    @property
    def field(self) -> Size:
        """The input's size."""
        return Size(self.input.width_px, self.input.height_px)

    def shift(self, label: str) -> float:
        """What is added to the log-odds of a label's score, so that scores of all networks mean the same."""
        sure_from = self.label_sure_from.get(label, self.sure_from)
        return 0.0 if sure_from == SURE else logit(SURE) - logit(sure_from)

    @property
    def is_plain(self) -> bool:
        """Pixels go in as they are."""
        return self.scale == 1.0 and self.mean == (0.0, 0.0, 0.0) and self.std == (1.0, 1.0, 1.0)


def read_card(path: Path) -> Card:
    """The card in this file, with the labels spelled out.

    Raises:
        ModelError: it cannot be read, is no YAML, or a field is wrong; every wrong field is told.
    """
    try:
        content = yaml.safe_load(_text(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            tr("{path}: the model card cannot be read: {error}", path=path, error=error)
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ModelError(tr("{path}: the model card is not YAML: {error}", path=path, error=error)) from error
    if not isinstance(content, dict):
        raise ModelError(
            tr("{path}: a model card is a list of fields", path=path), tr("docs/guide/models.md shows one.")
        )
    return parse_card(content, path)


def parse_card(content: dict[str, Any], path: Path) -> Card:
    """The card of these fields; `path` is where they stand, for messages and for a file of labels."""
    try:
        card = Card.model_validate(content)
    except ValidationError as error:
        lines = [joined(": ", (str(path), _field(e["loc"]), _mistake(e))) for e in error.errors()]
        raise ModelError(
            joined("\n", lines), tr("docs/guide/models.md explains each field of a card.")
        ) from error
    labels = _labels(card.labels, path)
    for field, named in (("keep", card.keep), ("label_sure_from", tuple(card.label_sure_from))):
        _refuse_unknown(field, named, labels, path)
    return card.model_copy(update={"labels": labels})


def _refuse_unknown(field: str, named: Sequence[str], labels: Sequence[str], path: Path) -> None:
    unknown = [label for label in named if label not in labels]
    if not unknown:
        return
    near = get_close_matches(unknown[0], labels, 1)
    hint = (
        tr("did you mean {near}?", near=near[0])
        if near
        else tr("the labels are {labels}.", labels=", ".join(list(filter(None, labels))[:SHOWN]))
    )
    raise ModelError(
        tr(
            "{path}: {field}: the model has no label {unknown}",
            path=path,
            field=field,
            unknown=", ".join(unknown),
        ),
        hint,
    )  # fmt: skip


def _text(path: Path) -> str:
    """What stands in a file that belongs to a model.

    Raises:
        OSError: it cannot be read, is no file, or is larger than any card or list of labels.
    """
    if not path.is_file():
        path.stat()
        raise OSError(tr("it is no file"))  # opening a pipe would wait for whoever writes there
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(tr("it is larger than {max_bytes} bytes", max_bytes=MAX_BYTES))
    return data.decode("utf-8")


def read_unchanged(model: Path, sha256: str) -> bytes:
    """The very bytes of a model's file that were hashed.

    Raises:
        ModelError: it cannot be read, or has changed since.
    """
    try:
        data = model.read_bytes()
    except OSError as error:
        raise ModelError(
            tr("{model}: the model cannot be read: {reason}", model=model, reason=error.strerror),
            tr("check the path"),
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(tr("{model}: it has changed just now", model=model), tr("load it again."))
    return data


def hashed(path: Path) -> str:
    """SHA-256 of a file, lower-case hex.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise ModelError(tr("{path}: it is no file", path=path), tr("name the model's .onnx file."))
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            tr("{path}: the model cannot be read: {reason}", path=path, reason=error.strerror),
            tr("check the path, and its rights"),
        ) from error


def _labels(labels: str | tuple[str, ...], path: Path) -> tuple[str, ...]:
    if not isinstance(labels, str):
        return labels
    if labels in BUILT_IN:
        return BUILT_IN[labels]
    if Path(labels).name != labels or (path.parent / labels).is_symlink():
        raise ModelError(
            tr(
                "{path}: labels: {labels} is not the name of a file beside the card",
                path=path,
                labels=repr(labels[:100]),
            ),
            tr("the built-in lists are {built_in}.", built_in=", ".join(BUILT_IN)),
        )
    try:
        lines = _text(path.parent / labels).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            tr(
                "{path}: labels: the file {labels} cannot be read: {error}",
                path=path,
                labels=labels,
                error=error,
            ),
            tr("the built-in lists are {built_in}.", built_in=", ".join(BUILT_IN)),
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def _field(place: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _mistake(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return tr("no such field")
    if error["type"] == "missing":
        return tr("this field is missing")
    said = error["msg"][0].lower() + error["msg"][1:]
    return tr("{said}, not {given}", said=said, given=_SHORT.repr(error["input"]))
