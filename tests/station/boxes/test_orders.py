"""station.boxes.orders, with a really running box and broker at the other end"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from station.access.roles import Role
from station.boxes import orders
from station.boxes.order_kinds import TERMS, BoxWish, OrderGiver, OrderKind, OrderProgress, OrderStage
from station.boxes.orders import OrderDesk, OrderNotGiven
from station.config import StationConfig
from station.footage.samples.ask import orders as sample_orders
from station.store.blobs import BLOBS
from station.store.database import engine_of, url_of
from station.store.pictures.rows import KeptPictures
from station.watch.embedded import Address
from tests.agent.wire.test_signature import pem
from tests.support.boxes import Box, Station, at_work
from tests.support.brokers import free_port, until

OFFICER = OrderGiver("lan", "Trần Thị Lan", Role.OFFICER)
SUPERVISOR = replace(OFFICER, login="minh", name="Lê Minh", role=Role.SUPERVISOR)
BOX = "test-box-01"
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the station's key for commands; another one beside it."""
    found = tmp_path_factory.mktemp("orders")
    for name in ("command", "another"):
        private, public = pem(Ed25519PrivateKey.generate())
        (found / f"{name}.key").write_bytes(private)
        (found / f"{name}.pub").write_bytes(public)
    return found


@pytest.fixture(scope="module")
def config(folder: Path, embedded: Address) -> StationConfig:
    where = {"host": embedded.host, "port": embedded.port}
    return StationConfig.model_validate(
        {"commune": "test-commune", "state_dir": folder / "station", "broker": where}
    )


@pytest.fixture(scope="module")
def box(folder: Path, embedded: Address) -> Iterator[Box]:
    """It obeys only who has signed, and a station keeps what it sends."""
    box, station = Box(folder, embedded.port), Station(folder, embedded.port)
    with box.config.open("a") as file:
        file.write(f"commands: {{key: {folder / 'command.pub'}}}\n")
    with at_work(station, box):
        until(lambda: box.accepted() > 0, 60, "the box watches")
        yield box


@pytest.fixture
def pictures(config: StationConfig) -> Iterator[KeptPictures]:
    engine = engine_of(url_of(config.database, config.state_dir), writes=False)
    with closing(KeptPictures(engine, config.state_dir / BLOBS)) as kept:
        yield kept


@pytest.fixture
def desk(config: StationConfig, folder: Path, pictures: KeptPictures) -> OrderDesk:
    return OrderDesk(config, folder / "command.key", pictures)


def over(desk: OrderDesk, order: OrderProgress, within_s: float = 120) -> OrderProgress:
    """The order once nothing more comes of it."""

    def is_over() -> bool:
        found = desk.find(order.id)
        return found is not None and found.is_over

    until(is_over, within_s, f"an end of {order.wish.kind}; it is {desk.find(order.id)}")
    found = desk.find(order.id)
    assert found is not None
    return found


def test_one_order_of_each_kind_is_done_by_a_running_box(
    desk: OrderDesk, box: Box, config: StationConfig, pictures: KeptPictures
) -> None:
    began_s = time.monotonic()
    given = desk.give(BoxWish(OrderKind.PICTURE, BOX, "road"), OFFICER)
    assert time.monotonic() - began_s < 0.5
    assert given.stage is OrderStage.SENDING
    picture = over(desk, given)
    assert (picture.stage, picture.why) == (OrderStage.DONE, None)
    assert picture.picture_sha256 is not None
    assert (pictures.read(picture.picture_sha256) or b"").startswith(b"\xff\xd8")

    look = desk.give(BoxWish(OrderKind.LOOK, BOX, "road", seconds=3, purpose="crowd at the gate"), OFFICER)
    live, shown = desk.look(look.id, "lan"), 0
    assert live is not None
    assert desk.look(look.id, "minh") is None
    while not (desk.find(look.id) or look).is_over:
        newest = live.ask().newest
        if newest is not None and (taken := live.take(newest)) is not None:
            shown += taken.data.startswith(b"\xff\xd8")
    assert shown >= 3
    assert over(desk, look).stage is OrderStage.DONE
    assert live.ask().complete

    assert over(desk, desk.give(BoxWish(OrderKind.PAUSE, BOX, "road"), OFFICER)).stage is OrderStage.DONE
    paused = over(desk, desk.give(BoxWish(OrderKind.PICTURE, BOX, "road"), OFFICER))
    assert (paused.stage, paused.picture_sha256) == (OrderStage.FAILED, None)
    assert paused.why == "the camera gave no picture within 10 s"
    assert over(desk, desk.give(BoxWish(OrderKind.RESUME, BOX, "road"), OFFICER)).stage is OrderStage.DONE

    for kind in (OrderKind.RELOAD, OrderKind.RESTART):
        assert over(desk, desk.give(BoxWish(kind, BOX), SUPERVISOR), 150).stage is OrderStage.DONE
    log = (box.folder / "state/audit.log").read_text()
    assert '"issuer":"Tr\\u1ea7n Th\\u1ecb Lan (lan)"' in log
    assert "crowd at the gate" in log
    kinds = [each.wish.kind for each in desk.of_box(BOX)]
    assert kinds[:2] == [OrderKind.RESTART, OrderKind.RELOAD]
    assert len(kinds) == 7


