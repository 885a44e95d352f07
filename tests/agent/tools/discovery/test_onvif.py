"""agent.tools.discovery.onvif"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.errors import CameraError, CameraLost, CameraRefused, UsageError
from agent.tools.discovery import onvif
from agent.tools.discovery.onvif import CameraAddress, StreamOffer, at_the_same_host
from agent.tools.discovery.onvif import OnvifCamera as Asked
from agent.tools.discovery.ws_discovery import DEVICE_PATH
from tests.support.mutations import bytes_altered, reply_altered
from tests.support.onvif_camera import SOAP, OnvifCamera, Profile

LOGIN = ("ngatu", "bí mật-7")
PROFILES = [
    Profile("main", "rtsp://127.0.0.1:8554/main?a=1", 2560, 1440, "H265"),
    Profile("sub&", "rtsp://127.0.0.1/sub", 640, 360),
]


def asked(camera: OnvifCamera, login: tuple[str, str] | None = LOGIN) -> Asked:
    return Asked(CameraAddress.read(camera.at), login, time.time)


@pytest.mark.parametrize("http_digest", [False, True])
@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=-7), timedelta(days=9000)])
def test_a_camera_gives_its_streams_to_a_login_whatever_its_clock_says(
    http_digest: bool, ahead: timedelta
) -> None:
    with OnvifCamera(PROFILES, LOGIN, http_digest=http_digest, ahead=ahead) as camera:
        north = asked(camera)
        assert north.about() == "Example IPC 4"
        assert north.streams() == [
            StreamOffer("main", "H265", 2560, 1440, None, "rtsp://127.0.0.1:8554/main?a=1"),
            StreamOffer("sub&", "H264", 640, 360, None, "rtsp://127.0.0.1:554/sub"),
        ]
    assert not any(LOGIN[1] in head for head in camera.heads)


def test_an_older_camera_is_asked_in_the_older_way() -> None:
    with OnvifCamera(PROFILES, newer=False) as camera:
        north = asked(camera, None)
        north.about()
        assert [each.profile for each in north.streams()] == ["sub&"]
    assert camera.logins == 0


@pytest.mark.parametrize("http_digest", [False, True])
def test_a_wrong_login_is_told_and_not_tried_again(http_digest: bool) -> None:
    with OnvifCamera(PROFILES, LOGIN, http_digest=http_digest) as camera:
        with pytest.raises(CameraRefused, match="refuses the login"):
            asked(camera, ("ngatu", "falsch")).about()
        assert sum("Authorization" in head for head in camera.heads) == http_digest
        assert camera.calls.count("GetDeviceInformation") == 1 + http_digest
        with pytest.raises(CameraRefused, match="wants a login"):
            asked(camera, None).about()


def test_nobody_else_is_called_whatever_a_camera_says_of_addresses() -> None:
    with socket.create_server(("127.0.0.2", 0)) as thief:
        port, visits = thief.getsockname()[1], []
        threading.Thread(target=lambda: visits.append(thief.accept()), daemon=True).start()
        profiles = [Profile("a", f"rtsp://x:y@127.0.0.2:{port}/live", 640, 360)]
        with OnvifCamera(profiles, LOGIN, claimed_host="127.0.0.2") as camera:
            north = asked(camera)
            north.about()
            assert [each.url for each in north.streams()] == [f"rtsp://127.0.0.1:{port}/live"]
        place = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:{port}/\r\nContent-Length: 0\r\n\r\n"
        with (
            OnvifCamera(profiles, LOGIN, raw=lambda _call: place.encode()) as camera,
            pytest.raises(CameraLost, match="not as an ONVIF camera"),
        ):
            asked(camera).about()
        assert visits == []


def test_a_login_is_never_given_in_the_clear() -> None:
    basic = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="cam"\r\nContent-Length: 0\r\n\r\n'
    with OnvifCamera(PROFILES, LOGIN, raw=lambda _call: basic) as camera:
        with pytest.raises(CameraRefused, match="refuses the login"):
            asked(camera).about()
        assert not any("Authorization" in head for head in camera.heads)


def raw_server(answer: Callable[[socket.socket], object]) -> Any:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=lambda sock=sock: _answered(sock, answer), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return server


def _answered(sock: socket.socket, answer: Callable[[socket.socket], object]) -> None:
    try:
        with sock:
            answer(sock)
    except OSError:
        pass


def drip(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        sock.sendall(b"X-More: 1\r\n")
        time.sleep(0.05)


def drip_body(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n")
    while True:
        sock.sendall(b"a")
        time.sleep(0.05)


def flood(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n<a>")
    while True:
        sock.sendall(b"a" * 65536)


@pytest.mark.parametrize(
    "answer", [drip, drip_body, flood, lambda sock: time.sleep(20), lambda sock: sock.send(b"SSH-2.0\r\n")]
)
def test_nobody_is_waited_for_longer_than_a_camera_takes(
    answer: Callable[[socket.socket], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onvif, "CALL_S", 1.0)
    with raw_server(answer) as server:
        began = time.monotonic()
        with pytest.raises(CameraLost):
            Asked(CameraAddress("127.0.0.1", server.getsockname()[1], "/x"), LOGIN, time.time).about()
        assert time.monotonic() - began < 4


def test_a_port_where_nobody_listens_and_a_name_that_there_is_not_are_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(CameraLost, match="nobody listening"):
        Asked(CameraAddress("127.0.0.1", port, "/x"), None, time.time).about()
    with pytest.raises(CameraLost, match="DNS does not know"):
        Asked(CameraAddress("no-such-host.invalid", 80, "/x"), None, time.time).about()


def test_whatever_a_camera_answers_ends_in_streams_or_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif, "CALL_S", 0.3)
    chance, lock = random.Random(7), threading.Lock()
    with OnvifCamera(PROFILES, LOGIN) as honest:

        def altered(call: str) -> bytes | None:
            with lock:
                if chance.random() < 0.6:
                    return None
                inner = honest.said(call, "ver20 <ProfileToken>main</ProfileToken>")
                body = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()
                if chance.random() < 0.5:
                    body = bytes_altered(body, chance)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                return (reply_altered(head, chance) if chance.random() < 0.5 else head) + body

        honest.raw = altered
        streams = refused = 0
        for _ in range(150):
            north = asked(honest)
            try:
                north.about()
                streams += len(north.streams())
            except CameraError:
                refused += 1
    assert streams > 20
    assert refused > 20


@pytest.mark.parametrize(("text", "host", "port", "path"), [
    ("192.168.10.21", "192.168.10.21", 80, DEVICE_PATH),
    ("cam.local:8080", "cam.local", 8080, DEVICE_PATH),
    ("http://192.168.10.21:8899/onvif/dev", "192.168.10.21", 8899, "/onvif/dev"),
])  # fmt: skip
def test_an_address_is_read_as_people_write_it(text: str, host: str, port: int, path: str) -> None:
    assert CameraAddress.read(text) == CameraAddress(host, port, path)


@pytest.mark.parametrize(
    "text", ["", "http://", "https://a", "rtsp://a/b", "a b", "a:99999", "http://u:p@a", "::"]
)
def test_what_is_no_address_or_holds_a_login_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        CameraAddress.read(text)
    assert "u:p" not in str(error.value)


@pytest.mark.parametrize("uri", ["", "http://a/b", "rtsp://a b/c", "rtsp://a:99999/b", "rtsp://a/\x1b"])
def test_what_is_no_address_of_a_stream_is_none(uri: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        at_the_same_host(uri, "127.0.0.1")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("rtsp://192.0.2.9/user=admin_password=s3cret!_x_channel=1_stream=0.sdp",
         "rtsp://192.0.2.1:554/user=_password=_channel=1_stream=0.sdp"),
        ("rtsp://192.0.2.9:8554/h264?username=admin&password=s3cret!&channel=1",
         "rtsp://192.0.2.1:8554/h264?username=&password=&channel=1"),
        ("rtsp://192.0.2.9/live?PWD=s3cret!", "rtsp://192.0.2.1:554/live?PWD="),
        ("rtsp://admin:s3cret!@192.0.2.9/live", "rtsp://192.0.2.1:554/live"),
        ("rtsp://192.0.2.9/bypass=1?superuser=2", "rtsp://192.0.2.1:554/bypass=1?superuser=2"),
    ],
)  # fmt: skip
def test_no_password_is_shown_that_a_camera_writes_into_the_address_of_a_stream(
    uri: str, expected: str
) -> None:
    assert at_the_same_host(uri, "192.0.2.1") == expected
    assert at_the_same_host(uri, "192.0.2.1", "s3cret!") == expected


def test_an_address_with_the_password_in_a_place_that_nobody_knows_is_none() -> None:
    for uri in ("rtsp://192.0.2.9/live/s3cret!/1", "rtsp://192.0.2.9/live/s3cret%21/1"):
        with pytest.raises(ValueError, match="the password stands in it"):
            at_the_same_host(uri, "192.0.2.1", "s3cret!")


def test_the_address_of_ipv6_stands_in_brackets() -> None:
    place = CameraAddress.read("[2001:db8::7]:8080")

    assert (place.host, place.port) == ("2001:db8::7", 8080)
    url = at_the_same_host("rtsp://[fe80::1]:8554/live", place.host)
    assert url == "rtsp://[2001:db8::7]:8554/live"
    assert urlsplit(url).port == 8554
