"""A store in which things came at moments of long ago, as retention finds it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine

from station.audit.proof import DeletedByAge, StoreFinding, proof
from station.footage.folder import FootageStage
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders, SampleRequest
from station.ingest.inbound import InboundMessage, read
from station.retention.holds import EventHolds, Holder
from station.retention.settings import RetentionSettings
from station.retention.worker import RetentionResult, RetentionRun
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import FalseReason, ReviewState
from station.store.database import engine_of, upgrade
from tests.station.counting.counts import a_count
from tests.station.ingest.test_receipts import BASE
from tests.support.jpegs import jpeg
from tests.support.kept_events import event_now
from tests.support.kept_pictures import pictures_on
from tests.support.stores import Place

DAY_S = 86_400.0
QUIET = {"severity": "info", "phase": "end", "end_reason": "left"}
MINH = Holder("minh", "Trần Văn Minh")
LAN = Reviewer("lan", "Nguyễn Thị Lan")


@dataclass
class AgedStore:
    """One store; `now_s` is what retention takes for now."""

    place: Place
    now_s: float = field(default_factory=time.time)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = engine_of(self.place.url)
        upgrade(self.engine)

    def keep(self, days: float, *messages: InboundMessage) -> None:
        """They came so many days ago."""
        with closing(self.place.open(now=lambda: self.now_s - days * DAY_S)) as store:
            store.commit(messages)

    def event(
        self, number: int, days: float, *, picture: bytes | None = None, revision: int = 1, **fields: Any
    ) -> str:
        """`e-NUMBER` began so many days ago and came at once; gives back its id."""
        ago_s = days * DAY_S + time.time() - self.now_s
        message = event_now(number, revision, ago_s=ago_s, **QUIET | fields)
        assert message.problem is None, message.problem
        self.keep(days, message, *([] if picture is None else [self.picture(number, picture)]))
        return f"e-{number}"

    def picture(self, number: int, words: bytes, stream: str = "s-1") -> InboundMessage:
        """The thumbnail of an event."""
        data = jpeg(words)
        properties = {"stream": stream, "seq": str(number * 100 + 50), "sha256": sha256(data).hexdigest()}
        return read(f"{BASE}camera/north/image/e-{number}/thumbnail", data, properties)

    def snapshot(self, seq: int, days: float, words: bytes = b"snapshot") -> None:
        """A picture that was ordered, and the answer of the box."""
        data = jpeg(words)
        at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        answer = {
            "seq": seq + 1, "stream": "s-2", "published_at": at, "id": f"c-{seq}", "state": "done", "time": at,
        }  # fmt: skip
        self.keep(
            days,
            read(f"{BASE}camera/north/snapshot", data, {"stream": "s-2", "seq": str(seq)}),
            read(f"{BASE}ack/c-{seq}", json.dumps(answer).encode(), {}),
        )

    def frames(self, days: float, order_id: str = "s-1") -> SampleFolder:
        """Frames for training that were ordered and came so many days ago."""
        at = datetime.fromtimestamp(self.now_s - days * DAY_S, UTC)
        request = SampleRequest(
            id=order_id,
            commune="hai-ninh",
            device="north-01",
            purpose="a better detector",
            officer="Lê Văn A",
            issuer="duty-room",
            asked_at=at,
            most=500,
        )
        folder = SampleFolders(self.place.folder / SAMPLES).new(request, None)
        folder.package.mkdir()
        (folder.package / "custody.log").write_text("who had it\n", encoding="utf-8")
        (folder.package / "1.sample.age").write_bytes(b"frame" * 100)
        state = folder.tell(stage=FootageStage.COMPLETE, verdict="authentic").model_dump(mode="json")
        (folder.path / "state.json").write_text(
            json.dumps(state | {"changed_at": at.isoformat()}), encoding="utf-8"
        )
        return folder

    def count(self, seq: int, days: float) -> None:
        """A quarter of an hour of a line."""
        self.keep(days, a_count(seq, datetime.now(UTC) - timedelta(days=days)))

    def review(self, number: int, state: ReviewState, days: float = 0) -> None:
        """The duty room says what it was."""
        queue = ReviewQueue(self.engine, now=lambda: self.now_s - days * DAY_S)
        key = self.key(number)
        reason = FalseReason.ANIMAL if state is ReviewState.FALSE else None
        queue.mark(key, state, LAN, seen=queue.standing(key).change_id, reason=reason)

    @property
    def holds(self) -> EventHolds:
        """What supervisors say."""
        return EventHolds(self.engine, now=lambda: self.now_s)

    def key(self, number: int) -> tuple[int, str]:
        """Ids of box and event."""
        ((box_id,),) = self.place.rows("select id from box where device = 'north-01'")
        return box_id, f"e-{number}"

    def run(
        self, pause: Callable[[float], bool] = lambda _: False, later_days: float = 0, **days: int
    ) -> RetentionResult:
        """One run, with so many days for each class."""
        at_s = self.now_s + later_days * DAY_S
        one = RetentionRun(self.place.url, self.place.folder, now=lambda: at_s, pause=pause)
        try:
            return one.run(RetentionSettings(**days))
        finally:
            one.close()

    def events(self) -> set[str]:
        """Ids of those that are here."""
        return {row[0] for row in self.place.rows("select event_id from event")}

    def files(self) -> set[str]:
        """Hashes of the pictures that lie on the disk."""
        return set(pictures_on(self.place.folder / "blobs"))

    def rows_of_files(self) -> set[str]:
        """Hashes that the store names."""
        return {row[0] for row in self.place.rows("select sha256 from blob")}

    def proven(self) -> tuple[list[StoreFinding], int]:
        """What `verify` finds, and how many messages it tells as deleted."""
        found = list(proof(self.engine, self.place.folder / "blobs"))
        deleted = [each.seqs for each in found if isinstance(each, DeletedByAge)]
        count = sum(last - first + 1 for seqs in deleted for first, last in seqs)
        return [each for each in found if isinstance(each, StoreFinding)], count

    def close(self) -> None:
        self.engine.dispose()
