"""station.config"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ConfigError
from agent.transport.settings import TlsSettings
from station.config import StationConfig, load, parse, warnings

LEAST = b"commune: hai-ninh\n"


def test_the_commune_is_enough() -> None:
    config = parse(LEAST, "station.yaml")

    assert config == StationConfig(commune="hai-ninh")
    assert (config.name, config.broker.port, config.database.url) == ("station", 1883, None)
    assert warnings(config) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("comune: hai-ninh", "comune: no such setting; did you mean commune?"),
        ("commune: Hải Ninh", "commune: "),
        ("commune: station", "commune 'station' cannot stand in a topic"),
        ("commune: hai-ninh\nbroker: {root: 'a/+'}", "broker.root: root 'a/+' cannot begin a topic"),
        ("commune: hai-ninh\nbroker: {password: swordfish}", "name where it lies"),
        ("commune: hai-ninh\ndatabase: {url: 'postgresql://a:swordfish@h/d'}", "set password instead"),
        ("commune: hai-ninh\ndatabase: {url: 'mysql://h/d'}", "no address such as postgresql://"),
        ("commune: hai-ninh\ndatabase: {url: 'postgresql://h:x/d'}", "no address such as postgresql://"),
        ("commune: hai-ninh\nweb: {scope: province}", "web.scope: a station shows its own commune"),
        ("commune: hai-ninh\ndatabase: {url: 'postgresql://h:1,/d'}", "no address such as postgresql://"),
        ("commune: hai-ninh\ndatabase: {url: 'postgresql://h:1,i:x/d'}", "no address such as postgresql://"),
        ("commune: hai-ninh\ndatabase: {url: 'postgresql://a:swordfish@h,i/d'}", "set password instead"),
        ("commune: hai-ninh\ningest: {gap_after_s: -1}", "-1 is outside 0..86400"),
        ("device: {commune: hai-ninh, id: hai-ninh-01}\ncameras: []", "this is the file of a box"),
        ("", "the file has no settings; start from `ngatu station example`"),
    ],
)
def test_each_mistake_is_told_with_its_line_and_no_secret(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"station\.yaml:") as caught:
        parse(text.encode(), "station.yaml")

    assert message in str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file") as caught:
        load(tmp_path / "station.yaml")
    assert "ngatu station example" in caught.value.hint


def test_what_leaves_the_machine_in_the_clear_is_warned_of() -> None:
    found = warnings(
        parse(
            b"commune: hai-ninh\nbroker: {host: broker.example}\n"
            b"database: {url: 'postgresql://ngatu@db.example/ngatu'}\n",
            "station.yaml",
        )
    )

    assert [line.split()[0] for line in found] == ["broker.tls", "database.url"]


def test_the_connection_is_that_of_the_file_and_an_onlooker_has_another_name() -> None:
    config = parse(
        b"commune: hai-ninh\nname: duty-room\n"
        b"broker: {host: b.example, port: 8883, tls: {ca: /ca, cert: /c, key: /k}, username: u, "
        b"password: {env: X}}\n",
        "station.yaml",
    )
    settings = config.subscriber()

    assert (settings.host, settings.port, settings.communes, settings.station) == (
        "b.example",
        8883,
        ("hai-ninh",),
        "duty-room",
    )
    assert settings.tls == TlsSettings(ca=Path("/ca"), cert=Path("/c"), key=Path("/k"))
    assert settings.receipts
    assert settings.mqtt_id == "ngatu-station.hai-ninh.duty-room"
    assert config.subscriber(receipts=False).mqtt_id.startswith("ngatu-look-")


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.dictionaries(
            st.sampled_from([*StationConfig.model_fields, "x"]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.integers())),
        ).map(lambda fields: "\n".join(f"{key}: {value!r}" for key, value in fields.items()).encode()),
    )
)
def test_whatever_the_file_holds_is_a_configuration_or_a_config_error(data: bytes) -> None:
    try:
        assert isinstance(parse(data, "station.yaml"), StationConfig)
    except ConfigError as error:
        assert str(error)
