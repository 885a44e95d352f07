"""What every answer says to the browser, and which requests are not for us.

Invariants
1. No page runs or shows what is not of this host: no inline script or style, no frame, no other site
   (https://www.w3.org/TR/CSP3/).
2. A name that leads here but is not ours is refused: a page elsewhere cannot have its own name point to this
   machine and read what an officer sees (DNS rebinding).
3. Nothing that a login protects is kept by a browser or a proxy; only what never changes is (static files by
   their version, pictures by their hash), and by the browser alone.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from station.config import LOOPBACK, WebSettings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
MOST_BYTES = 8 * 2**20
"""Of a request: a plan's picture is the largest."""


def hosts_of(web: WebSettings) -> frozenset[str]:
    """The names by which the console may be asked for (invariant 2)."""
    public = urlsplit(web.public_url).hostname if web.public_url else None
    own = {web.host} if _is_address(web.host) and web.host not in ("0.0.0.0", "::") else set()  # noqa: S104
    return frozenset({*LOOPBACK, *own} | ({public} if public else set()))


def _host(said: str) -> str:
    """The name in a Host header, without its port; of what is none, nothing."""
    try:
        return urlsplit(f"//{said}").hostname or ""
    except ValueError:  # half an IPv6 address
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class GuardedHeaders:
    """Around the whole application."""

    def __init__(self, app: ASGIApp, web: WebSettings) -> None:
        self._app, self._hosts = app, hosts_of(web)
        self._secure = web.public_url is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what is not for us, and let no answer go without the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    said.setdefault(name, value)
                said.setdefault("Cache-Control", "no-store")
                if self._secure:
                    said.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        if _host(headers.get("host", "")) not in self._hosts:
            await PlainTextResponse("this is not the name of this console", 421)(scope, receive, say)
            return
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            await PlainTextResponse("too large", 413)(scope, receive, say)
            return
        await self._app(scope, _bounded(receive), say)


def _bounded(receive: Receive) -> Receive:
    """What comes in pieces says no length beforehand: it is counted as it comes."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise HTTPException(413, "too large")
        return message

    return counted
