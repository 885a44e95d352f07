"""How a part declares its settings: one line each with default, meaning and bounds.

A part's settings are a frozen model beside the code that obeys them. `config.py` gathers them;
`config.example.yaml` and `docs/reference/config.md` are checked against them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{3,32}$")]
"""An id that may stand in a topic: 3 to 32 of a-z, 0-9 and '-' (wildcards in an ACL were a mosquitto hole)."""


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown keys; every field has a description."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=False
    )


class Secret(Settings):
    """Where a secret lies: an environment variable or a file. The secret itself is never in the configuration.

    Exactly one of `env` and `file` is set. The value is read when it is needed and never printed.
    """

    env: str | None = Field(None, description="Name of the environment variable that holds the secret.")
    file: Path | None = Field(None, description="File whose first line is the secret; mode 0600 or 0640.")

    def read(self) -> str:
        """The secret, without a trailing newline.

        Raises:
            KeyError: the environment variable is not set.
            OSError: the file cannot be read.
        """
        if self.env is not None:
            return os.environ[self.env]
        if self.file is not None:
            return self.file.read_text(encoding="utf-8").splitlines()[0]
        raise KeyError("a secret needs env or file")
