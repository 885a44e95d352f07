"""agent.tools.discovery.soap"""

from __future__ import annotations

import random
from base64 import b64decode
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.discovery import soap
from tests.support.mutations import bytes_altered

ANSWER = soap.envelope("<R><Uri>rtsp://a/b</Uri><Uri>rtsp://c/d</Uri></R>")
LAUGHS = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
FOREIGN = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'


@pytest.mark.parametrize("data", [
    b"", b"\0", b"not XML", b"<a>", b"<a>&b;</a>", LAUGHS, FOREIGN, b'<?xml version="1.0"?>' + LAUGHS,
    LAUGHS.decode().encode("utf-16"), b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a>' + b"\xff",
    b"<a>" * 65 + b"</a>" * 65, b"<a>" * 80_000, b"<a>" + b" " * soap.MAX_BYTES + b"</a>",
])  # fmt: skip
def test_what_no_camera_sends_is_not_read(data: bytes) -> None:
    with pytest.raises(soap.NotXml):
        soap.read(data)


@given(st.binary(max_size=300) | st.integers().map(lambda seed: bytes_altered(ANSWER, random.Random(seed))))
def test_whatever_comes_is_a_document_or_none(data: bytes) -> None:
    try:
        found = soap.read(data)
    except soap.NotXml:
        return
    assert isinstance(found, Element)
    assert len(soap.text_of(found, "Uri")) <= soap.MAX_TEXT
    soap.fault(found)


def test_names_are_found_whatever_their_namespace() -> None:
    document = soap.read(b'<a xmlns:q="u"><q:b><c>one</c></q:b><b><c> two </c></b></a>')
    assert soap.text_of(document, "b", "c") == "one"
    assert [soap.text_of(each, "c") for each in soap.every(document, "b")] == ["one", "two"]
    assert (soap.text_of(document, "x", "c"), soap.text_of(None, "c")) == ("", "")


def test_a_fault_is_told_in_one_line() -> None:
    why = "<s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>no</s:Text></s:Reason>"
    body = f"<s:Fault>{why}</s:Fault>"
    assert soap.fault(soap.read(soap.envelope(body))) == "s:Sender no"
    assert soap.fault(soap.read(ANSWER)) is None


def test_a_login_is_a_digest_of_nonce_moment_and_password() -> None:
    """By the example of ONVIF's Application Programmer's Guide, 6.1.1.3."""
    nonce = b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    assert soap.password_digest(nonce, "2010-09-16T07:50:45Z", "userpassword") == "tuOSpGlFlIXsozq4HFNeeGeFLEI="
    proof = soap.token("user<", "userpassword", 1_284_623_445.0)
    header = soap.read(soap.envelope("", proof))
    assert soap.text_of(header, "Username") == "user<"
    assert soap.text_of(header, "Created") == "2010-09-16T07:50:45.000Z"
    sent = b64decode(soap.text_of(header, "Nonce"))
    assert soap.text_of(header, "Password") == soap.password_digest(
        sent, "2010-09-16T07:50:45.000Z", "userpassword"
    )
    assert "userpassword" not in proof
