"""The configuration of a worker of the province: one YAML file, read as strictly as a station's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, field_validator

from agent.language import Language
from agent.settings.base import Name, Settings
from agent.settings.diagnostics import read_bounded, read_settings
from agent.translatable import tr
from agent.wire.topics import STATION
from station.config import DatabaseSettings, StationConfig, StationLog, WebSettings
from station.ingest.settings import SubscriberSettings
from station.uplink.envelope import MAX_ITEMS, MAX_PLAIN_BYTES
from station.uplink.settings import ProvinceEndpoint


class ProvinceDatabase(DatabaseSettings):
    """Where everything lies that the province keeps."""

    url: str = Field(
        max_length=500,
        examples=["postgresql://ngatu@127.0.0.1/province"],
        description="A PostgreSQL database of the province's own, without a password. Of a server and its "
        "standby both, with commas: postgresql://ngatu@db-1,db-2/province?target_session_attrs=read-write.",
    )


ROW_BYTES: Final = 1024
"""What the rows of an item take beside its bytes, indexes included."""


class CommuneQuota(Settings):
    """How much is taken of one commune in a day of UTC; what is beyond it has no receipt, and waits there.

    Forty boxes at busy junctions, whose info events go up too, are 800,000 items and 2 GB a day. What an outage
    of days has heaped up comes on the days after.
    """

    bytes_per_day: int = Field(
        4 * 2**30,
        ge=16 * (MAX_PLAIN_BYTES + MAX_ITEMS * ROW_BYTES),
        le=2**50,
        description="What envelopes hold unpacked, and 1 KiB for each item. Without an alert: 3/4.",
    )
    items_per_day: int = Field(
        2_000_000,
        ge=16 * MAX_ITEMS,
        le=10**10,
        description="Events, seals, hours and states. In envelopes without an alert: 3/4.",
    )


MAX_FOOTAGE_BYTES: Final = 512 * 2**20


class RequestRetention(Settings):
    """How long what came on request is kept, and how much of it is taken."""

    picture_days: int = Field(
        30,
        ge=1,
        le=3_650,
        description="Days after which a picture or footage that a station sent on request is deleted.",
    )
    max_footage_bytes: int = Field(
        MAX_FOOTAGE_BYTES,
        ge=2**20,
        le=2**32,
        description="Of footage that was asked for once; a station that announces more is not believed.",
    )


class ProvinceWeb(WebSettings):
    """The console over all communes; `ngatu province console` serves it."""

    scope: Literal["commune", "province"] = Field(
        "province", description="Whose boxes it shows: those of every commune that sends up to the province."
    )
    command_key: Path | None = Field(
        None,
        description="The province's private key for requests (Ed25519, PEM): what stations are asked is signed "
        "with it; null: nothing can be asked.",
    )

    @field_validator("scope")
    @classmethod
    def _of_the_province(cls, scope: str) -> str:
        if scope != "province":
            raise ValueError(tr("here is the province: a commune's own console is its station's"))
        return scope


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
    quota: CommuneQuota = Field(CommuneQuota(), description="How much is taken of one commune in a day of UTC.")
    requests: RequestRetention = Field(RequestRetention(), description="What came on request.")
    state_dir: Path = Field(
        Path("/var/lib/ngatu-province"),
        validate_default=False,  # as in a station's file
        description="Folder for what the console keeps beside the database: the newest entries of its log.",
    )
    web: ProvinceWeb | None = Field(
        None, description="The console over all communes, by `ngatu province console`; null: there is none."
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

    def desk(self) -> StationConfig:
        """The console's settings: to it the province is a station of which it knows only the database."""
        return StationConfig(
            commune=self.name,
            state_dir=self.state_dir,
            database=DatabaseSettings(url=self.database.url, password=self.database.password),
            web=self.web,
            log=self.log,
            language=self.language,
        )

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
