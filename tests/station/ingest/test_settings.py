"""station.ingest.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from station.ingest.settings import SubscriberSettings


def test_a_station_that_is_told_nothing_takes_every_box_and_gives_receipts() -> None:
    settings = SubscriberSettings()

    assert (settings.communes, settings.devices) == ((), ())
    assert settings.receipts


@pytest.mark.parametrize(("given", "mqtt_id"), [
    ({}, "ngatu-station"),
    ({"station": "hai-ninh"}, "ngatu-hai-ninh"),
    ({"station": "hai-ninh", "client_id": "desk-2"}, "desk-2"),
])  # fmt: skip
def test_a_station_goes_by_its_name_unless_it_has_an_id_of_its_own(given: dict[str, str], mqtt_id: str) -> None:
    assert SubscriberSettings(**given).mqtt_id == mqtt_id


@pytest.mark.parametrize("name", ["+", "#", "hai/ninh", "Hai-Ninh", "ab", ""])
@pytest.mark.parametrize("field", ["communes", "devices"])
def test_no_wildcard_and_no_level_gets_into_a_topic_by_a_name(field: str, name: str) -> None:
    with pytest.raises(ValidationError, match=field):
        SubscriberSettings.model_validate({field: ["hai-ninh", name]})


def test_a_station_is_named_as_strictly_as_its_boxes() -> None:
    with pytest.raises(ValidationError, match="station"):
        SubscriberSettings(station="the station")


def test_an_endpoint_s_settings_are_a_station_s_too() -> None:
    assert SubscriberSettings(host="broker.hai-ninh", port=8883).where == "broker.hai-ninh:8883"
