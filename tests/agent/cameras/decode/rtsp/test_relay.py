"""agent.cameras.decode.rtsp.relay"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time

import pytest

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.rtsp.protocol import Login
from agent.cameras.decode.rtsp.relay import Relay
from agent.cameras.decode.stream import Stream
from agent.errors import CameraLost, CameraRefused
from tests.support.brokers import until
from tests.support.descriptors import open_descriptors, opened_since
from tests.support.rtsp_camera import SDP, Request, RtspCamera
from tests.support.threads import begun_since

TRAN = ("tran", "p@ss")


def now() -> tuple[float, float]:
    return time.monotonic(), time.time()


def pictures(url: str, login: tuple[str, str] | None = TRAN, count: int = 5) -> int:
    options = {"rtsp_transport": "tcp", "fpsprobesize": "0", "timeout": "3000000"}
    source = Source("north", "rtsp", url, url, login=login, options=options, max_fps=100, open_timeout_s=5)
    stream = Stream(source, now)
    seen = len(list(itertools.islice(stream, count)))
    stream.close()
    return seen


@pytest.mark.parametrize("offers", [
    ('Basic realm="x"',), ('Digest realm="cam", nonce="dcd98b7102dd2f0e"', 'Basic realm="x"'),
])  # fmt: skip
def test_pictures_come_through_with_the_login_that_ffmpeg_never_had(offers: tuple[str, ...]) -> None:
    with RtspCamera(login=TRAN, offers=offers) as camera:
        assert pictures(camera.url) == 5
        assert all(proof.startswith(offers[0].split()[0]) for proof in camera.proofs)
        assert {request.uri.split("/")[2] for request in camera.requests} == {f"127.0.0.1:{camera.port}"}


def test_a_camera_that_asks_for_no_login_is_not_told_it() -> None:
    with RtspCamera() as camera:
        assert pictures(camera.url) == 5
        assert camera.proofs == []


def test_a_wrong_password_is_tried_once() -> None:
    with RtspCamera(login=("tran", "other")) as camera:
        with pytest.raises(CameraRefused, match="refuses the login"):
            pictures(camera.url)
        assert len(camera.proofs) == 1


def test_a_nonce_that_became_stale_is_proved_anew() -> None:
    stale = [b"RTSP/1.0 401 No\r\nCSeq: 4\r\nWWW-Authenticate: Digest realm=\"cam\", stale=TRUE, "
             b'nonce="dcd98b7102dd2f0e"\r\n\r\n']  # fmt: skip

    def once(request: Request) -> bytes | None:
        return stale.pop() if request.method == "SETUP" and stale else None

    with RtspCamera(login=TRAN, raw=once) as camera:
        assert pictures(camera.url) == 5
        assert [request.method for request in camera.requests].count("SETUP") == 2


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize("login", [None, TRAN])
def test_nobody_goes_where_a_camera_sends_us(method: str, login: tuple[str, str] | None) -> None:
    with RtspCamera(login=TRAN) as thief:
        with (
            RtspCamera(
                login=login, sends_on=lambda asked: thief.url if asked.method == method else None
            ) as camera,
            pytest.raises(CameraRefused, match=f"sends us on to 127.0.0.1:{thief.port}, and nobody goes"),
        ):
            pictures(camera.url)
        assert (thief.connections, thief.proofs) == (0, [])


def test_a_redirect_that_only_a_sloppy_reader_sees_gets_neither_login_nor_visit() -> None:
    with RtspCamera() as thief:

        def answer(request: Request) -> bytes | None:
            number = request.head.partition("CSeq: ")[2].split()[0]
            hidden = f"RTSP/1.0 3\r02 Found\r\nCSeq: {number}\r\nLocat\rion: {thief.url}\r\n\r\n"
            body = f"RTSP/1.0 302 Found\r\nLocation: {thief.url}\r\n\r\n"
            twice = (
                f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nContent-Length: {len(body)}\r\nContent-Length: 0\r\n\r\n"
            )
            return (hidden if request.method == "OPTIONS" else twice + body).encode()

        with RtspCamera(raw=answer) as camera, pytest.raises((CameraLost, CameraRefused)):
            pictures(camera.url)
        assert thief.connections == 0


def test_a_redirect_within_the_camera_is_followed() -> None:
    def other(asked: Request) -> str | None:
        return asked.uri.replace("/live", "/other") if asked.uri.endswith("/live") else None

    with RtspCamera(login=TRAN, sends_on=other) as camera:
        assert pictures(camera.url) == 5
        assert camera.requests[-1].uri.endswith("/other/")


def test_a_circle_of_redirects_ends() -> None:
    with RtspCamera(sends_on=lambda asked: asked.uri) as camera:
        with pytest.raises(CameraRefused, match="sends us on"):
            pictures(camera.url)
        assert len(camera.requests) < 10


def test_pictures_over_udp_are_taken_from_the_camera_whoever_it_names() -> None:
    asked = threading.Event()
    heard: list[bytes] = []

    def named(request: Request) -> bytes | None:
        number = request.head.partition("CSeq: ")[2].split()[0]
        asked.set()
        return (f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nTransport: RTP/AVP;unicast;client_port=5000-5001;"
                f"source=192.0.2.7;server_port=6000-6001\r\n\r\n").encode()  # fmt: skip

    with RtspCamera(raw=named) as camera:
        relay = Relay(camera.url, None, 5)
        with socket.create_connection(("127.0.0.1", int(relay.url.split(":")[2].split("/")[0])), 5) as ffmpeg:
            ffmpeg.sendall(f"SETUP {relay.url} RTSP/1.0\r\nCSeq: 9\r\n\r\n".encode())
            heard.append(ffmpeg.recv(4096))
        relay.close()
    assert asked.is_set()
    assert b"source=127.0.0.1" in heard[0]
    assert b"192.0.2.7" not in heard[0]
    assert b"CSeq: 9\r\n" in heard[0]


def test_somebody_else_on_this_machine_does_not_come_in() -> None:
    with RtspCamera(login=TRAN) as camera:
        relay = Relay(camera.url, Login(*TRAN), 5)
        port = int(relay.url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.sendall(f"DESCRIBE rtsp://127.0.0.1:{port}/live RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            assert stranger.recv(100) == b""
        relay.close()
        assert camera.requests == []


@pytest.mark.parametrize("said", [b"", b"$\0\0\5hello", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", b"x" * 70_000])
def test_a_camera_does_not_notice_whoever_has_no_key(said: bytes) -> None:
    with RtspCamera() as camera:
        relay = Relay(camera.url, None, 5.0)
        port = int(relay.url.split("/")[2].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as stranger, contextlib.suppress(OSError):
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(100) == b""
        relay.close()
        assert camera.connections == 0


def test_ffmpeg_comes_in_past_those_who_wait_at_the_door_and_say_nothing() -> None:
    with RtspCamera() as camera:
        camera.sends_on = lambda request: f"{camera.url}/two" if request.uri.endswith("/live") else None
        options = {"rtsp_transport": "tcp", "fpsprobesize": "0", "timeout": "3000000"}
        source = Source("north", "rtsp", camera.url, camera.url, options=options, max_fps=100, open_timeout_s=5)
        strangers: list[socket.socket] = []
        inner = Relay.redirect

        def redirect(self: Relay, location: str) -> str | None:
            port = int(self.url.split("/")[2].rpartition(":")[2])
            strangers.extend(socket.create_connection(("127.0.0.1", port)) for _ in range(40))
            return inner(self, location)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Relay, "redirect", redirect)
            stream = Stream(source, now)
        assert len(list(itertools.islice(stream, 3))) == 3
        assert camera.connections == 2
        stream.close()
        for each in strangers:
            each.close()


@pytest.mark.parametrize("control", ["rtsp://a]b/track1", "rtsp://[/"])
def test_a_track_at_an_address_that_is_none_is_refused_without_a_traceback(
    control: str, capfd: pytest.CaptureFixture[str]
) -> None:
    described = SDP.replace("a=control:track1", f"a=control:{control}")

    def raw(request: Request) -> bytes | None:
        if request.method != "DESCRIBE":
            return None
        head = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: "
        return f"{head}{len(described)}\r\n\r\n{described}".encode()

    with RtspCamera(raw=raw) as camera, pytest.raises(CameraLost):
        pictures(camera.url)
    assert "Traceback" not in capfd.readouterr().err


def test_a_closed_relay_leaves_no_thread_and_no_descriptor() -> None:
    before, open_before = threading.enumerate(), open_descriptors()
    with RtspCamera() as camera:
        assert pictures(camera.url) == 5
    until(lambda: not begun_since(before))
    assert not opened_since(open_before)


@pytest.mark.long
def test_a_camera_whose_packets_vanish_does_not_answer_in_time() -> None:
    """As one whose server of names is dead: a full queue of connections answers as little."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = [socket.socket() for _ in range(4)]
        for each in held:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        with pytest.raises(CameraLost, match="does not answer in time"):
            pictures(f"rtsp://127.0.0.1:{full.getsockname()[1]}/live")
        for each in held:
            each.close()


def test_a_host_that_has_no_address_is_told() -> None:
    with pytest.raises(CameraLost, match=r"has a name that DNS does not know"):
        pictures("rtsp://no-such-camera.invalid/live")
