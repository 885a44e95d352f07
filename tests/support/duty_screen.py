"""The duty room's screen over HTTP: a real store, real packages, people with real passwords."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from station.access.audit_log import AuditQuery
from station.access.passwords import HashCost
from station.access.roles import Role
from station.config import StationConfig, WebSettings
from station.web.app import app_of
from station.web.console import DutyConsole
from station.web.under_way import WebConnection
from tests.support.brokers import until

PASSWORD = "con trâu trắng 27 gặm cỏ"
PEOPLE = {
    "lan": ("Nguyễn Thị Lan", Role.OFFICER),
    "binh": ("Trần Văn Bình", Role.SUPERVISOR),
    "quan.tri": ("Quản trị", Role.ADMINISTRATOR),
}


@dataclass
class DutyScreen:
    """A console on a folder in which a store is already."""

    state_dir: Path
    commune: str
    more: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    """Where it is served."""
    cost: HashCost | None = None
    """Of passwords; None: the usual one."""
    clients: list[httpx.Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.console = self.opened()
        for login, (name, role) in PEOPLE.items():
            if self.console.accounts.find(login) is not None:
                continue  # the store was prepared
            _, given = self.console.accounts.create(login, name, role)
            self.console.accounts.change_own(login, given, PASSWORD)

    def opened(self) -> DutyConsole:
        """The console, as its process opens it."""
        config = StationConfig(commune=self.commune, state_dir=self.state_dir, web=WebSettings(), **self.more)
        return DutyConsole.opened(config, self.cost)

    def client(self, login: str | None = "lan", language: str = "vi") -> httpx.Client:
        """A browser of somebody who is logged in; None: of nobody. The screen is served."""
        client = httpx.Client(base_url=self.url, headers={"accept": "text/html"}, timeout=60)
        self.clients.append(client)
        client.cookies.set("ngatu-language", language)
        if login is not None:
            answer = client.post("/login", data={"login": login, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    @contextmanager
    def served(self) -> Iterator[str]:
        """On a port of its own, for a real browser; its address."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            config = uvicorn.Config(
                app_of(self.console), log_config=None, timeout_graceful_shutdown=1, http=WebConnection
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
            thread.start()
            until(lambda: server.started)
            self.url = f"http://127.0.0.1:{port}"
            try:
                yield self.url
            finally:
                for client in self.clients:
                    client.close()
                server.should_exit = True
                self.console.end()
                thread.join(10)

    def acts(self) -> list[tuple[str, str]]:
        """What is in the audit log: (verb, subject), oldest first."""
        return [(each.verb, each.subject) for each in self.console.audit.every(AuditQuery())][::-1]

    def close(self) -> None:
        """Let go of the store."""
        self.console.close()


def csrf_of(page: str) -> str:
    """The token in a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]
