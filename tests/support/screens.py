"""The screen's application served from this process, with people, and browsers that are programs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi.routing import APIRoute

from station.access.roles import Role
from station.config import StationConfig, parse
from station.store.database import engine_of, upgrade, url_of
from station.web.app import app_of, bare_app
from station.web.console import DutyConsole
from station.web.under_way import CONNECTIONS, WebConnection
from tests.support.brokers import free_port, until
from tests.support.people import CHEAP, GOOD

LOGINS = {Role.OFFICER: "lan", Role.SUPERVISOR: "minh", Role.ADMINISTRATOR: "quan"}


@dataclass
class Screen:
    """One console, as its pages see it."""

    console: DutyConsole
    port: int
    clients: list[httpx.Client] = field(default_factory=list)

    def browser(self, **headers: str) -> httpx.Client:
        """A browser that follows nothing by itself and wants pages."""
        asked = {"accept": "text/html", **headers}
        self.clients.append(httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=asked, timeout=60))
        return self.clients[-1]

    def somebody(self, login: str, role: Role, password: str = GOOD) -> None:
        """An account whose password is its own."""
        _, given = self.console.accounts.create(login, f"Cán bộ {login}", role)
        self.console.accounts.change_own(login, given, password)

    def visitor(self, role: Role = Role.OFFICER) -> httpx.Client:
        """A browser in which the usual person of this role is logged in."""
        client = self.browser()
        answer = client.post("/login", data={"login": LOGINS[role], "password": GOOD})
        assert answer.status_code == 303, answer.text
        return client

    def routes(self) -> list[tuple[str, APIRoute]]:
        """Every route of the console with its whole path, whichever page it belongs to."""
        return list(_flat(bare_app(self.console).routes))


def _flat(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    for each in routes:
        inner = getattr(each, "original_router", None)  # a router within a router, since FastAPI 0.160
        if inner is not None:
            yield from _flat(inner.routes, prefix + each.include_context.prefix)
        elif isinstance(each, APIRoute):
            yield prefix + each.path, each


@contextmanager
def screen(folder: Path, more: str = "") -> Iterator[Screen]:
    """A console over a new store, with one person of each role; passwords cost little."""
    config: StationConfig = parse(
        f"commune: hai-ninh\nstate_dir: {folder}\nweb: {{language: vi{more}}}\n".encode(), "station.yaml"
    )
    engine = engine_of(url_of(config.database, config.state_dir))
    upgrade(engine)
    engine.dispose()
    console, port = DutyConsole.opened(config, CHEAP), free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app_of(console),
            host="127.0.0.1",
            port=port,
            log_config=None,
            timeout_graceful_shutdown=1,
            http=WebConnection,
            limit_concurrency=CONNECTIONS,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    made = Screen(console, port)
    try:
        for role, login in LOGINS.items():
            made.somebody(login, role)
        until(lambda: server.started)
        yield made
    finally:
        for each in made.clients:
            each.close()
        console.end()
        server.should_exit = True
        thread.join(20)
        console.close()


def csrf_of(page: str) -> str:
    """What the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]
