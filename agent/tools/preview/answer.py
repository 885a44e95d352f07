"""What a browser asks of the page's site, and what it gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request that was let in."""

    method: str
    """GET or POST."""
    name: str
    """The path below the site; anything."""
    query: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What is sent back."""

    status: HTTPStatus
    kind: str
    """The media type."""
    body: bytes
    more: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""


def plain(status: HTTPStatus, why: str = "") -> PageAnswer:
    """A refusal; `why` is for whoever looks with the browser's tools."""
    return PageAnswer(status, "text/plain; charset=utf-8", f"{status.phrase}: {why}\n".encode())


def as_json(values: Any, status: HTTPStatus = HTTPStatus.OK) -> PageAnswer:
    """Plain values."""
    return PageAnswer(
        status, "application/json", json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
    )


def moved(place: str) -> PageAnswer:
    """To be asked for there."""
    return PageAnswer(HTTPStatus.PERMANENT_REDIRECT, "text/plain", b"", {"Location": place})
