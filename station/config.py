"""The configuration of a station: one YAML file, read as strictly as a box's.

`load` gives a StationConfig that is right in every value, or one ConfigError that tells every mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from agent.errors import WireError
from agent.language import Language
from agent.settings.base import Name, Secret, Settings
from agent.settings.diagnostics import Finding, read_bounded, read_settings
from agent.translatable import tr
from agent.transport.settings import EndpointSettings
from agent.wire.topics import ROOT, STATION, Topics
from station.ingest.settings import SubscriberSettings
from station.outward.settings import OutwardSettings, outward_apart
from station.retention.settings import RetentionSettings
from station.uplink.settings import UplinkSettings

FIRST_TRY = Path("ngatu-station", "station.yaml")
"""What `ngatu station --commune NAME` has written, seen from where it was called."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _servers(url: str) -> list[tuple[str | None, int | None]]:
    """Host and port of each server that a database's address names; libpq parts several with commas.

    Raises:
        ValueError: a port is none.
    """
    named = (urlsplit(f"//{each}") for each in urlsplit(url).netloc.rpartition("@")[2].split(","))
    return [(each.hostname, each.port) for each in named]


class DatabaseSettings(Settings):
    """Where events and everything else but pictures lie."""

    url: str | None = Field(
        None,
        max_length=500,
        description="A PostgreSQL database of the station's own, such as postgresql://ngatu@127.0.0.1/ngatu, "
        "without a password; null: SQLite, in the file station.db of state_dir. Of a server and its standby "
        "both, with commas: postgresql://ngatu@db-1,db-2/ngatu?target_session_attrs=read-write.",
    )
    password: Secret | None = Field(None, description="Where PostgreSQL's password lies.")

    @field_validator("url")
    @classmethod
    def _postgresql_without_password(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts, servers = urlsplit(url), _servers(url)
        except ValueError:
            raise ValueError(tr("no address such as postgresql://ngatu@127.0.0.1/ngatu")) from None
        nameless = len(servers) > 1 and any(not host or ":" in host for host, _ in servers)
        if parts.scheme not in ("postgresql", "postgresql+psycopg") or not parts.path.strip("/") or nameless:
            raise ValueError(tr("no address such as postgresql://ngatu@127.0.0.1/ngatu"))
        if parts.password is not None:
            raise ValueError(tr("take the password out of the url; set password instead"))
        return url


class IngestSettings(Settings):
    """How messages are taken in."""

    gap_after_s: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="A number that is missing for so long, while later ones are here, is told as a gap.",
    )


class QuotaSettings(Settings):
    """How much is taken of one box in a day of UTC; what is beyond it has no receipt, and waits at the box.

    A busy junction of four cameras tells some 20,000 events a day, in 70,000 messages with their pictures,
    counts and seals, and 400 MB of them at most. So the defaults are three days of that in one, for a box that
    was cut off, and four times what its outbox holds.
    """

    messages_per_day: int = Field(200_000, ge=1_000, le=100_000_000, description="Messages of one box.")
    bytes_per_day: int = Field(
        2**30, ge=2**20, le=2**50, description="What they take of the disk, rows and pictures. Pictures: 3/4."
    )
    unreadable_bytes_per_day: int = Field(
        2**20,
        ge=0,
        le=2**40,
        description="Of these, what cannot be read or contradicts what came before.",
    )
    streams_per_day: int = Field(
        100, ge=1, le=1_000_000, description="New lives of its outbox; a box has one in years."
    )


class PictureSettings(Settings):
    """How the files of pictures are looked after."""

    look_s: float = Field(
        300.0,
        ge=1,
        le=540,
        description="How long a look takes at whether each picture is still on the disk; one follows another. "
        "It reads names, no pictures.",
    )


class FootageSettings(Settings):
    """Footage that this station asks for."""

    max_bytes: int = Field(
        4 * 2**30,
        ge=2**20,
        le=2**40,
        description="Of one package at most; a box that lists more is not believed.",
    )
    key: Path | None = Field(
        None,
        description="File of the station's age identity, by which it reads footage; "
        "null: footage.key in state_dir. `ngatu station footage-key` makes it.",
    )


