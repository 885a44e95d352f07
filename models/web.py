"""Files over HTTP: with progress, resumed where they broke off, retried, and checked before they count.

Invariants
1. A file appears under its name only whole, synced, and with the hash that was asked for.
2. What was fetched before an interruption is kept in `NAME.part` and not fetched again.
3. A wrong hash leaves nothing behind.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agent.errors import ModelError

Progress = Callable[[str, int, int | None], None]
"""Told often: the file's name, bytes so far, bytes in all if known."""

TIMEOUT_S = 30.0
ATTEMPTS = 5
_CHUNK_BYTES = 1 << 18


class OutOfReach(ModelError):
    """No machine answered, or none that has the file: with a network it may be had."""


def quiet(_name: str, _done: int, _total: int | None) -> None:
    """Progress that nobody sees."""


class _BrokenOff(Exception):
    """Worth another attempt."""


class Web:
    """An HTTP client; credentials in an address go into a header and never into a message."""

    def __init__(
        self, context: ssl.SSLContext | None = None, proxy: str | None = None, wait_s: float = 1.0
    ) -> None:
        handlers: list[Any] = [urllib.request.HTTPSHandler(context=context or ssl.create_default_context())]
        if proxy:
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        self._opener = urllib.request.build_opener(*handlers)
        self._wait_s = wait_s

    @staticmethod
    def shown(url: str) -> str:
        """The address without credentials and query."""
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def read(self, url: str, headers: Mapping[str, str]) -> tuple[bytes, str, str] | None:
        """Body, content type and final address of a small page; None where there is none (404).

        Raises:
            ModelError: it cannot be had, after several attempts.
        """

        def once() -> tuple[bytes, str, str] | None:
            with self._open(url, headers) as answer:
                if answer.status == http.client.NOT_FOUND:
                    return None
                return answer.read(), answer.headers.get("Content-Type", ""), answer.url

        answer: tuple[bytes, str, str] | None = self._retried(url, once)
        return answer

    def download(self, url: str, target: Path, sha256: str | None, progress: Progress = quiet) -> str:
        """Bring a file to `target`; returns its SHA-256. With `sha256` None any content will do.

        Raises:
            ModelError: it cannot be had, after several attempts, or it is not the file we want.
        """
        if sha256 is not None and target.is_file() and _hash(target) == sha256:
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        resumed = part.exists()
        self._retried(url, lambda: self._append(url, part, target.name, progress))
        got = _hash(part)
        if sha256 is not None and got != sha256 and resumed:
            # The old part may be of another file: once more, from the start.
            part.unlink()
            self._retried(url, lambda: self._append(url, part, target.name, progress))
            got = _hash(part)
        if sha256 is not None and got != sha256:
            part.unlink()  # invariant 3
            raise ModelError(
                f"{self.shown(url)}: its SHA-256 is {got}, not {sha256}",
                "the file was changed or damaged on the way; it was not kept.",
            )
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)  # invariant 1
        return got

    def _append(self, url: str, part: Path, name: str, progress: Progress) -> None:
        """One attempt: what is still missing, onto the end of the part."""
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with self._open(url, headers) as answer:
            if answer.status == http.client.NOT_FOUND:
                raise ModelError(f"{self.shown(url)}: no such file", "the catalogue may be out of date.")
            if answer.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                # The part is whole already, or longer than the file: the hash decides.
                return
            begun = answer.status == http.client.PARTIAL_CONTENT
            have = have if begun else 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else None
            with part.open("ab" if begun else "wb") as file:
                while chunk := answer.read(_CHUNK_BYTES):
                    file.write(chunk)
                    have += len(chunk)
                    progress(name, have, total)
        if total is not None and have < total:
            raise _BrokenOff(f"it broke off after {have} of {total} bytes")  # invariant 2

    def _open(self, url: str, headers: Mapping[str, str]) -> Any:
        """The answer; statuses that the caller judges do not raise."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ModelError(f"{self.shown(url)}: only http and https are fetched")
        user, at, host = parts.netloc.rpartition("@")
        request = urllib.request.Request(  # noqa: S310  the scheme was checked above
            urlunsplit(parts._replace(netloc=host)), headers={"User-Agent": "ngatu", **headers}
        )
        if at:
            secret = base64.b64encode(unquote(user).encode()).decode()
            # Not forwarded to another host by a redirect.
            request.add_unredirected_header("Authorization", f"Basic {secret}")
        try:
            return self._opener.open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            if error.code in (404, 416):
                return error
            error.close()
            if error.code in (408, 429) or error.code >= 500:
                raise _BrokenOff(f"the server answers {error.code} {error.reason}") from error
            raise ModelError(f"{self.shown(url)}: the server answers {error.code} {error.reason}") from error

    def _retried(self, url: str, once: Callable[[], Any]) -> Any:
        broken = (_BrokenOff, OSError, http.client.HTTPException)
        again = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=self._wait_s, max=30),
            retry=retry_if_exception_type(broken),
            reraise=True,
        )
        try:
            return again(once)
        except broken as error:
            reason = getattr(error, "reason", error)
            raise OutOfReach(
                f"{self.shown(url)}: it cannot be fetched: {reason}",
                "run the same command again: what has come already is kept.",
            ) from error


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copied(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy a stream; returns the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()
