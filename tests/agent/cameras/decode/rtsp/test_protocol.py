"""agent.cameras.decode.rtsp.protocol"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from urllib.request import AbstractDigestAuthHandler, HTTPPasswordMgrWithDefaultRealm, parse_keqv_list

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.rtsp.protocol import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Login,
    NotRtsp,
    RtspMessage,
    Units,
    place,
)

OPTIONS = b"OPTIONS rtsp://camera/live RTSP/1.0\r\nCSeq: 1\r\n\r\n"
DESCRIBED = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nv=0\n"
PACKET = b"$\0\0\5\r\n\r\n$"


@given(st.lists(st.sampled_from([OPTIONS, DESCRIBED, PACKET]), max_size=8), st.data())
def test_units_are_the_same_however_they_arrive(units: list[bytes], data: st.DataObject) -> None:
    whole, found, reader = b"".join(units), [], Units()
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        found += reader.feed(whole[:size])
        whole = whole[size:]
    assert found == units


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([OPTIONS, DESCRIBED, PACKET, b"RTSP/1."]))))
def test_nothing_that_arrives_raises_anything_else(pieces: list[bytes]) -> None:
    reader = Units()
    try:
        for unit in (unit for piece in pieces for unit in reader.feed(piece)):
            if not unit.startswith(b"$"):
                written = RtspMessage.read(unit).written()
                head, _, _ = written.partition(b"\r\n\r\n")
                assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", head)
                assert not re.search(rb"\r(?!\n)|(?<!\r)\n", head)
    except NotRtsp:
        pass


def test_what_belongs_to_no_unit_is_dropped() -> None:
    assert Units().feed(b"\0\0padding" + PACKET + b"\r\n" + DESCRIBED) == [PACKET, DESCRIBED]


def test_bare_line_feeds_are_understood_and_written_as_they_should_be() -> None:
    (unit,) = Units().feed(b"RTSP/1.0 200 OK\nCSeq: 2\n\n")
    assert RtspMessage.read(unit).written() == b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"


@pytest.mark.parametrize("data", [
    b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * (MAX_HEAD_BYTES // 6),
    b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
    b"RTSP/1.0 200 OK\r\nContent-Length: many\r\n\r\n",
])  # fmt: skip
def test_a_message_without_end_is_refused_before_it_fills_the_memory(data: bytes) -> None:
    with pytest.raises(NotRtsp):
        Units().feed(data)


@pytest.mark.parametrize("line", ["RTSP/1.0", "RTSP/1.0 3x2 Found", "RTSP/1.0 0302 Found", "RTSP/1.0 ３02 x"])
def test_a_response_without_a_plain_status_is_none(line: str) -> None:
    with pytest.raises(NotRtsp):
        _ = RtspMessage.read(f"{line}\r\n\r\n".encode()).status


def test_a_status_that_is_hidden_from_one_reader_is_seen() -> None:
    assert RtspMessage.read(b"RTSP/1.0 3\r\x0002 Found\r\n\r\n").status == 302


def test_a_field_is_set_where_it_stood_and_stands_once() -> None:
    message = RtspMessage.read(b"PLAY u RTSP/1.0\r\nCSeq: 1\r\ncseq: 2\r\n$\0\0\0: x\r\nSession: 3\r\n\r\n")
    message.put("CSeq", "7")
    assert message.written() == b"PLAY u RTSP/1.0\r\nCSeq: 7\r\nSession: 3\r\n\r\n"


@pytest.mark.parametrize(("url", "found"), [
    ("rtsp://Camera/live", ("camera", 554)), ("RTSP://[::1]:8554/", ("::1", 8554)),
    ("rtsp://u:p@camera:1/", ("camera", 1)), ("http://camera/", None), ("rtsp:///live", None),
    ("rtsp://camera:99999/", None), ("live", None), ("", None),
])  # fmt: skip
def test_an_address_is_a_host_and_a_port(url: str, found: tuple[str, int] | None) -> None:
    assert place(url) == found


def test_a_digest_of_rfc_2069_is_that_of_its_example() -> None:
    login = Login("Mufasa", "CircleOfLife")
    assert login.challenge(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in (login.proof("GET", "/dir/index.html") or "")


def test_a_digest_is_proved_as_pythons_own_library_proves_it() -> None:
    passwords = HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, "rtsp://camera/live", "tran", "p@ss")
    other = AbstractDigestAuthHandler(passwords)
    offer = {"realm": "cam", "nonce": "abc", "qop": "auth", "algorithm": "MD5", "opaque": "o"}
    login = Login("tran", "p@ss")
    login.challenge(["Digest " + ", ".join(f'{name}="{value}"' for name, value in offer.items())])
    proof = login.proof("DESCRIBE", "rtsp://camera/live") or ""
    ours = parse_keqv_list(proof.removeprefix("Digest ").split(", "))
    other.get_cnonce = lambda _nonce: ours["cnonce"]  # type: ignore[method-assign]

    class Asked:
        full_url, selector, data = "rtsp://camera/live", "rtsp://camera/live", None

        def get_method(self) -> str:
            return "DESCRIBE"

    theirs = parse_keqv_list((other.get_authorization(Asked(), offer) or "").split(", "))  # type: ignore[arg-type]
    assert {name: ours[name] for name in ("response", "nc", "qop", "username", "opaque")} == {
        name: theirs[name] for name in ("response", "nc", "qop", "username", "opaque")
    }


def test_digest_is_chosen_where_both_are_offered_and_basic_where_nothing_else_is_known() -> None:
    login = Login("trần", "mật khẩu")
    assert login.proof("PLAY", "u") is None
    assert login.challenge(['Basic realm="x"', 'Digest realm="x", nonce="n"'])
    assert (login.proof("PLAY", "u") or "").startswith("Digest ")
    for joined in (
        'Basic realm="x", Digest realm="x", nonce="n"',
        'Basic, Digest realm="a, Digest b=c", nonce="n"',
    ):
        assert login.challenge([joined])
        assert str(login.proof("PLAY", "rtsp://a/")).startswith("Digest ")
    assert login.challenge(['Digest realm="x", nonce="n", algorithm=FUTURE', 'Basic realm="x"'])
    assert login.proof("PLAY", "u") == "Basic " + b64encode("trần:mật khẩu".encode()).decode()
    assert not login.challenge(["Negotiate"])
    assert login.proof("PLAY", "u") is None


def test_a_challenge_of_letters_without_end_is_read_at_once() -> None:
    began_s = time.process_time()
    for letters in ("A" * 16_000, "A " * 8_000, "A=" * 8_000, 'A="' * 5_000, "A , " * 4_000):
        Login("tran", "p").challenge([f"Digest {letters}"])
    assert time.process_time() - began_s < 1.0


@given(st.text(), st.text(), st.text(st.characters(codec="latin-1")))
def test_a_proof_is_one_line_whatever_login_and_server_say(name: str, password: str, realm: str) -> None:
    login = Login(*(each.encode(errors="replace").decode() for each in (name, password)))
    login.challenge([f'Digest realm="{realm}", nonce="{realm}x", opaque="{realm}"'])
    assert "\n" not in (login.proof("PLAY", "u") or "")
