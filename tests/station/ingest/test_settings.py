"""station.ingest.settings"""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from station.ingest.settings import SubscriberSettings


def test_who_is_told_nothing_looks_on_at_every_box() -> None:
    settings = SubscriberSettings()

    assert (settings.communes, settings.devices) == ((), ())
    assert not settings.receipts


@pytest.mark.parametrize(("given", "mqtt_id"), [
    ({}, "ngatu-subscriber.+.station"),
    ({"communes": ("hai-ninh",)}, "ngatu-subscriber.hai-ninh.station"),
    ({"communes": ("hai-ninh",), "station": "desk"}, "ngatu-subscriber.hai-ninh.desk"),
    ({"station": "hai-ninh", "client_id": "desk-2"}, "desk-2"),
])  # fmt: skip
def test_who_gives_receipts_goes_by_commune_and_name_unless_it_has_an_id_of_its_own(
    given: dict[str, Any], mqtt_id: str
) -> None:
    assert SubscriberSettings(**given, receipts=True).mqtt_id == mqtt_id


def test_who_looks_on_has_an_id_that_no_other_has_and_keeps_it() -> None:
    one, other = SubscriberSettings(station="hai-ninh"), SubscriberSettings(station="hai-ninh")

    assert one.mqtt_id == one.mqtt_id == one.lookout_id
    assert one.mqtt_id != other.mqtt_id


@pytest.mark.parametrize("name", ["+", "#", "hai/ninh", "Hai-Ninh", "a", ""])
@pytest.mark.parametrize("field", ["communes", "devices"])
def test_no_wildcard_and_no_level_gets_into_a_topic_by_a_name(field: str, name: str) -> None:
    with pytest.raises(ValidationError, match=field):
        SubscriberSettings.model_validate({field: ["hai-ninh", name]})


def test_a_station_is_named_as_strictly_as_its_boxes() -> None:
    with pytest.raises(ValidationError, match="station"):
        SubscriberSettings(station="the station")


def test_an_endpoint_s_settings_are_a_station_s_too() -> None:
    assert SubscriberSettings(host="broker.hai-ninh", port=8883).where == "broker.hai-ninh:8883"
