"""The configuration of a worker of the province: one YAML file, read as strictly as a station's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from agent.language import Language
from agent.settings.base import Name, Settings
from agent.settings.diagnostics import read_bounded, read_settings
from agent.translatable import tr
from agent.wire.topics import STATION
from station.config import DatabaseSettings, StationLog
from station.ingest.settings import SubscriberSettings
from station.uplink.settings import ProvinceEndpoint


class ProvinceDatabase(DatabaseSettings):
    """Where everything lies that the province keeps."""

    url: str = Field(
        max_length=500,
        examples=["postgresql://ngatu@127.0.0.1/province"],
        description="A PostgreSQL database of the province's own, without a password. Of a server and its "
        "standby both, with commas: postgresql://ngatu@db-1,db-2/province?target_session_attrs=read-write.",
    )


class ProvinceConfig(Settings):
    """Everything that can be said to a worker."""

    example_command: ClassVar[str] = "ngatu province example"

    shard: Name = Field(examples=["s01"], description="Whose communes: the shard in their topics.")
    name: Name = Field("province", description="The worker's name, in its receipts.")
    broker: ProvinceEndpoint = Field(ProvinceEndpoint(), description="Where the province's broker is.")
    database: ProvinceDatabase = Field(description="The province's database.")
    retention_months: int | None = Field(
        None, ge=1, le=1_200, description="Months that are kept whole; null: nothing is ever deleted."
    )
    log: StationLog = Field(StationLog(), description="What the worker writes about its own work.")
    language: Language | None = Field(
        None, description="In which the commands tell people things; null: as LC_ALL, LC_MESSAGES or LANG say."
    )

    @field_validator("shard")
    @classmethod
    def _may_stand_in_a_topic(cls, shard: str) -> str:
        if shard == STATION:
            raise ValueError(tr("'station' is the worker's own place in the topics: name it otherwise"))
        return shard

    def subscriber(self) -> SubscriberSettings:
        """The connection's settings: the shard is to the worker what the commune is to a station."""
        return SubscriberSettings(
            **dict(self.broker),
            communes=(self.shard,),
            station=self.name,
            client_id=f"ngatu-province.{self.shard}",
            receipts=True,
        )


def load(path: Path) -> ProvinceConfig:
    """The configuration in a file.

    Raises:
        ConfigError: the file cannot be read, or has mistakes; the text tells all of them, each with its line.
    """
    hint = tr("start from `{command}`", command=ProvinceConfig.example_command)
    return parse(read_bounded(path, hint), str(path))


def parse(data: bytes, file: str) -> ProvinceConfig:
    """The configuration in a text; `file` is what messages call it.

    Raises:
        ConfigError: with every mistake, each with its line.
    """
    return read_settings(data, file, ProvinceConfig)


EXAMPLES: dict[str, Any] = {
    "broker.password": {"file": "/etc/ngatu-province/broker.password"},
    "database.password": {"file": "/etc/ngatu-province/database.password"},
}
"""What the example shows for settings without a default."""
