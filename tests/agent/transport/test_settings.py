"""agent.transport.settings"""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate
from pydantic import ValidationError

from agent.mqtt.settings import BrokerSettings
from agent.transport.settings import EndpointSettings, TlsSettings
from station.config import StationConfig
from station.ingest.settings import SubscriberSettings
from tests.acceptance.faults.p_tls import Authority


@pytest.mark.parametrize(
    "host", ["", "a" * 64 + ".example", "a..b", "192.168.10.999", "192.168.10", "10.0.0.5:1883", "tcp://a"]
)
def test_a_host_that_cannot_be_a_name_is_refused(host: str) -> None:
    with pytest.raises(ValidationError):
        EndpointSettings(host=host)


def test_box_station_and_subscriber_say_where_a_broker_is_in_the_same_words() -> None:
    station = StationConfig.model_fields["broker"].annotation
    for settings in (BrokerSettings, SubscriberSettings, station):
        for name, field in EndpointSettings.model_fields.items():
            assert settings.model_fields[name].description == field.description


def test_nothing_below_tls_1_2_is_spoken_and_names_are_checked_unless_that_is_said() -> None:
    strict, lax = TlsSettings().context(), TlsSettings(check_hostname=False).context()

    assert strict.minimum_version == lax.minimum_version == ssl.TLSVersion.TLSv1_2
    assert (strict.check_hostname, lax.check_hostname) == (True, False)
    assert strict.verify_mode == lax.verify_mode == ssl.CERT_REQUIRED


def test_a_file_that_is_no_certificate_is_told_by_its_setting_and_its_path(tmp_path: Path) -> None:
    none = tmp_path / "ca.crt"
    with pytest.raises(OSError, match=rf"broker\.tls\.ca: {none}: No such file"):
        TlsSettings(ca=none).context()
    none.write_text("no certificate")
    with pytest.raises(OSError, match=rf"broker\.tls\.ca: {none} holds no certificate"):
        TlsSettings(ca=none).context()


def test_when_a_certificate_ends_is_read_from_its_file_or_not_known(tmp_path: Path) -> None:
    cert, key = Authority(tmp_path).issue("one")
    read = load_pem_x509_certificate(cert.read_bytes())

    assert TlsSettings(cert=cert, key=key).certificate_ends() == read.not_valid_after_utc
    assert TlsSettings().certificate_ends() is None
    assert TlsSettings(cert=key).certificate_ends() is None
    assert TlsSettings(cert=tmp_path / "gone").certificate_ends() is None


def test_a_key_that_is_not_that_of_its_certificate_is_told_by_both_paths(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (one, own), (_, other) = authority.issue("one"), authority.issue("other")
    with pytest.raises(OSError, match=rf"broker\.tls\.key: {other} is not the key of {one}"):
        TlsSettings(ca=authority.file, cert=one, key=other).context()
    with pytest.raises(OSError, match=r"broker\.tls\.key: it is not set, and .*one\.pem holds no key"):
        TlsSettings(ca=authority.file, cert=one).context()
    with pytest.raises(OSError, match="are not a certificate and its key, in PEM"):
        TlsSettings(ca=authority.file, cert=own, key=one).context()
    assert TlsSettings(ca=authority.file, cert=one, key=own).context().verify_mode == ssl.CERT_REQUIRED


def test_a_cluster_is_tried_in_turn_and_the_first_again_after_the_last() -> None:
    endpoint = EndpointSettings(host="north", port=8883, hosts=("south", "west:1884", "[fe80::1]:1885"))

    assert [endpoint.at(turn).where for turn in range(5)] == [
        "north:8883", "south:8883", "west:1884", "fe80::1:1885", "north:8883",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "host", ["", "tcp://south", "south:0", "south:99999", "south/x", "me@south", "::1", "a..b"]
)
def test_what_is_no_address_of_a_node_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="cannot be a host name"):
        EndpointSettings(hosts=(host,))
