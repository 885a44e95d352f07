"""station.web.headers"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from station.config import WebSettings
from station.web.headers import MOST_BYTES, POLICY, GuardedHeaders, hosts_of


def client(web: WebSettings | None = None, host: str = "127.0.0.1:8480") -> TestClient:
    async def echo(request: object) -> PlainTextResponse:
        return PlainTextResponse("in", headers={"Cache-Control": "private"} if "kept" in str(request) else None)

    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    return TestClient(GuardedHeaders(app, web or WebSettings()), base_url=f"http://{host}")


def test_every_answer_says_that_nothing_of_another_host_runs_or_shows() -> None:
    answer = client().get("/")
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers


def test_behind_tls_a_browser_is_told_never_to_come_without() -> None:
    web = WebSettings(public_url="https://tram.hai-ninh.example")
    answer = client(web, "tram.hai-ninh.example").get("/")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "169.254.1.1"]
)
def test_a_name_that_leads_here_but_is_not_ours_gets_nothing(host: str) -> None:
    answer = client().get("/", headers={"host": host})
    assert answer.status_code == 421
    assert answer.text != "in"
    assert answer.headers["content-security-policy"] == POLICY


@given(st.from_regex(r"[!-~]{0,30}", fullmatch=True).filter(lambda host: "[" not in host and "]" not in host))
def test_no_host_gets_in_but_those_that_are_listed(host: str) -> None:
    answer = client().get("/", headers={"host": host})
    assert answer.status_code in (200, 421)
    if answer.status_code == 200:
        assert any(name in host.lower() for name in hosts_of(WebSettings()))


@pytest.mark.parametrize("host", ["[", "[::1", "]", "127.0.0.1:port", "", "a b", "@", "localhost@evil.example"])
def test_what_is_no_host_is_refused_and_no_fault(host: str) -> None:
    said: list[int] = []

    async def run() -> None:
        async def send(message: MutableMapping[str, Any]) -> None:
            said.extend([message["status"]] if "status" in message else [])

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host.encode())]}
        await GuardedHeaders(_nothing, WebSettings())(scope, receive, send)

    asyncio.run(run())
    assert said == ([200] if host == "127.0.0.1:port" else [421])


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("in")(scope, receive, send)


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "-1", "many", "٣"])
def test_what_is_too_large_or_says_no_size_is_not_read(length: str) -> None:
    answer = client().post("/", content=b"", headers={"content-length": length.encode()})  # type: ignore[dict-item]
    assert answer.status_code == 413


def test_what_comes_in_pieces_without_a_length_is_counted_as_it_comes() -> None:
    taken = 0

    def reading() -> FastAPI:
        app = FastAPI()

        @app.post("/")
        async def read(request: Request) -> PlainTextResponse:
            nonlocal taken
            async for piece in request.stream():
                taken += len(piece)
            return PlainTextResponse("in")

        return app

    def pieces(count: int) -> Iterator[bytes]:
        return (bytes(2**20) for _ in range(count))

    whole = TestClient(GuardedHeaders(reading(), WebSettings()), base_url="http://127.0.0.1:8480")
    fits = whole.post("/", content=pieces(8))
    assert (fits.status_code, taken) == (200, MOST_BYTES)
    taken = 0
    assert whole.post("/", content=pieces(9)).status_code == 413
    assert taken <= MOST_BYTES


def test_the_address_that_is_listened_on_is_a_name_of_ours_and_every_address_is_none() -> None:
    assert "10.0.0.7" in hosts_of(WebSettings(host="10.0.0.7"))
    assert "0.0.0.0" not in hosts_of(WebSettings(host="0.0.0.0"))
    assert "station.local" not in hosts_of(WebSettings(host="station.local"))
