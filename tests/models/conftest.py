"""A package registry on this machine, over real HTTP, that can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from models.registry import Registry


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sdist(stem: str, files: dict[str, bytes]) -> bytes:
    """A source distribution; its setup.py would make itself heard if anybody ran it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in {"setup.py": b"raise SystemExit('I was run')", **files}.items():
            info = tarfile.TarInfo(f"{stem}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@dataclass
class Shelf:
    """What the server has, how it misbehaves, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    projects: dict[str, list[str]] = field(default_factory=dict)
    announced: dict[str, str] = field(default_factory=dict)
    """Hashes that the index tells, instead of the true ones."""
    html: bool = False
    ranges: bool = True
    cut: list[int] = field(default_factory=list)
    """The next answers break off after so many bytes."""
    errors: list[int] = field(default_factory=list)
    """The next answers have these statuses."""
    password: str | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of each request for a file."""
    url: str = ""

    def put(self, project: str, name: str, content: bytes) -> None:
        self.files[name] = content
        self.projects.setdefault(project, []).append(name)

    def registry(self) -> Registry:
        return Registry((f"{self.url}/simple",), wait_s=0.001, npm=f"{self.url}/npm")


class Handler(BaseHTTPRequestHandler):
    def __init__(self, shelf: Shelf, *args: object) -> None:
        self.shelf = shelf
        super().__init__(*args)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        shelf = self.shelf
        if shelf.errors:
            return self.send_error(shelf.errors.pop(0))
        if shelf.password and self.headers.get("Authorization") != f"Basic {shelf.password}":
            return self.send_error(401)
        if page := re.fullmatch(r"/simple/([^/]+)/", self.path):
            return self.index(page[1])
        name = self.path.removeprefix("/files/")
        if name not in shelf.files:
            return self.send_error(404)
        return self.file(shelf.files[name])

    def index(self, project: str) -> None:
        shelf = self.shelf
        if project not in shelf.projects:
            return self.send_error(404)
        hashes = {n: shelf.announced.get(n) or sha256_of(shelf.files[n]) for n in shelf.projects[project]}
        if shelf.html:
            links = "".join(f'<a href="../../files/{n}#sha256={h}">{n}</a>' for n, h in hashes.items())
            return self.answer(f"<!DOCTYPE html><body>{links}</body>".encode(), "text/html")
        files = [{"filename": n, "url": f"../../files/{n}", "hashes": {"sha256": h}} for n, h in hashes.items()]
        page = {"meta": {"api-version": "1.0"}, "name": project, "files": files}
        return self.answer(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, content: bytes) -> None:
        wanted = self.headers.get("Range")
        self.shelf.asked.append((self.path, wanted))
        start = 0
        if wanted and self.shelf.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if self.shelf.cut:
            body = body[: self.shelf.cut.pop(0)]
        self.wfile.write(body)
        return None


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, made))
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()
