"""agent.cameras.decode.rtsp.loopback_door"""

from __future__ import annotations

import contextlib
import socket
import threading

from agent.cameras.decode.rtsp.loopback_door import MOST_VISITORS, LoopbackDoor

EXPECTED = b"OPTIONS rtsp://a/key RTSP/1.0\r\nCSeq: 1\r\n\r\n"


def listening() -> tuple[socket.socket, int]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, int(listener.getsockname()[1])


def test_who_says_the_right_thing_is_let_in_with_all_that_was_said() -> None:
    listener, port = listening()
    door = LoopbackDoor(listener, lambda first: first == EXPECTED)
    with contextlib.ExitStack() as open_ones:
        silent, foreign, ours = (
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3)
        )
        foreign.sendall(b"$\0\0\1x")
        ours.sendall(EXPECTED + b"DESC")
        came = door.admit()
        assert came is not None
        assert came[1] == EXPECTED + b"DESC"
        assert came[0].getpeername() == ours.getsockname()
        silent.settimeout(5)
        door.close()
        assert silent.recv(1) == b""
        came[0].close()
    listener.close()


def test_those_who_say_nothing_do_not_keep_out_who_comes_after_them() -> None:
    listener, port = listening()
    door = LoopbackDoor(listener, lambda first: first == EXPECTED)
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * MOST_VISITORS)]
    with socket.create_connection(("127.0.0.1", port)) as ours:
        ours.sendall(EXPECTED)
        came = door.admit()
        assert came is not None
        came[0].close()
    for each in silent:
        each.close()
    door.close()
    listener.close()


def test_a_listener_that_is_closed_ends_the_waiting() -> None:
    listener, _ = listening()
    door = LoopbackDoor(listener, lambda _first: True)
    ended: list[object] = []
    waiting = threading.Thread(target=lambda: ended.append(door.admit()))
    waiting.start()
    listener.shutdown(socket.SHUT_RDWR)
    waiting.join(5)
    assert ended == [None]
    listener.close()
