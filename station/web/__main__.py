"""`python -m station.web`: the screen's process.

Its input is the configuration in a line of JSON, then how the intake goes, a line each time. When the input
ends, so does the process.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import IO

import structlog
import uvicorn

from agent import log as lines
from agent.errors import NgatuError
from station.config import StationConfig
from station.outward.republish import Republishers
from station.outward.webhooks import Webhooks
from station.web.app import app_of
from station.web.console import DutyConsole
from station.web.under_way import CONNECTIONS, WebConnection

log = structlog.get_logger("station.web")

GRACE_S = 3.0
"""For requests that are under way when the station ends; screens that follow never end by themselves."""


def main() -> int:
    """Serve until the input ends. Exit status 1: it cannot listen, or the store cannot be used."""
    first = sys.stdin.buffer.readline()
    config = StationConfig.model_validate_json(first)
    assert config.web is not None
    lines.configure(config.log.level, config.log.format)
    try:
        console = DutyConsole.opened(config)
    except NgatuError as error:
        log.error("screen_not_started", error=str(error), hint=error.hint)  # noqa: TRY400 (it is no fault)
        return 1
    app = app_of(console)
    settings = uvicorn.Config(
        app,
        host=config.web.host,
        port=config.web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=config.web.public_url is not None,  # only then is there one, on this machine
        forwarded_allow_ips="127.0.0.1,::1",
        timeout_graceful_shutdown=int(GRACE_S),
        http=WebConnection,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=32 * 1024,
    )
    server = uvicorn.Server(settings)
    threading.Thread(target=_hear, args=(sys.stdin.buffer, console, server), daemon=True).start()
    leaving = (
        Webhooks(config.outward.webhooks, (console.reads, console.writes), config.web.address),
        Republishers(config, console.reads),
    )
    for each in leaving:
        each.start()
    log.info("screen_serves", url=config.web.address)
    try:
        server.run()
    except SystemExit as error:  # uvicorn's word for a port that is taken; it has written why
        log.error(  # noqa: TRY400 (it is no fault of ours)
            "screen_not_started",
            error=f"{config.web.host}:{config.web.port} cannot be listened on",
            hint="is another program there? set web.port",
        )
        return int(bool(error.code))
    finally:
        for each in leaving:
            each.close()
        console.close()
    return 0


def _hear(source: IO[bytes], console: DutyConsole, server: uvicorn.Server) -> None:
    """How the intake goes, until the station is gone."""
    while line := source.readline():
        console.hear(json.loads(line))
    server.should_exit = True  # first: the port is free for the next station at once
    console.end()
    threading.Timer(GRACE_S + 1, lambda: os._exit(0)).start()


if __name__ == "__main__":
    sys.exit(main())
