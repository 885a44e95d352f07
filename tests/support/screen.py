"""The duty room's screen over a real store, served over real HTTP, without a browser and without a station."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from httpx import Response
from sqlalchemy import URL

from station.access.audit_log import AuditQuery
from station.access.roles import Role
from station.config import StationConfig
from station.web.app import app_of
from station.web.console import DutyConsole
from tests.support.brokers import free_port, until
from tests.support.people import CHEAP, GOOD
from tests.support.stores import Place

PAGE = {"accept": "text/html"}
JSON = {"accept": "application/json"}


@dataclass
class Seat:
    """Somebody who is logged in."""

    client: httpx.Client
    csrf: str = ""

    def get(self, path: str, **more: Any) -> Response:
        """A page."""
        return self.client.get(path, headers=PAGE, **more)

    def page(self, path: str) -> str:
        """A page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.text[:2000])
        return answer.text

    def post(self, path: str, *, json: bool = False, **fields: Any) -> Response:
        """A form; goes nowhere by itself."""
        data = {"csrf": self.csrf, **fields}
        headers = JSON if json else PAGE
        return self.client.post(path, data=data, headers=headers, follow_redirects=False)


@dataclass
class Screen:
    """The application, and who sits at it."""

    console: DutyConsole
    url: str
    clients: list[httpx.Client] = field(default_factory=list)

    def seat(
        self, login: str = "lan", name: str = "Nguyễn Thị Lan", role: Role = Role.OFFICER, language: str = "en"
    ) -> Seat:
        """An account of its own, logged in."""
        _, given = self.console.accounts.create(login, name, role)
        self.console.accounts.change_own(login, given, GOOD)
        client = self.stranger(language)
        answer = client.post("/login", data={"login": login, "password": GOOD}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        seat = Seat(client)
        found = re.search(r'name="csrf" value="([^"]+)"', seat.page("/"))
        assert found is not None
        seat.csrf = found[1]
        return seat

    def stranger(self, language: str = "en") -> httpx.Client:
        """Nobody is logged in there."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=60, trust_env=False)
        client.cookies.set("ngatu-language", language)
        self.clients.append(client)
        return client

    def audit(self, verb: str) -> list[tuple[str, str, str]]:
        """(login, subject, detail) of these entries, the oldest first."""
        return [
            (each.login, each.subject, each.detail)
            for each in self.console.audit.search(AuditQuery(verb=verb)).entries
        ][::-1]


def config_of(place: Place, commune: str = "hai-ninh") -> StationConfig:
    """Of a station whose store is at this place."""
    url: URL = place.url
    database = (
        {}
        if url.drivername == "sqlite"
        else {"url": f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"}
    )
    return StationConfig.model_validate(
        {"commune": commune, "state_dir": str(place.folder), "database": database, "web": {}}
    )


@contextmanager
def screen(place: Place) -> Iterator[Screen]:
    """The screen of a store that was opened before; closed with the block."""
    console, port = DutyConsole.opened(config_of(place), CHEAP), free_port()
    settings = uvicorn.Config(app_of(console), host="127.0.0.1", port=port, log_config=None, access_log=False)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    found = Screen(console, f"http://127.0.0.1:{port}")
    thread.start()
    try:
        until(lambda: server.started)
        yield found
    finally:
        for client in found.clients:
            client.close()
        console.end()
        server.should_exit = True
        thread.join(20)
        console.close()
