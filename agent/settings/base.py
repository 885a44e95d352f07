"""How a part declares its settings: one line each with default, meaning and bounds.

A part's settings are a frozen model beside the code that obeys them. `config.py` gathers them;
`config.example.yaml` and `docs/reference/config.md` are checked against them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

NAME_PATTERN = "[a-z0-9-]{2,32}"
NAME_IN_WORDS = "2 to 32 of a-z, 0-9 and '-'"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
"""Every id that somebody gives: of a commune, a box, a station, a camera, a zone, a rule.

It may stand in a topic, a certificate and a file's name (wildcards in an ACL were a mosquitto hole). Roles and
playbooks of deploy/ansible and the schemas of the wire ask for the same; a test holds them together.
"""

MAX_SECRET_BYTES = 64 * 1024
"""A larger file is not a secret but a slip of the path."""


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown keys; every field has a description.

    A ValidationError never shows what was given (it may be a password in the wrong place), and no number
    may be infinite or none at all.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=False,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )


class SecretMissing(KeyError):
    """A secret is not where the configuration says; the text says where that is, never what was found."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr


class Secret(Settings):
    """Where a secret lies: an environment variable or a file. The secret itself is never in the configuration.

    Exactly one of `env` and `file` is set. The value is read when it is needed and never printed.
    """

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        None, description="Name of the environment variable that holds the secret."
    )
    file: Path | None = Field(None, description="File whose first line is the secret; mode 0600 or 0640.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret needs env or file, one of them and not both")
        return self

    @property
    def place(self) -> str:
        """Where it lies, in words fit for a message."""
        return f"environment variable {self.env}" if self.env is not None else f"file {self.file}"

    def read(self) -> str:
        """The secret: the variable's value, or the file's first line without its end.

        Raises:
            SecretMissing: the variable is not set, or what is there cannot be a secret (a KeyError).
            OSError: the file cannot be read; the error names it.
        """
        if self.env is not None:
            value = os.environ.get(self.env, "")
        else:
            assert self.file is not None
            value = _first_line(self.file)
        if not value:
            raise SecretMissing(f"{self.place} is {'not set or ' if self.env else ''}empty")
        return value


def _first_line(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise SecretMissing(f"{path} is no file")  # opening a pipe would wait for whoever writes there
    with path.open("rb") as file:
        data = file.read(MAX_SECRET_BYTES + 1)
    if len(data) > MAX_SECRET_BYTES:
        raise SecretMissing(f"file {path} is larger than {MAX_SECRET_BYTES:,} bytes: that is no secret")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        # The codec's error carries the bytes: it may not travel on.
        raise SecretMissing(f"file {path} is not UTF-8 text") from None
    return lines[0] if lines else ""
