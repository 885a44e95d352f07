"""What is said where labels are asked for, and nobody has looked at the pictures yet."""

from __future__ import annotations

from pathlib import Path

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import Dataset


def nobody_has_looked(dataset: Dataset, folder: Path) -> ModelError:
    """The error where a set of labels is asked for and there are proposals only."""
    return ModelError(
        tr(
            "{folder}: nobody has looked at its {count} pictures: what stands there is a detector's, no label",
            folder=folder,
            count=len(dataset.proposed),
        ),
        tr("Label them with: ngatu models label {folder}", folder=folder),
    )