class BackupSettings(Settings):
    """Where the store is copied to, and what the boxes may forget meanwhile."""

    folder: Path | None = Field(
        None,
        description="Folder of the backup, on another disk or another machine's; `ngatu station backup` writes "
        "there unless it is told another one. null: only where that command is told to.",
    )
    journal: bool = Field(
        False,
        description="Write everything to the backup's folder before the boxes may forget it: then a restore "
        "lacks nothing that they have forgotten. Off: it lacks what came after the latest backup.",
    )
    journal_away: Literal["wait", "go_on"] = Field(
        "wait",
        description="While the journal cannot be written. wait: keep nothing and give no receipts, so that the "
        "boxes keep it; go_on: keep it without the journal. Either is an alarm.",
    )
    due_after_h: float = Field(
        26.0, gt=0, le=8_784, description="A backup older than so many hours raises an alarm."
    )

    @model_validator(mode="after")
    def _journal_needs_a_folder(self) -> BackupSettings:
        if self.journal and self.folder is None:
            raise ValueError(tr("journal needs folder: where is it to be written?"))
        return self


class WebSettings(Settings):
    """The duty room's screen."""

    scope: Literal["commune", "province"] = Field(
        "commune",
        description="Whose boxes it shows: those of the station's commune, or those of every commune that "
        "sends up to the province; the second in the province's file only.",
    )
    host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=253,
        description="The address where it listens. Off loopback only behind a proxy with TLS, "
        "such as the one that the playbooks set up.",
    )
    port: int = Field(8480, ge=1, le=65535, description="The port.")
    public_url: str | None = Field(
        None,
        max_length=300,
        pattern=r"^https://[^/?#@\s]+/?$",
        description="What officers type, such as https://tram.hai-ninh.example, where a proxy has TLS; "
        "null: the address above.",
    )
    language: Language = Field("vi", description="Of whoever has not chosen another.")
    time_zone: str = Field("Asia/Ho_Chi_Minh", description="By which moments are shown, as IANA names it.")
    command_key: Path | None = Field(
        None,
        description="The station's private key for commands (Ed25519, PEM): orders from the screen are signed "
        "with it; null: they are not, and boxes that have the public key refuse them.",
    )
    idle_min: int = Field(
        480, ge=5, le=10_080, description="Who does nothing for so many minutes logs in again."
    )
    life_h: int = Field(24, ge=1, le=720, description="And everybody after so many hours.")

    @property
    def address(self) -> str:
        """What is typed into a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/") + "/"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(tr("no time zone such as Asia/Ho_Chi_Minh")) from None
        return name


class StationLog(Settings):
    """What the station writes about its own work, to standard output."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: for people on a terminal, JSON everywhere else."
    )


class StationConfig(Settings):
    """Everything that can be said to a station."""

    example_command: ClassVar[str] = "ngatu station example"

    commune: Name = Field(examples=["hai-ninh"], description=tr("Whose boxes: the commune in their topics."))
    name: Name = Field("station", description="The station's name, in its receipts and to the broker.")
    state_dir: Path = Field(
        Path("/var/lib/ngatu-station"),
        validate_default=False,  # pydantic's JSON mode refuses a Path that is no text, even as a default
        description="Folder for the database and the pictures; on a disk of its own if possible.",
    )
    broker: EndpointSettings = Field(EndpointSettings(), description="Where the broker is.")
    database: DatabaseSettings = Field(
        DatabaseSettings(), description="Where events and everything else but pictures lie."
    )
    ingest: IngestSettings = Field(IngestSettings(), description="How messages are taken in.")
    quota: QuotaSettings = Field(QuotaSettings(), description="How much is taken of one box in a day of UTC.")
    pictures: PictureSettings = Field(
        PictureSettings(), description="How the files of pictures are looked after."
    )
    footage: FootageSettings = Field(FootageSettings(), description="Footage that this station asks for.")
    backup: BackupSettings = Field(
        BackupSettings(), description="Where the store is copied to, and what the boxes may forget meanwhile."
    )
    retention: RetentionSettings | None = Field(
        None,
        description="After how many days what boxes told is deleted; null: nothing is ever deleted, as a "
        "station that keeps records of violations needs it.",
    )
    web: WebSettings | None = Field(
        None, description="The duty room's screen; null: there is none, and `ngatu watch` shows events."
    )
    outward: OutwardSettings = Field(
        OutwardSettings(), description="What leaves the station for other programs; it needs the screen: web."
    )
    uplink: UplinkSettings | None = Field(
        None, description="What the province is told of this commune; null: nothing goes up."
    )
    log: StationLog = Field(StationLog(), description="What the station writes about its own work.")
    language: Language | None = Field(
        None,
        description="In which the commands tell people things; null: as LC_ALL, LC_MESSAGES or LANG say. "
        "Log lines and receipts are always English.",
    )

    @model_validator(mode="after")
    def _outward_is_apart(self) -> StationConfig:
        if (prefix := outward_apart(self.outward, self.broker.root)) is not None:
            raise ValueError(tr("{prefix} is where boxes and station speak", prefix=prefix))
        return self

    def subscriber(self, *, receipts: bool = True) -> SubscriberSettings:
        """The connection's settings; without receipts it only looks on, under an id that no other has."""
        return SubscriberSettings(
            **dict(self.broker),
            communes=(self.commune,),
            station=self.name,
            client_id=f"ngatu-station.{self.commune}.{self.name}" if receipts else None,
            receipts=receipts,
        )


