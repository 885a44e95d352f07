"""Where training stands, on disk: whole or not at all, so that it goes on after any kill."""

from __future__ import annotations

import os
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agent.errors import ModelError
from agent.translatable import tr
from models.train.results import HeldBackPoint

_VERSION = 2


@dataclass(slots=True)
class TrainingState:
    """All that the next step depends on, beside the pictures and the base."""

    of: str
    """What is trained with what: the hash of base, data and plan."""
    steps: int
    """How many there will be."""
    step: int = 0
    weights: list[Tensor] = field(default_factory=list)
    average: list[Tensor] = field(default_factory=list)
    optimizer: dict[str, Any] = field(default_factory=dict)
    best: list[Tensor] = field(default_factory=list)
    best_point: HeldBackPoint | None = None
    points: list[HeldBackPoint] = field(default_factory=list)
    sums: tuple[float, float, int] = (0.0, 0.0, 0)
    """Losses of labelled and other pictures since the last point, and of how many steps."""
    seconds: float = 0.0
    """Spent on learning so far, over all runs."""
    look_s: float = 0.0
    """Of the newest look at the held-back pictures."""


def save(standing: TrainingState, path: Path) -> None:
    """Write it so that a kill at any moment leaves the old one or the new one."""
    content = asdict(standing) | {"version": _VERSION}
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load(path: Path, of: str) -> TrainingState:
    """Where the training of this hash stands.

    Raises:
        ModelError: there is none, it cannot be read, or it is of another training.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(
            tr("{path}: there is no training to go on with", path=path), tr("leave out --resume to begin one.")
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise _unusable(path) from error
    if not isinstance(content, dict) or content.pop("version", None) != _VERSION:
        raise _unusable(path)
    if content["of"] != of:
        raise ModelError(
            tr("{path}: this training was begun with another base, other pictures or other options", path=path),
            tr("give the same ones, or leave out --resume to begin anew."),
        )
    points = [HeldBackPoint(**point) for point in content.pop("points")]
    best = content.pop("best_point")
    return TrainingState(**content, points=points, best_point=HeldBackPoint(**best) if best else None)


def _unusable(path: Path) -> ModelError:
    return ModelError(
        tr("{path}: this is not where a training of this version stands", path=path),
        tr("leave out --resume to begin anew."),
    )