def test_what_a_box_refuses_is_said_in_words(
    box: Box, config: StationConfig, folder: Path, pictures: KeptPictures
) -> None:
    for key, why in (
        (None, "only what is signed"),
        (folder / "another.key", "not the one that this box knows"),
    ):
        desk = OrderDesk(config, key, pictures)
        refused = over(desk, desk.give(BoxWish(OrderKind.PICTURE, BOX, "road"), OFFICER))
        assert refused.stage is OrderStage.REFUSED
        assert why in str(refused.why)
    desk = OrderDesk(config, folder / "command.key", pictures)
    failed = over(desk, desk.give(BoxWish(OrderKind.PICTURE, BOX, "nowhere"), OFFICER))
    assert (failed.stage, failed.why) == (OrderStage.FAILED, "the box has no camera nowhere")
    missing = OrderDesk(config, folder / "no.key", pictures)
    unsent = over(missing, missing.give(BoxWish(OrderKind.PICTURE, BOX, "road"), OFFICER))
    assert unsent.stage is OrderStage.NOT_SENT
    assert "cannot be read as a private key" in str(unsent.why)


def test_a_look_that_nobody_sees_ends(desk: OrderDesk, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.boxes.live_look.HEARS_S", 0.5)
    look = desk.give(BoxWish(OrderKind.LOOK, BOX, "road", seconds=60, purpose="x"), OFFICER)
    found = over(desk, look, 20)

    assert (found.stage, found.why) == (OrderStage.DONE, "nobody was looking any more")


def test_orders_to_many_boxes_wait_side_by_side_and_end_at_their_deadline(
    config: StationConfig, monkeypatch: pytest.MonkeyPatch, pictures: KeptPictures
) -> None:
    terms = {kind: replace(each, life_s=1, wait_s=2) for kind, each in TERMS.items()}
    monkeypatch.setattr(orders, "TERMS", terms)
    desk, began_s = OrderDesk(config, None, pictures), time.monotonic()
    given = [desk.give(BoxWish(OrderKind.PICTURE, f"away-{n:02}", "road"), OFFICER) for n in range(12)]
    with pytest.raises(OrderNotGiven, match="Trần Thị Lan has ordered the same"):
        desk.give(BoxWish(OrderKind.PICTURE, "away-03", "road"), SUPERVISOR)
    found = [over(desk, each, 30) for each in given]

    assert {each.stage for each in found} == {OrderStage.NO_ANSWER}
    assert {each.why for each in found} == {"the box did not do it in time, and will not do it later"}
    assert time.monotonic() - began_s < 20  # one after the other they would take 24 and more


def test_an_order_that_cannot_go_out_says_so(config: StationConfig, pictures: KeptPictures) -> None:
    away = config.model_copy(update={"broker": config.broker.model_copy(update={"port": free_port()})})
    desk = OrderDesk(away, None, pictures)
    found = over(desk, desk.give(BoxWish(OrderKind.RESUME, BOX, "road"), OFFICER), 30)

    assert found.stage is OrderStage.NOT_SENT
    assert found.why


def test_a_picture_that_the_station_keeps_late_is_shown_once_it_does(
    box: Box, config: StationConfig, folder: Path, tmp_path: Path
) -> None:
    engine = engine_of(url_of(config.database, config.state_dir), writes=False)
    elsewhere = KeptPictures(engine, tmp_path / BLOBS)  # where nothing lies yet
    desk = OrderDesk(config, folder / "command.key", elsewhere)
    given = desk.give(BoxWish(OrderKind.PICTURE, BOX, "road"), OFFICER)
    order = over(desk, given)
    assert (order.stage, order.picture_sha256) == (OrderStage.DONE, None)
    assert "not kept the picture yet" in str(order.why)

    shutil.copytree(config.state_dir / BLOBS, tmp_path / BLOBS)
    (shown,) = desk.of_box(BOX)
    assert shown.picture_sha256 is not None
    assert shown.why is None
    elsewhere.close()


def test_frames_are_ordered_by_a_supervisor_who_says_what_for_and_noted_before_that(
    desk: OrderDesk, box: Box, config: StationConfig
) -> None:
    with pytest.raises(OrderNotGiven, match="frames need their purpose"):
        desk.give(BoxWish(OrderKind.SAMPLES, BOX, purpose=" "), SUPERVISOR)
    assert list(sample_orders(config).every()) == []

    wish = BoxWish(OrderKind.SAMPLES, BOX, purpose="a better detector")
    failed = over(desk, desk.give(wish, SUPERVISOR))

    assert failed.stage is OrderStage.FAILED
    assert "samples.enabled is false" in str(failed.why)
    (noted,) = sample_orders(config).every()
    assert (noted.request.officer, noted.request.purpose) == (SUPERVISOR.name, "a better detector")
    assert noted.request.issuer == f"{SUPERVISOR.name} ({SUPERVISOR.login})"
    assert "a better detector" in (box.folder / "state/audit.log").read_text()


def test_who_may_not_give_an_order_gives_none(desk: OrderDesk) -> None:
    for kind in (OrderKind.RELOAD, OrderKind.RESTART, OrderKind.SAMPLES):
        with pytest.raises(OrderNotGiven, match="not for your role"):
            desk.give(BoxWish(kind, BOX, purpose="x"), OFFICER)

    assert desk.of_box(BOX) == ()
    assert desk.find("x") is None


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (BoxWish(OrderKind.LOOK, BOX, "road", purpose="  "), "needs its purpose"),
        (BoxWish(OrderKind.PICTURE, BOX, "No Camera"), "no box would understand"),
        (BoxWish(OrderKind.PICTURE, BOX), "no box would understand"),
        (BoxWish(OrderKind.LOOK, BOX, "road", purpose="x", per_second=50.0), "no box would understand"),
    ],
)
def test_what_no_box_would_understand_is_not_sent(desk: OrderDesk, wish: BoxWish, why: str) -> None:
    with pytest.raises(OrderNotGiven, match=why):
        desk.give(wish, OFFICER)


def test_so_many_orders_run_and_no_more_and_old_ones_are_forgotten(
    config: StationConfig, monkeypatch: pytest.MonkeyPatch, pictures: KeptPictures
) -> None:
    monkeypatch.setattr(orders, "MOST_RUNNING", 3)
    monkeypatch.setattr(orders, "KEPT", 4)
    away = config.model_copy(update={"broker": config.broker.model_copy(update={"port": free_port()})})
    desk = OrderDesk(away, None, pictures)
    first = over(desk, desk.give(BoxWish(OrderKind.RESUME, "b-00", "road"), OFFICER))
    for number in range(1, 8):
        over(desk, desk.give(BoxWish(OrderKind.RESUME, f"b-{number:02}", "road"), OFFICER))

    assert desk.find(first.id) is None
    assert len(desk.of_box("b-07")) == 1
    monkeypatch.setattr(orders, "MOST_RUNNING", 0)
    with pytest.raises(OrderNotGiven, match="too many orders"):
        desk.give(BoxWish(OrderKind.RESUME, BOX, "road"), OFFICER)