def load(path: Path) -> StationConfig:
    """The configuration in a file.

    Raises:
        ConfigError: the file cannot be read, or has mistakes; the text tells all of them, each with its line.
    """
    hint = tr(
        "start from `{command}`, or without: `ngatu station --commune NAME`",
        command=StationConfig.example_command,
    )
    if not path.exists() and FIRST_TRY.exists():
        hint = tr("the first try's file is here: -c {file}", file=FIRST_TRY)
    return parse(read_bounded(path, hint), str(path))


def parse(data: bytes, file: str) -> StationConfig:
    """The configuration in a text; `file` is what messages call it.

    Raises:
        ConfigError: with every mistake, each with its line.
    """
    return read_settings(data, file, StationConfig, _topics, _of_a_box)


def _of_a_box(plain: dict[str, Any]) -> tuple[str, str] | None:
    if "commune" in plain or "device" not in plain:
        return None
    return (
        tr("this is the file of a box: it has a device, and no commune"),
        tr("`{command}` shows a station's", command=StationConfig.example_command),
    )


def _topics(plain: Any) -> Iterator[Finding]:
    """What may be a name by itself but cannot stand in a topic; `plain` may hold anything."""
    fields = plain if isinstance(plain, dict) else {}
    web = fields.get("web")
    if isinstance(web, dict) and web.get("scope") == "province":
        hint = tr("leave it out here; `ngatu province console` serves it, out of the province's file")
        yield ("web", "scope"), tr("a station shows its own commune"), hint
    broker = fields.get("broker")
    root = broker.get("root") if isinstance(broker, dict) else None
    for path, value, levels in (
        (("commune",), fields.get("commune"), (fields.get("commune"), "box", ROOT)),
        (("broker", "root"), root, ("commune", "box", root)),
    ):
        if isinstance(value, str) and (value == STATION or path[0] == "broker"):
            try:
                Topics(*levels)
            except WireError as error:
                yield path, error.what, error.hint


def warnings(config: StationConfig) -> list[str]:
    """What is allowed but deserves a look, one line each."""
    found: list[str] = []
    if config.broker.tls is None and any(host not in LOOPBACK for host, _ in config.broker.addresses):
        found.append(tr("broker.tls is not set: pictures and passwords go over the network in the clear"))
    uplink = config.uplink
    if uplink and uplink.tls is None and any(host not in LOOPBACK for host, _ in uplink.addresses):
        found.append(
            tr("uplink.tls is not set: what goes up to the province goes over the network in the clear")
        )
    servers = _servers(config.database.url) if config.database.url else []
    if any(host is not None and host not in LOOPBACK for host, _ in servers):
        found.append(tr("database.url names another machine: events go there over the network"))
    if config.web is not None and config.web.host not in LOOPBACK:
        found.append(
            tr("web.host is off loopback, and no proxy has TLS: passwords go over the network in the clear")
            if config.web.public_url is None
            else tr("web.host is off loopback: the screen can be reached around the proxy of web.public_url")
        )
    if config.web is None and (config.outward.webhooks or config.outward.republish.prefixes):
        found.append(tr("outward needs web: nothing leaves the station for other programs"))
    return found


EXAMPLES: dict[str, Any] = {
    "broker.password": {"file": "/etc/ngatu-station/broker.password"},
    "database.password": {"file": "/etc/ngatu-station/database.password"},
    "backup.folder": "/mnt/backup/hai-ninh",
    "uplink.host": "broker.quang-ninh.example",
    "uplink.port": 8883,
    "uplink.password": {"file": "/etc/ngatu-station/uplink.password"},
    "outward.webhooks[].name": "dispatch",
    "outward.webhooks[].url": "https://dispatch.hai-ninh.example/hook",
    "outward.webhooks[].secret": {"file": "/etc/ngatu-station/dispatch.secret"},
}
"""What station.example.yaml shows for settings without a default."""
