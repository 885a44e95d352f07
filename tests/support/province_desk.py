"""The province's console over a real server: what communes sent up, and people who look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from station.province.desk import prepare
from station.province.settings import ProvinceConfig, ProvinceDatabase, ProvinceWeb
from station.web.console import DutyConsole
from tests.support.duty_screen import DutyScreen
from tests.support.people import CHEAP
from tests.support.provinces_up import ProvincePlace


def config_of(url: URL, folder: Path, key: Path | None = None) -> ProvinceConfig:
    """The province's file over it; `key` signs what is asked of communes."""
    where = f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"
    return ProvinceConfig(
        shard="s01",
        database=ProvinceDatabase(url=where),
        state_dir=folder,
        web=ProvinceWeb(port=8481, command_key=key),
    )


@dataclass
class ProvinceScreen(DutyScreen):
    """The console, and what the worker of a shard has kept."""

    config: ProvinceConfig | None = None

    def opened(self) -> DutyConsole:
        """As `ngatu province console` does."""
        assert self.config is not None
        return DutyConsole.opened(self.config.desk(), self.cost)

    def open(self, login: str, communes: str) -> None:
        """An administrator opens communes to somebody."""
        self.console.accounts.open_communes(login, communes)


@contextmanager
def province_screen(place: ProvincePlace, folder: Path, key: Path | None = None) -> Iterator[ProvinceScreen]:
    """The console of a province, served."""
    prepare(place.url)
    found = ProvinceScreen(folder, "province", cost=CHEAP, config=config_of(place.url, folder, key))
    try:
        with found.served():
            yield found
    finally:
        found.close()
