"""station.uplink.requests.footage, driven by the desk"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from station.footage.folder import FootageStage
from station.handover.shelf import TO_PROVINCE
from station.uplink.requests.answer import PIECE_BYTES
from station.uplink.requests.box_clips import clip_id
from station.uplink.requests.effect import RequestPart
from station.uplink.requests.errands import Errands
from station.uplink.requests.footage import BEGUN, LATEST, FootageEffect
from station.uplink.requests.order import RequestReason
from tests.support.asked_footage import FootageStation, args_of, hearing_box
from tests.support.asked_requests import NOW
from tests.support.brokers import Mosquitto, until

ACCEPTED = ("accepted", None)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[FootageStation]:
    made = FootageStation(tmp_path)
    yield made
    made.close()


def verified(data: bytes, to: Path) -> tuple[int, str]:
    """As a court does it: the file is unpacked, and its own verifier asked."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(to)
    (top,) = to.iterdir()
    words = [
        sys.executable, "ngatu-verify.pyz", "package", "--key", "keys/pole-7.pub", "--station",
        "keys/station.pub",
    ]  # fmt: skip
    done = subprocess.run(words, cwd=top, capture_output=True, text=True, check=False, env={"LANG": "C"})
    return done.returncode, done.stdout


@pytest.mark.long
def test_a_package_that_is_here_goes_up_in_parts_and_proves_itself(
    station: FootageStation, tmp_path: Path
) -> None:
    station.here()
    station.ask()
    station.turn_until(station.is_ended)

    assert station.driven.said() == [ACCEPTED, ("accepted", "box_sends"), ("done", None)]
    data, (file,) = station.sent(), station.driven.answers()[-1].files
    assert (file.size_bytes, file.sha256) == (len(data), sha256(data).hexdigest())
    assert len(station.driven.pieces()) == -(-len(data) // PIECE_BYTES) > 1
    code, said = verified(data, tmp_path / "court")
    assert code == 0 and said.startswith("authentic: ")


def test_a_byte_that_was_changed_on_the_way_is_found(station: FootageStation, tmp_path: Path) -> None:
    station.here()
    station.ask()
    station.turn_until(station.is_ended)

    data = bytearray(station.sent())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        film = next(each for each in archive.infolist() if each.filename.endswith(".mp4"))
    data[film.header_offset + film.file_size // 2] ^= 1
    assert sha256(data).hexdigest() != station.driven.answers()[-1].files[0].sha256
    with pytest.raises(zipfile.BadZipFile):
        verified(bytes(data), tmp_path / "court")


def test_who_asked_and_for_which_case_stands_in_the_log(station: FootageStation) -> None:
    station.here()
    station.ask()

    (entry,) = station.driven.log()
    assert (entry.name, entry.subject, entry.address) == ("Lan (lan)", "pole-7/north", "province")
    assert entry.details["case"] == "12/2026" and entry.details["asked"] == "footage"
    assert entry.details["purpose"] == "tai nạn, tin báo 12/2026"


def test_what_the_file_does_not_allow_is_refused(tmp_path: Path) -> None:
    station = FootageStation(tmp_path)
    station.driven.settings = station.driven.settings.model_copy(
        update={"requests": station.driven.settings.requests.model_copy(update={"allowed": ("picture",)})}  # type: ignore[union-attr]
    )
    station.driven.again()
    station.ask()
    assert station.driven.said() == [("refused", "not_allowed")]
    station.close()


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"to_ms": NOW.timestamp() * 1000}, "malformed"),  # more than an hour: no station does it
        ({"case_number": " "}, "malformed"),
    ],
)
def test_what_makes_no_sense_is_refused(station: FootageStation, args: dict[str, object], reason: str) -> None:
    station.ask(**args)
    assert station.driven.said() == [("refused", reason)]


@pytest.mark.parametrize(("device", "camera"), [("pole-7", "south"), ("pole-9", "north")])
def test_a_camera_that_is_not_there_is_told_and_nobody_is_asked(
    station: FootageStation, device: str, camera: str
) -> None:
    station.ask(device=device, camera=camera)
    assert station.driven.said()[-1] == ("failed", "no_camera")


def test_a_clip_that_is_longer_than_the_station_allows_is_not_asked_for(tmp_path: Path) -> None:
    station = FootageStation(tmp_path, more={"max_clip_s": 53})
    station.ask()
    assert station.driven.said()[-1] == ("failed", "too_long")
    station.close()


def test_a_box_that_is_away_is_not_asked_until_it_is_back_and_the_province_hears_of_it(
    station: FootageStation, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    station.tell("offline")
    station.ask()
    for _ in range(9):
        station.driven.turn()
    assert station.driven.said() == [ACCEPTED, ("accepted", "box_away")]
    station.driven.now += timedelta(hours=1)
    station.driven.turn()
    assert station.driven.said()[-1] == ("failed", "box_away")


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (FootageStage.REFUSED, "box_refused"),
        (FootageStage.FAILED, "box_failed"),
        (FootageStage.DELETED, "not_kept"),
    ],
)
def test_a_box_that_does_not_send_it_ends_the_request_with_a_reason(
    station: FootageStation, stage: FootageStage, reason: str
) -> None:
    station.here().tell(stage=stage)
    station.ask()
    assert station.driven.said()[-1] == ("failed", reason)


