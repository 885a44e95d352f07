"""One call of a webhook over HTTP: to the address that was judged, no further, and no longer than it may take.

Invariants
1. The address to which the connection goes is one that was judged: a name is asked for once for each
   connection, and what it leads to counts, not what the name says (server-side request forgery).
2. No redirect is followed; whatever is no 2xx is a failure.
3. A call ends after its time, however slowly the other side answers, and its answer is never kept.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from agent.errors import NgatuError
from agent.printable import printable
from agent.translatable import tr
from station.outward.settings import LOOPBACK, WebhookSettings

Address = tuple[str, int]
Find = Callable[[str, int], Sequence[str]]
GONE: Final = 410
MOST_ANSWER_BYTES: Final = 64 * 1024
_AGENT: Final = "ngatu-station"


class CallFailed(NgatuError):
    """The other side has not taken it; it may be tried again."""


class HookGone(CallFailed):
    """The other side says that it wants no more calls (410)."""


def addresses(host: str, port: int) -> Sequence[str]:
    """What a name leads to now.

    Raises:
        OSError: it leads nowhere.
    """
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def judge_address(hook: WebhookSettings, address: str) -> bool:
    """Whether this webhook may go there: a public address, or one that the configuration names."""
    at = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(at, "ipv4_mapped", None)
    at = mapped or at
    host = urlsplit(hook.url).hostname or ""
    if host in LOOPBACK and at.is_loopback:
        return True
    if _literal(host) == at or any(at in ipaddress.ip_network(each) for each in hook.networks):
        return True
    return at.is_global and not at.is_multicast


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    return None


class HookCaller:
    """Calls one webhook, one call after another; of one thread, but for `interrupt`."""

    def __init__(self, hook: WebhookSettings, find: Find = addresses) -> None:
        self._hook, self._find = hook, find
        self._url: SplitResult = urlsplit(hook.url)
        self._port = self._url.port or (443 if self._url.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if self._url.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None
        self._interrupted = threading.Event()

    def call(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Post the body.

        Raises:
            CallFailed: it was not taken; HookGone if none shall come any more.
        """
        kept = self._connection is not None
        try:
            status = self._post(body, headers)
        except ConnectionError as error:  # also where it hung up without a word
            if not kept or self._interrupted.is_set():
                raise self._failed(_reason(error)) from None
            # A connection that was kept may have ended meanwhile: that is no failure.
            status = self._post_in_words(body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(_reason(error)) from None
        if status == GONE:
            raise HookGone(tr("{host}: it wants no more calls (410)", host=self._where))
        if not 200 <= status < 300:
            raise self._failed(tr("it answered {status}", status=status))

    def close(self) -> None:
        """Hang up; the next call begins with a connection of its own."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def interrupt(self) -> None:
        """From another thread, at the end: a call that is under way fails, and so does each later one."""
        self._interrupted.set()
        connection = self._connection
        if connection is not None:
            _cut(connection)

    @property
    def _where(self) -> str:
        return self._url.hostname or ""

    def _post_in_words(self, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            return self._post(body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(_reason(error)) from None

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Whatever goes wrong, the next call begins with a connection of its own."""
        connection = self._connection = self._connection or self._judged()
        too_late = threading.Event()

        def cut() -> None:  # invariant 3
            too_late.set()
            _cut(connection)

        watch = threading.Timer(self._hook.timeout_s, cut)
        watch.daemon = True
        watch.start()
        try:
            if connection.sock is None:
                connection.connect()
            path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", path, body, {"user-agent": _AGENT, **headers})
            answer = connection.getresponse()
            rest = answer.read(MOST_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            if too_late.is_set():
                raise TimeoutError from error
            raise
        finally:
            watch.cancel()
        if answer.will_close or len(rest) > MOST_ANSWER_BYTES or too_late.is_set():
            self.close()
        # Headers that end in the middle, because we cut them off, are read as if they were whole.
        if too_late.is_set():
            raise TimeoutError
        if self._interrupted.is_set():
            self.close()
            raise ConnectionAbortedError("interrupted")
        return answer.status

    def _judged(self) -> http.client.HTTPConnection:
        """Invariant 1."""
        found = self._find(self._where, self._port)
        allowed = [each for each in found if judge_address(self._hook, each)]
        if not allowed:
            what = tr("{host} leads to {address}, which is not public", host=self._where, address=found[0])
            raise CallFailed(what, tr("if it is meant, name its network in the webhook's networks"))
        return JudgedConnection(self._where, self._port, allowed, self._tls, self._hook.timeout_s)

    def _failed(self, why: str) -> CallFailed:
        return CallFailed(tr("{host}: {why}", host=self._where, why=why))


class JudgedConnection(http.client.HTTPConnection):
    """A connection to one of these addresses, under the name of the host. It is made once, never again."""

    auto_open = 0

    def __init__(
        self, host: str, port: int, allowed: Sequence[str], tls: ssl.SSLContext | None, timeout_s: float
    ) -> None:
        super().__init__(host, port, timeout=timeout_s)
        if tls is not None:
            self.default_port = 443
        self._allowed, self._tls, self._timeout_s = allowed, tls, timeout_s

    def connect(self) -> None:
        """To the first address that answers.

        Raises:
            OSError: none does, or the certificate is not the host's.
        """
        failed: OSError | None = None
        for address in self._allowed:
            try:
                self.sock = socket.create_connection((address, self.port), self._timeout_s)
                break
            except OSError as error:
                failed = error
        else:
            raise failed or OSError("no address")
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            self.sock = secured = self._tls.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            secured.do_handshake()


def _cut(connection: http.client.HTTPConnection) -> None:
    """End what waits on it, in whatever thread."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return tr("it did not answer in time")
    if isinstance(error, http.client.RemoteDisconnected):
        return tr("it hung up before it answered")
    if isinstance(error, ssl.SSLCertVerificationError):
        return tr("its certificate is not trusted: {why}", why=printable(error.verify_message))
    return printable(str(error) or type(error).__name__)[:200]
