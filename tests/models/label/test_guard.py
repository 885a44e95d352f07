"""models.label.guard"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from models.label.guard import HEADERS, MOST_BYTES, LabelGuard

TOKEN = "abcdefghabcdefghabcdefgh"
OURS = {"host": "127.0.0.1:8091", "origin": "http://127.0.0.1:8091", "sec-fetch-site": "same-origin"}
BODY = {"content-type": "application/json", "content-length": "2"}


def asked(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], list[str]]:
    """Status, headers, and the paths that the application behind the guard saw."""
    seen: list[str] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": raw}
    asyncio.run(LabelGuard(app, TOKEN)(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, seen


def test_whoever_has_the_address_is_let_in_and_the_token_goes_no_further() -> None:
    status, headers, seen = asked("GET", f"/{TOKEN}/set", OURS)

    assert (status, seen) == (200, ["/set"])
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


@pytest.mark.parametrize("path", ["/", "/set", f"/{TOKEN[:-1]}x/set", f"/{TOKEN}", "/" + "é" * 24 + "/", ""])
def test_without_the_token_nothing_is_answered(path: str) -> None:
    status, headers, seen = asked("GET", path, OURS)

    assert status == (308 if path == f"/{TOKEN}" else 404)
    assert seen == []
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example:8091", "127.0.0.1.evil.example:80", "", "[::1]:8091", "192.168.1.2:8091"]
)
def test_a_name_that_only_leads_here_is_refused(host: str) -> None:
    assert asked("GET", f"/{TOKEN}/set", {**OURS, "host": host, "origin": f"http://{host}"})[::2] == (403, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:9999"},
    ],
)  # fmt: skip
def test_another_site_changes_nothing_and_is_given_nothing(headers: dict[str, str]) -> None:
    for method in ("PUT", "GET"):
        assert asked(method, f"/{TOKEN}/pictures/1", {**OURS, **BODY, **headers})[::2] == (403, [])


def test_a_change_without_an_origin_is_refused_and_a_link_that_is_followed_is_not() -> None:
    nobody = {"host": "127.0.0.1:8091", **BODY}
    typed = {"host": "localhost:8091", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}

    assert asked("PUT", f"/{TOKEN}/pictures/1", nobody)[0] == 403
    assert asked("GET", f"/{TOKEN}/", typed)[::2] == (200, ["/"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415), ({"content-length": "x"}, 411),
        ({"content-length": str(MOST_BYTES + 1)}, 413), ({"content-length": "9" * 30}, 411),
        ({"transfer-encoding": "chunked"}, 411), ({}, 200),
    ],
)  # fmt: skip
def test_only_small_json_is_read(headers: dict[str, str], status: int) -> None:
    assert asked("PUT", f"/{TOKEN}/pictures/1", {**OURS, **BODY, **headers})[0] == status
