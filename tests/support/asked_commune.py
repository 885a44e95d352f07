"""A commune that its province asks for something: store, uplink, and the shard's worker, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL

from station.access.audit_entry import ConsoleEntry
from station.access.audit_log import AuditLog, AuditQuery
from station.config import StationConfig, parse
from station.ingest.inbound import InboundMessage
from station.ingest.subscriber import Subscriber
from station.province.inbound import STATIONS
from station.province.settings import ProvinceConfig, ProvinceDatabase
from station.service import open_uplink
from station.store.database import engine_of
from station.uplink.settings import ProvinceEndpoint
from tests.support.jpegs import jpeg
from tests.support.provinces_up import ProvincePlace
from tests.support.stores import Place
from tests.support.told_events import COMMUNE, event_at, picture_of

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
CLOSE, WHOLE = jpeg(b"close"), jpeg(b"whole")


@dataclass
class AskedCommune:
    """A station's folder; what it says and does goes by the broker at a port."""

    folder: Path
    port: int
    key: Path
    """The province's public key, which its configuration names."""
    allowed: str = "picture, events"
    more: str = ""
    """Further settings of `requests`."""

    def __post_init__(self) -> None:
        self.place = Place(URL.create("sqlite", database=str(self.folder / "station.db")), self.folder)

    @property
    def config(self) -> StationConfig:
        """Its file."""
        asked = f"{{key: {self.key}, allowed: [{self.allowed}]{self.more}}}"
        uplink = f"{{shard: s01, port: {self.port}, requests: {asked}}}"
        text = f"commune: {COMMUNE}\nstate_dir: {self.folder}\nuplink: {uplink}\n"
        return parse(text.encode(), "station.yaml")

    def keep(self, messages: Sequence[InboundMessage]) -> None:
        """What boxes told."""
        with closing(self.place.open()) as store:
            store.commit(messages)

    @contextmanager
    def sending_up(self) -> Iterator[None]:
        """One life of its uplink, as its service opens it."""
        config = self.config
        assert config.uplink is not None
        with ExitStack() as left:
            open_uplink(config, config.uplink, left)
            yield

    def log(self) -> list[ConsoleEntry]:
        """What its audit log says of requests, oldest first."""
        engine = engine_of(self.place.url, writes=False)
        try:
            every = AuditLog(engine, self.folder).every(AuditQuery(verb="province_request"))
            return list(every)[::-1]
        finally:
            engine.dispose()


def an_alert_with_pictures(number: int = 1, box: str = "north-01") -> list[InboundMessage]:
    """An alert, its close picture and the whole view."""
    image, close = picture_of(CLOSE, number, 900 + number, box=box)
    scene, whole = picture_of(WHOLE, number, 950 + number, kind="scene", box=box)
    alert = event_at(number, AT, box=box, severity="alert", kind="wrong_way", image=image, scene=scene)
    return [alert, close, whole]


@contextmanager
def worker_at(province: ProvincePlace, port: int, shard: str = "s01") -> Iterator[None]:
    """One life of the shard's worker."""
    config = ProvinceConfig(
        shard=shard,
        broker=ProvinceEndpoint(port=port),
        database=ProvinceDatabase(url=province.url.set(drivername="postgresql").render_as_string()),
    )
    store = province.open(shard, now=lambda: datetime.now(UTC).timestamp())
    worker = Subscriber(config.subscriber(), store, lives=store, take_over=True, dialect=STATIONS)
    at_work = threading.Thread(target=worker.run)
    at_work.start()
    try:
        yield
    finally:
        worker.stop()
        at_work.join(60)
        store.close()
