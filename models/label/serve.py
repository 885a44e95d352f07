"""The page served on loopback until somebody ends it: by uvicorn, which the station's screen has too."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from agent.detectors import Detector
from agent.errors import NgatuError
from agent.stop_signals import StopSignals
from agent.translatable import tr
from models.label.guard import LabelGuard
from models.label.outbound import Outbound
from models.label.prefill import Prefill
from models.label.site import site_of
from models.label.workplace import Workplace

ADDRESS = "127.0.0.1"
"""Nobody off this machine reaches it, so no picture leaves it."""
TOKEN_BYTES = 15
"""120 bits: 24 letters and digits that no other account of this machine guesses."""


def serve(workplace: Workplace, detector: Detector | None, port: int, say: Callable[[str], object]) -> Path:
    """Serve until SIGINT, SIGTERM or SIGHUP; `say` gets the address. Returns the file that was written last.

    Raises:
        NgatuError: nothing can listen there.
    """
    listening = _listening(port)
    token = base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().lower()
    outbound = Outbound(workplace)
    prefill = Prefill(workplace, detector) if detector is not None else None
    with listening:
        outbound.start()
        if prefill is not None:
            prefill.start()
        server = server_of(LabelGuard(site_of(workplace, outbound, prefill), token))
        signals = StopSignals(lambda: setattr(server, "should_exit", True))
        say(f"http://{ADDRESS}:{listening.getsockname()[1]}/{token}/")
        try:
            server.run([listening])
        finally:
            signals.ignore()  # what is done is written to its end
            if prefill is not None:
                prefill.stop()
            outbound.stop()
    if outbound.error is not None:
        raise outbound.error
    return Path(outbound.name)


class LabelServer(uvicorn.Server):
    """Ends as it is told to; by itself it would raise a signal again, and end the program before its end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever started it."""
        yield


def server_of(app: ASGIApp) -> LabelServer:
    """A server without lines of its own: they would hold the token."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, limit_concurrency=64,
        timeout_graceful_shutdown=2, ws="none", lifespan="off",
    )  # fmt: skip
    return LabelServer(config)


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, port))
        made.listen(64)  # from now on whoever comes waits, and is not refused
    except (OSError, OverflowError) as error:
        made.close()
        raise NgatuError(
            tr("{address}, port {port}: nothing can listen there: {reason}", address=ADDRESS, port=port,
               reason=getattr(error, "strerror", None) or error),
            tr("name another port with --port, or 0 for any free one"),
        ) from None  # fmt: skip
    return made
