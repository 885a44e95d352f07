"""How a part declares its settings: one line each with default, meaning and bounds.

A part's settings are a frozen model beside the code that obeys them. `config.py` gathers them;
`config.example.yaml` and `docs/reference/config.md` are checked against them.
"""

from __future__ import annotations

import json
import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent.translatable import tr

NAME_PATTERN = "[a-z0-9-]{2,32}"
NAME_IN_WORDS = tr("2 to 32 of a-z, 0-9 and '-'")
Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
"""Every id that somebody gives: of a commune, a box, a station, a camera, a zone, a rule.

It may stand in a topic, a certificate and a file's name (wildcards in an ACL were a mosquitto hole). Roles and
playbooks of deploy/ansible and the schemas of the wire ask for the same; a test holds them together.
"""

LONGEST_TITLE: Final = 100
LONGEST_PLACE: Final = 200
"""Letters of a camera's, zone's or rule's title, and of the place of a box."""
Title = Annotated[str, StringConstraints(max_length=LONGEST_TITLE)]
"""What people call something, in their own language; empty: its name or id stands there."""

_HOST_NAME = re.compile(r"(?!-)[\w-]{1,63}(?<!-)(\.(?!-)[\w-]{1,63}(?<!-))*\.?")


def host_fault(host: str) -> str:
    """Why a text is neither the name nor the address of a machine; empty if it is one.

    Four numbers are an address only as people write one: what libc makes of 192.168.10 or 010 nobody means.
    """
    if "/" in host:
        return tr("{host} is more than a host: write the name alone, such as 192.168.10.5", host=_given(host))
    if (_is_address if ":" in host or host.rpartition(".")[2].isdecimal() else _is_name)(host):
        return ""
    if ":" in host:
        return tr("{host} has a port: write the name alone, and the port in its own place", host=_given(host))
    if host.rpartition(".")[2].isdecimal():
        return tr("{host} is no address: that is four numbers of 0..255 with points", host=_given(host))
    return tr("{host} cannot be a host name", host=_given(host))


def _given(host: str) -> str:
    return json.dumps(host[:80], ensure_ascii=False)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return _HOST_NAME.fullmatch(host) is not None


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
            raise ValueError(tr("a secret needs env or file, one of them and not both"))
        return self

    @property
    def place(self) -> str:
        """Where it lies, in words fit for a message."""
        return (
            tr("environment variable {env}", env=self.env)
            if self.env is not None
            else tr("file {file}", file=self.file)
        )

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
            raise SecretMissing(
                tr("{place} is not set or empty", place=self.place)
                if self.env
                else tr("{place} is empty", place=self.place)
            )
        return value


def _first_line(path: Path) -> str:
    if path.exists() and not path.is_file():
        # opening a pipe would wait for whoever writes there
        raise SecretMissing(tr("{path} is no file", path=path))
    with path.open("rb") as file:
        data = file.read(MAX_SECRET_BYTES + 1)
    if len(data) > MAX_SECRET_BYTES:
        raise SecretMissing(
            tr(
                "file {path} is larger than {max_secret_bytes:,} bytes: that is no secret",
                path=path,
                max_secret_bytes=MAX_SECRET_BYTES,
            )
        )
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        # The codec's error carries the bytes: it may not travel on.
        raise SecretMissing(tr("file {path} is not UTF-8 text", path=path)) from None
    return lines[0] if lines else ""
