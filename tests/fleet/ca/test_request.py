"""fleet.ca.request"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.ca.index import KINDS, Kind
from fleet.ca.request import alternative, fitting, public_key
from tests.fleet.ca.test_authority import request

NAMES: dict[Kind, str] = {
    "box": "hai-ninh-03", "station": "station.hai-ninh", "operator": "operator.broker",
    "broker": "mqtt.example", "screen": "screen.tram-hai",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_of_one_client_fits_another_kind_of_client(kind: Kind) -> None:
    """The broker tells its clients apart by these names alone."""
    fitting(kind, NAMES[kind])
    for other, name in NAMES.items():
        if other != kind and kind != "broker" and (kind, other) != ("box", "broker"):
            with pytest.raises(NgatuError, match="cannot be the name"):
                fitting(kind, name)


@pytest.mark.parametrize("name", ["station.hai-ninh", "operator.broker", "screen.tram-hai"])
def test_a_broker_is_not_called_as_a_client_of_another_kind(name: str) -> None:
    """Its certificate is for servers, and so is refused of a client; its name says so too."""
    with pytest.raises(NgatuError, match="cannot be the name"):
        fitting("broker", name)
    fitting("broker", f"x.{name}")


@pytest.mark.parametrize("name", [
    "station", "a", "x" * 33, "Hai-Ninh-03", "hai_ninh", "hai/ninh", "+", "#", "hai-ninh-03\n", "", "hải-ninh",
])  # fmt: skip
def test_a_name_that_could_mean_more_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(NgatuError, match="cannot be the name"):
        fitting("box", name)


def test_a_request_for_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="made out to hai-ninh-04"):
        public_key(request(tmp_path, "hai-ninh-04"), "hai-ninh-03")


def test_a_request_of_another_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="P-256"):
        public_key(request(tmp_path, "hai-ninh-03", "secp384r1"), "hai-ninh-03")


def test_a_request_that_its_key_did_not_sign_is_refused(tmp_path: Path) -> None:
    lines = request(tmp_path, "hai-ninh-03").decode().splitlines()
    body = bytearray(base64.b64decode("".join(lines[1:-1])))
    body[-1] ^= 1  # the end of the signature
    forged = "\n".join([lines[0], base64.b64encode(bytes(body)).decode(), lines[-1], ""])

    with pytest.raises(NgatuError, match=r"was not signed by the key|no certificate request"):
        public_key(forged.encode(), "hai-ninh-03")


@pytest.mark.parametrize("data", [b"", b"nothing", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"])
def test_what_is_no_request_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(NgatuError, match="no certificate request"):
        public_key(data, "hai-ninh-03")


def test_a_broker_has_names_and_addresses() -> None:
    assert [type(each).__name__ for each in alternative(["10.1.2.3", "fd00::1", "broker.example"])] == [
        "IPAddress", "IPAddress", "DNSName",
    ]  # fmt: skip
    with pytest.raises(NgatuError, match="neither a host name nor an address"):
        alternative(["bad name"])
