"""Who may ask for the page: whoever has its address, with a browser on this machine, out of the page itself.

Invariants
1. Nothing is answered without the token, which is new each time and compared in constant time.
2. A name that leads here but is not this machine's own is refused: no page elsewhere reads these pictures by
   having its own name point here (DNS rebinding).
3. Only our page changes anything or is given anything: what a browser asks for another site is refused.
4. Nothing large is read.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS: Final = frozenset({"localhost", "127.0.0.1"})
"""No server of names is asked for the first (RFC 6761, 6.3); no name can be the second."""
MOST_BYTES: Final = 1 << 20
"""Of a body: a thousand boxes are a fifth of it."""
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class LabelGuard:
    """Stands before the page's application, which sees paths without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """`token` is the first part of every path."""
        self._app, self._base = app, f"/{token}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, guarded)
            return
        path = scope["path"].removeprefix(self._base[:-1])
        await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """Why this is not answered; the reason is for people who look with their browser's tools."""
        headers, path, base = Headers(scope=scope), scope["path"], self._base
        if not secrets.compare_digest(path[: len(base)].encode(), base.encode()):  # invariant 1
            if secrets.compare_digest(f"{path}/".encode(), base.encode()):
                return Response(status_code=308, headers={"Location": base})
            return PlainTextResponse("Not Found: use the whole address that the program has said\n", 404)
        if headers.get("host", "").rpartition(":")[0] not in HOSTS:  # invariant 2
            return PlainTextResponse("Forbidden: this machine has another name\n", 403)
        if not _from_our_page(scope["method"], headers):  # invariant 3
            return PlainTextResponse("Forbidden: asked for by another site\n", 403)
        return _unreadable(scope["method"], headers)


def _from_our_page(method: str, headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    typed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    if site not in (None, "same-origin", "none") and not typed:
        return False
    if origin is None:
        return method == "GET"
    return origin == f"http://{headers.get('host')}"


def _unreadable(method: str, headers: Headers) -> Response | None:
    """Why the body is not read (invariant 4)."""
    if method in ("GET", "HEAD"):
        return None
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return PlainTextResponse("Unsupported Media Type\n", 415)
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit() and len(length) < 10):
        return PlainTextResponse("Length Required\n", 411)
    return PlainTextResponse("Content Too Large\n", 413) if int(length) > MOST_BYTES else None
