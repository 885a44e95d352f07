"""fleet.rollout_check: a box is taken as working when it says so itself, and of this life"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.errors import BrokerUnreachable, NgatuError
from agent.transport.settings import EndpointSettings
from agent.wire.payloads import HealthPayload, InfoPayload, StatusPayload
from fleet.rollout_check import ObservedBox, Wanted, gone_back, look, missing, proven
from tests.support.boxes import Box, at_work
from tests.support.brokers import Mosquitto, free_port

NOW = datetime(2026, 11, 25, tzinfo=UTC)
ONE, TWO = "01a2104d-099d-7eef-8c91-b027ce58d547", "01a2104d-099d-7eef-8c91-b027ce58d548"
SHA = "a" * 64
GOOD: dict[str, Any] = {"state": "streaming", "fps_analysed": 3.0}


def seen(state: str = "online", session: str = ONE, **more: Any) -> ObservedBox:
    known: dict[str, Any] = {"north": GOOD, "south": GOOD} | more.pop("cameras", {})
    versions = {"ngatu": more.pop("version", "0.2.0")}
    return ObservedBox(
        StatusPayload.model_validate({"state": state, "session": session, "time": NOW}),
        InfoPayload.model_validate(
            {"commune": "hai-ninh", "device": "hai-ninh-03", "session": ONE, "time": NOW,
             "versions": versions, "config_sha256": more.pop("sha", SHA)}
        ),
        HealthPayload.model_validate(
            {"session": more.pop("health_session", ONE), "time": NOW, "cameras": known, **more}
        ),
    )  # fmt: skip


WANTED = Wanted("0.2.0", SHA)


def test_a_box_that_streams_with_the_new_release_has_proven_it() -> None:
    assert missing(seen(), WANTED) == []


@pytest.mark.parametrize(
    ("box", "why"),
    [
        (ObservedBox(), "it has never been at this broker"),
        (seen("offline"), "it is offline"),
        (seen("stopped"), "it is stopped"),
        (seen(session=TWO), "it has not said yet what it is"),
        (seen(health_session=TWO), "it has not said yet how it is"),
        (seen(version="0.1.0"), "it runs 0.1.0, not 0.2.0"),
        (seen(sha="b" * 64), "it runs with another configuration"),
        (seen(cameras={"south": {"state": "lost"}}), "camera south: lost"),
        (seen(cameras={"south": {"state": None}}), "camera south: not opened yet"),
        (seen(cameras={"south": GOOD | {"fps_analysed": 0}}), "camera south: no picture has been looked at"),
        (seen(degraded=["config_refused"]), "config_refused"),
        (seen(degraded=["detector_failed:south"]), "detector_failed:south"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_box_that_does_not_is_reason(box: ObservedBox, why: str) -> None:
    assert missing(box, WANTED) == [why]


def test_a_camera_that_was_broken_before_does_not_count() -> None:
    box = seen(cameras={"south": {"state": "lost"}}, degraded=["camera_lost:south", "detector_failed:south"])

    assert missing(box, Wanted("0.2.0", SHA, ["north"])) == []
    assert missing(box, Wanted("0.2.0", SHA, ["north", "west"])) == ["camera west: it is not there"]


@pytest.mark.parametrize(
    ("shadow", "why"),
    [
        (None, "no model is on trial"),
        (
            {"state": "running", "why": "12 of 500 crops"},
            "still in the shadow of the one in use: 12 of 500 crops",
        ),
        ({"state": "passed", "why": "all"}, "still in the shadow"),
        ({"state": "failed", "why": "it is slow"}, "the model roads was taken back: it is slow"),
    ],
)
def test_a_model_on_trial_must_have_come_into_use(shadow: dict[str, Any] | None, why: str) -> None:
    box = seen(shadow=shadow and {"model": "roads"} | shadow)

    assert missing(box, WANTED) == []
    (reason,) = missing(box, replace(WANTED, shadow=True))
    assert why in reason


def test_one_that_is_in_use_has_proved_itself() -> None:
    box = seen(shadow={"model": "roads", "state": "taken"})

    assert missing(box, replace(WANTED, shadow=True)) == []
    assert not gone_back(box, replace(WANTED, shadow=True))


def test_why_a_model_failed_is_remembered_when_the_box_runs_the_one_before() -> None:
    box = seen(shadow={"model": "roads", "state": "failed", "why": "it is slow"})
    box.notice_shadow()
    box.health = seen().health

    assert gone_back(box, replace(WANTED, shadow=True)) and not gone_back(box, WANTED)
    assert box.shadow_failed == "roads: it is slow"


def test_a_new_life_with_another_configuration_went_back_with_its_model() -> None:
    box = seen(sha="b" * 64)
    box.met = TWO

    assert gone_back(box, replace(WANTED, shadow=True))
    assert not gone_back(box, WANTED)


def test_heat_and_an_untrusted_clock_do_not_hold_a_release_back() -> None:
    assert missing(seen(degraded=["overheated", "clock_untrusted", "unconfirmed"]), WANTED) == []


def test_a_box_that_came_back_with_another_release_is_not_waited_for() -> None:
    box = seen(version="0.1.0")

    assert not gone_back(box, WANTED)  # when it was met is not known yet
    box.met = ONE
    assert not gone_back(box, WANTED)  # it may be about to change
    box.met = TWO
    assert gone_back(box, WANTED)
    assert not gone_back(box, Wanted("0.1.0"))


@pytest.mark.long
@pytest.mark.broker
def test_a_real_box_proves_itself_and_another_release_does_not(tmp_path: Path, mosquitto: Mosquitto) -> None:
    broker = EndpointSettings(port=mosquitto.port)
    with at_work(Box(tmp_path, mosquitto.port)):
        known = proven(broker, "test-commune", "test-box-01", Wanted("0.1.0"), 40)
        assert known.cameras() == {"road": "streaming"}
        with pytest.raises(NgatuError, match=r"test-box-01: not within 1 s: it runs 0\.1\.0, not 0\.2\.0"):
            proven(broker, "test-commune", "test-box-01", Wanted("0.2.0"), 1)
        assert look(broker, "test-commune", "test-box-01").info is not None


def test_no_broker_is_told() -> None:
    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1"):
        look(EndpointSettings(port=free_port()), "test-commune", "test-box-01")
