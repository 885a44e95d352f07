"""agent.workers.footage.sending"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.clips.files import PackageFile
from agent.evidence.clips.in_flight import PackageInFlight
from agent.evidence.clips.requests import ClipRequest, ClipRequests, ClipState, NotedClip
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.message import Priority
from agent.wire.pieces import PIECE_BYTES
from agent.workers.footage.sending import PackageSender
from tests.support.clip_bench import wanted
from tests.support.footage import HandClock

BODY = bytes(range(256)) * 180
"""Three pieces and a bit."""


@dataclass
class Files:
    """Whose files are in memory; some of them are gone."""

    gone: set[str] = field(default_factory=set)
    spares: bool = False
    whole: list[str] = field(default_factory=list)
    whys: list[str | None] = field(default_factory=list)

    def read(self, file: PackageFile) -> bytes:
        if file.name in self.gone:
            raise FootageError(f"{file.name} is gone")
        return file.body or b""

    def arrived(self, sending: PackageInFlight) -> None:
        self.whole.append(sending.request.id)

    def goes_without(self, _sending: PackageInFlight, _file: PackageFile) -> bool:
        return self.spares

    def waits_for(self, _noted: NotedClip) -> str:
        return "waits"

    def ended(self, _request: ClipRequest, why: str | None) -> None:
        self.whys.append(why)


@dataclass
class Sends:
    """One file of requests with its sender."""

    outbox: Outbox
    requests: ClipRequests
    owner: Files
    sender: PackageSender

    def begin(self, request_id: str) -> None:
        """Two files are to be sent."""
        self.requests.note(wanted(request_id, 0, 10))
        self.requests.cut(request_id, [PackageFile(name, len(BODY), BODY) for name in ("one", "two")])
        self.turn()

    def turn(self) -> None:
        for noted in self.requests.open():
            self.sender.begin(noted)
        self.sender.turn(lambda _wait_s=0.0: None)

    def state(self, request_id: str) -> ClipState:
        found = self.requests.find(request_id)
        assert found is not None
        return found.state


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "outbox.db", OutboxSettings(ballast_bytes=0), HandClock())) as outbox:
        yield outbox


def sends(outbox: Outbox, path: Path, owner: Files, **more: object) -> Sends:
    requests = ClipRequests(path)
    return Sends(outbox, requests, owner, PackageSender(requests, owner, outbox, HandClock(), **more))  # type: ignore[arg-type]


def pieces(outbox: Outbox) -> list[str]:
    lying = outbox.footage()
    assert lying is not None
    return sorted(lying.waiting)


def receipt(outbox: Outbox, begins: str = "evidence/") -> None:
    """The station has all that waits below this topic."""
    given = [each for each in outbox.waiting(1000, HandClock().now()) if each.message.topic.startswith(begins)]
    outbox.acknowledge(outbox.stream, [(each.seq, each.sha256[:16]) for each in given])


def test_what_is_gone_is_left_out_where_the_rest_is_worth_something(outbox: Outbox, tmp_path: Path) -> None:
    box = sends(outbox, tmp_path / "a.db", Files(gone={"one"}, spares=True))
    with closing(box.requests):
        box.begin("q-1")
        assert {topic.split("/")[2] for topic in pieces(outbox)} == {"two"}
        receipt(outbox)
        box.turn()

        assert box.state("q-1") is ClipState.COMPLETE
        assert box.owner.whole == ["q-1"]


def test_what_is_gone_ends_a_request_whose_files_belong_together(outbox: Outbox, tmp_path: Path) -> None:
    box = sends(outbox, tmp_path / "a.db", Files(gone={"two"}))
    with closing(box.requests):
        box.begin("q-1")

        assert box.state("q-1") is ClipState.FAILED
        assert box.owner.whys == ["two is gone"]
        assert pieces(outbox) == []


def test_nothing_is_put_while_something_else_goes_first(outbox: Outbox, tmp_path: Path) -> None:
    first: list[bool] = [True]
    box = sends(outbox, tmp_path / "a.db", Files(), may_put=lambda: not first)
    with closing(box.requests):
        box.begin("q-1")
        assert pieces(outbox) == []
        assert [each.message.priority for each in outbox.waiting(9, HandClock().now())] == [Priority.EVENT]

        first.clear()
        box.turn()
        assert len(pieces(outbox)) == 2 * -(-len(BODY) // PIECE_BYTES)


def test_two_senders_share_an_outbox_and_each_hears_of_its_own(outbox: Outbox, tmp_path: Path) -> None:
    one = sends(outbox, tmp_path / "a.db", Files(), most_waiting=8)
    two = sends(outbox, tmp_path / "b.db", Files(), most_waiting=8)
    with closing(one.requests), closing(two.requests):
        one.begin("q-1")
        two.begin("q-2")
        assert {topic.split("/")[1] for topic in pieces(outbox)} == {"q-1"}  # there is no room beside them
        receipt(outbox, "evidence/q-1/")
        two.turn()
        one.turn()
        receipt(outbox, "evidence/q-2/")
        two.turn()

        assert (one.owner.whole, two.owner.whole) == (["q-1"], ["q-2"])
