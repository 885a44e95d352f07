"""Where models and their cards lie."""

from __future__ import annotations

import os
from pathlib import Path

from agent.detectors.card import Card, read_card
from agent.detectors.settings import NCNN, ONNX_RUNTIME, DetectorSettings
from agent.errors import ModelError
from agent.translatable import tr

SYSTEM = Path("/var/lib/ngatu/models")
SUFFIXES = {ONNX_RUNTIME: ".onnx", NCNN: ".ncnn"}
"""Of the model's file; a plug-in's model is named with its own."""
SHIPPED = Path(__file__).parent / "cards"
"""Cards of well-known files, found by the file's hash."""


def models_dir(setting: Path | None = None) -> Path:
    """Where fetched models lie; it need not exist yet.

    In this order: the setting; $NGATU_MODELS; $XDG_DATA_HOME/ngatu/models (~/.local/share) if it exists;
    /var/lib/ngatu/models if it exists; else the XDG folder.
    """
    if setting is not None:
        return setting.expanduser()
    if chosen := os.environ.get("NGATU_MODELS"):
        return Path(chosen).expanduser()
    data = os.environ.get("XDG_DATA_HOME")
    personal = (Path(data) if data else Path("~/.local/share").expanduser()) / "ngatu" / "models"
    return SYSTEM if SYSTEM.is_dir() and not personal.is_dir() else personal


def find_model(settings: DetectorSettings) -> Path:
    """The model's file: `model` as a path if it looks like one, else a fetched model's name.

    Raises:
        ModelError: there is no such file.
    """
    suffix = SUFFIXES.get(settings.backend, "")
    if "/" in settings.model or (suffix and settings.model.endswith(suffix)):
        path = Path(settings.model).expanduser()
        hint = tr("give the path of an .onnx file, or a name that `ngatu models list` shows.")
        if suffix != SUFFIXES[ONNX_RUNTIME]:
            hint = tr("give the path of a file that the backend {backend} runs.", backend=settings.backend)
    else:
        path = models_dir(settings.models_dir) / f"{settings.model}{suffix}"
        hint = tr("get it with: ngatu models fetch {model}", model=settings.model)
        if settings.backend == NCNN:
            hint = tr("make it of an .onnx file: ngatu models ncnn {model}", model=settings.model)
        elif not suffix:
            hint = tr("give its path, or put it into the folder of models.")
    if not path.is_file():
        raise ModelError(tr("{path}: no such model", path=path), hint)
    return path


def find_card(model: Path, sha256: str, setting: Path | None = None) -> tuple[Card, Path]:
    """The model's card and its file: the setting, the .yaml beside the model, or a shipped card of this hash.

    Raises:
        ModelError: there is none, it is wrong, or it was written for another file.
    """
    beside = model.with_suffix(".yaml")
    path = setting or (beside if beside.is_file() else _shipped(sha256))
    if path is None:
        raise ModelError(
            tr("{model}: there is no model card for it", model=model),
            tr("write {beside} beside it (docs/guide/models.md), or set detector.card.", beside=beside.name),
        )
    card = read_card(path)
    if card.sha256 is None:
        raise ModelError(
            tr("{path}: sha256: this field is missing", path=path),
            tr("if you trust {model}, add sha256: {sha256}", model=model, sha256=sha256),
        )
    if card.sha256 != sha256:
        raise ModelError(
            tr(
                "{model}: its SHA-256 is {sha256}, but the card {path} was written for {expected}",
                model=model,
                sha256=sha256,
                path=path,
                expected=card.sha256,
            ),
            tr(
                "the file is damaged, changed, or not the card's; fetch it again: ngatu models fetch {card}",
                card=card.name,
            ),
        )
    return card, path


def _shipped(sha256: str) -> Path | None:
    return next((p for p in sorted(SHIPPED.glob("*.yaml")) if read_card(p).sha256 == sha256), None)
