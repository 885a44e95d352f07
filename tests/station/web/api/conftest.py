"""A console with a store that holds something, and programs that ask it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import URL
from starlette.types import ASGIApp

from station.access.audit_entry import AT_THE_MACHINE
from station.access.audit_log import AuditQuery
from station.access.passwords import HashCost
from station.access.roles import Role
from station.config import StationConfig, WebSettings
from station.store.store import Store
from station.web.api.asker import ApiRates
from station.web.api.rates import Rates
from station.web.api.tokens import ApiTokens
from station.web.app import bare_app
from station.web.console import DutyConsole
from station.web.headers import GuardedHeaders
from tests.support.brokers import until
from tests.support.kept_events import a_thumbnail, event_now, picture_of, present_box
from tests.support.people import QUAN
from tests.support.stores import Place

CHEAP = HashCost(passes=1, memory_kib=8, lanes=1)
PASSWORD = "con trâu trắng 27 gặm cỏ"


@dataclass
class Interface:
    """The application, who may ask it, and what it stands on."""

    console: DutyConsole
    app: FastAPI
    store: Store
    url: str
    left: ExitStack

    def program(self, role: Role = Role.OFFICER, name: str = "dispatch") -> httpx.Client:
        """One that shows its token."""
        _, secret = ApiTokens(self.console.writes, self.console.audit).make(name, role, QUAN)
        return self.nobody(authorization=f"Bearer {secret}")

    def nobody(self, **headers: str) -> httpx.Client:
        """One that shows these headers."""
        return self.left.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=60))

    def somebody(self, role: Role = Role.OFFICER, login: str = "lan") -> httpx.Client:
        """A browser of a person who is logged in."""
        _, given = self.console.accounts.create(login, f"Cán bộ {login}", role)
        self.console.accounts.change_own(login, given, PASSWORD)
        client = self.nobody()
        answer = client.post("/login", data={"login": login, "password": PASSWORD}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return client

    def acts(self) -> list[tuple[str, str, str]]:
        """What was asked over the network, by the audit log: (login, verb, subject), oldest first."""
        set_up = AT_THE_MACHINE, QUAN.address
        found = [each for each in self.console.audit.every(AuditQuery()) if each.address not in set_up]
        return [(each.login, each.verb, each.subject) for each in found][::-1]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Interface]]:
    """Serves a console over a store in SQLite; `fast` lets everybody ask as often as he likes."""
    opened: list[Any] = []

    def start(*, fast: bool = True, **settings: Any) -> Interface:
        place = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
        store = place.open()
        config = StationConfig(commune="hai-ninh", state_dir=tmp_path, web=WebSettings(), **settings)
        console = DutyConsole.opened(config, CHEAP)
        opened.extend((place, store, console))
        app = bare_app(console)
        if fast:
            app.state.rates = ApiRates(Rates(1e9, 1e9), Rates(1e9, 1e9))
        url = left.enter_context(served(GuardedHeaders(app, console.web)))
        left.callback(console.end)  # before the server: screens that follow are let go
        return Interface(console, app, store, url, left)

    with ExitStack() as left:
        yield start
    for each in reversed(opened):
        each.close()


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """On a port of its own; its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def interface(serve: Callable[..., Interface]) -> Interface:
    """With a box, three alerts of which one has a picture, and one that is no alert."""
    made = serve()
    present_box(made.store)
    data, image = a_thumbnail()
    first = event_now(1, image=image, direction="in")
    plain = event_now(4, severity="info", object={"label": "bicycle"})
    made.store.commit([first, picture_of(first, data), event_now(2), event_now(3, phase="end"), plain])
    return made