def test_what_was_not_judged_does_not_go_up(station: FootageStation) -> None:
    station.here().tell(verdict="not judged")
    station.ask()
    station.turn_until(station.is_ended)
    assert station.driven.said()[-1] == ("failed", "no_proof") and station.driven.pieces() == []


def test_what_is_larger_than_a_days_bytes_is_not_begun(station: FootageStation) -> None:
    asked = station.driven.settings.requests
    assert asked is not None
    less = asked.model_construct(**(dict(asked) | {"bytes_per_day": 1000}))
    station.driven.settings = station.driven.settings.model_copy(update={"requests": less})
    station.driven.again()
    station.here()
    station.ask()
    station.turn_until(station.is_ended)
    assert station.driven.said()[-1] == ("failed", "too_large") and station.driven.pieces() == []


@pytest.mark.long
def test_what_the_day_has_no_room_for_is_not_begun_and_breaks_off_nowhere(station: FootageStation) -> None:
    station.here(1)
    station.ask(1)
    station.turn_until(station.is_ended)
    size = len(station.sent())
    asked = station.driven.settings.requests
    assert asked is not None
    less = asked.model_construct(**(dict(asked) | {"bytes_per_day": size + size // 2}))
    station.driven.settings = station.driven.settings.model_copy(update={"requests": less})
    station.driven.again()
    before = len(station.driven.pieces())
    station.here(2)
    station.ask(2)
    station.turn_until(lambda: station.driven.said()[-1] == ("failed", "over_quota"))
    assert len(station.driven.pieces()) == before


def test_nothing_goes_while_the_outbox_has_no_room(station: FootageStation) -> None:
    station.here()
    station.driven.has_room = False
    station.ask()
    for _ in range(5):
        station.driven.turn()
    assert station.driven.pieces() == [] and station.driven.said() == [ACCEPTED]


def test_the_station_may_die_at_every_step_and_the_same_file_goes_up(station: FootageStation) -> None:
    """It dies before each look, and each time that something is put into the outbox."""
    half = station.here().path / TO_PROVINCE / "ngatu-half.zip"
    half.parent.mkdir()
    half.write_bytes(b"half")  # of a life that ended while it made the file
    station.driven.has_room = False
    station.ask()
    station.driven.again()
    station.driven.has_room = True
    station.turn_until(station.driven.pieces)

    def another_life() -> bool:
        station.driven.again()
        station.driven.dies = True
        try:
            station.driven.turn()
        except OSError:
            station.driven.again()
        station.driven.dies = False
        station.driven.turn()
        return station.is_ended()

    until(another_life, 120)

    (file,) = station.driven.answers()[-1].files
    assert sha256(station.sent()).hexdigest() == file.sha256
    assert {each.file.sha256 for each in station.driven.pieces()} == {file.sha256}
    assert len(station.driven.log()) == 1


def test_another_outbox_is_sent_the_same_file_once_more(station: FootageStation) -> None:
    station.here()
    station.ask()
    station.turn_until(station.is_ended)
    first = station.sent()
    station.driven.put.clear()
    station.driven.outbox = "u-2"
    station.turn_until(lambda: station.driven.answers() and station.is_ended())

    assert station.sent() == first


def test_a_package_that_goes_by_its_age_while_it_goes_up_is_told(station: FootageStation) -> None:
    folder = station.here()
    station.ask()
    station.turn_until(station.driven.pieces)
    folder.tell(stage=FootageStage.DELETED)
    station.turn_until(station.is_ended)
    assert station.driven.said()[-1] == ("failed", "not_kept")


@pytest.mark.broker
def test_a_station_that_dies_after_it_noted_the_order_sends_it_again_and_asks_for_nothing_else(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    station = FootageStation(tmp_path, start_mosquitto().port)
    with hearing_box(station.port) as orders:
        station.ask()
        station.turn_until(lambda: orders)
        station.driven.again()
        station.turn_until(lambda: len(orders) == 2)

    assert orders[0] == orders[1]
    assert station.driven.said() == [ACCEPTED, ("accepted", "box_sends")]
    station.close()


@pytest.mark.broker
def test_a_station_that_died_before_the_order_was_written_asks_once(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    station = FootageStation(tmp_path, start_mosquitto().port)
    request = station.request()
    station.packages.asked(clip_id(request))
    assert station.clips.find(request, args_of(request)) is not None
    with hearing_box(station.port) as orders:
        station.ask()
        station.turn_until(lambda: orders)

    folder = station.clips.find(request, args_of(request))
    assert folder is not None and folder.order.read_bytes() == orders[0] and len(orders) == 1
    station.close()


def test_a_box_that_never_sends_it_is_not_waited_for_for_ever(station: FootageStation) -> None:
    folder, asked = station.here(), station.driven.settings.requests
    folder.tell(stage=FootageStage.SENDING)
    assert asked is not None

    def step(after: timedelta) -> RequestPart:
        at = folder.request.asked_at + after
        return FootageEffect(station.clips, asked, Errands(), lambda: at).part(station.request(), BEGUN)

    assert step(LATEST).reason is RequestReason.BOX_SENDS and not step(LATEST).is_last
    late = step(LATEST + timedelta(seconds=1))
    assert late.is_last and late.reason is RequestReason.LATE
