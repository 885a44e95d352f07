"""station.uplink.requests.box_clips, with a real broker"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.errors import BrokerUnreachable, NgatuError, UsageError
from station.footage.folder import FootageStage
from station.uplink.requests.box_clips import clip_id
from tests.support.asked_footage import FootageStation, args_of, hearing_box
from tests.support.brokers import Mosquitto, until
from tests.support.judged_packages import CAMERA, DEVICE
from verifier.judge import judge


@pytest.fixture
def station(tmp_path: Path) -> Iterator[FootageStation]:
    made = FootageStation(tmp_path)
    yield made
    made.close()


@pytest.mark.broker
def test_a_box_is_asked_once_and_again_only_word_for_word(
    station: FootageStation, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    station.port = start_mosquitto().port
    request = station.request()
    with hearing_box(station.port) as orders:
        station.clips.ask(request, args_of(request))
        until(lambda: len(orders) == 1)
        folder = station.clips.find(request, args_of(request))
        assert folder is not None
        station.clips.ask_again(folder)
        until(lambda: len(orders) == 2)
        with pytest.raises(NgatuError):  # its folder is there
            station.clips.ask(request, args_of(request))

    assert orders[0] == orders[1] == folder.order.read_bytes()
    said = json.loads(orders[0])
    assert said["id"] == clip_id(request) == folder.request.id
    assert said["issuer"] == "province: Lan (lan)" and said["args"]["officer"] == "Lan (lan)"
    assert said["args"]["case_number"] == "12/2026" and folder.request.camera == CAMERA
    assert folder.state().stage is FootageStage.ASKED


@pytest.mark.broker
def test_a_camera_that_the_box_does_not_name_is_not_asked_for(
    station: FootageStation, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    station.port = start_mosquitto().port
    request = station.request(camera="south")
    with hearing_box(station.port) as orders, pytest.raises(UsageError):
        station.clips.ask(request, args_of(request))

    assert orders == [] and station.clips.find(request, args_of(request)) is None


def test_without_a_broker_nothing_is_noted(station: FootageStation) -> None:
    request = station.request()
    with pytest.raises(BrokerUnreachable):
        station.clips.ask(request, args_of(request))

    assert station.clips.find(request, args_of(request)) is None


def test_each_request_has_a_clip_of_its_own_and_always_the_same(station: FootageStation) -> None:
    ids = {clip_id(station.request(number)) for number in range(20)}
    assert len(ids) == 20 and clip_id(station.request(3)) in ids
    assert clip_id(station.request(1, camera="south")) != clip_id(station.request(1))


def test_how_the_box_stands_is_what_it_has_told(station: FootageStation) -> None:
    place, is_connected = station.clips.stands(args_of(station.request()))
    assert place is not None and place.title == "Ngã tư" and is_connected
    station.tell("offline")
    assert station.clips.stands(args_of(station.request()))[1] is False
    assert station.clips.stands(args_of(station.request(camera="south")))[0] is None
    assert station.clips.stands(args_of(station.request(device="pole-9"))) == (None, False)


def test_what_is_handed_up_says_to_whom_and_is_authentic_to_the_verifier(
    station: FootageStation, tmp_path: Path
) -> None:
    folder = station.here()
    station.clips.hand_up(station.request(), folder)

    found = station.clips.handed_up(folder)
    assert found is not None
    with zipfile.ZipFile(found.file) as archive:
        archive.extractall(tmp_path / "court")
    (top,) = (tmp_path / "court").iterdir()
    judgement = judge(
        top / "package", station.packages.maker.key.public_key(), station.packages.custody.public()
    )
    assert str(judgement.verdict) == "authentic"
    assert (judgement.custody[-1].act, judgement.custody[-1].by) == ("handed_over", "station")
    assert "Lan (lan)" in judgement.custody[-1].detail
    assert (top / "keys" / f"{DEVICE}.pub").exists() and (top / "ngatu-verify.pyz").exists()
