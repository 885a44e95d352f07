"""agent.tools.preview.server"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.errors import NgatuError
from agent.tools.preview import server as served
from agent.tools.preview.admission import FROM_ONE, new_token
from agent.tools.preview.answer import PageAnswer, PageRequest, as_json
from agent.tools.preview.server import HEADERS, MOST_BYTES, PreviewServer
from tests.support.brokers import until

TOKEN = new_token()
OTHER = "b" if TOKEN.endswith("a") else "a"


class HastyClock:
    """Runs so many times as fast as the machine's."""

    def __init__(self, times: float) -> None:
        self.times = times

    def now(self) -> Instant:
        at = SystemClock().now()
        return Instant(at.mono_s * self.times, at.wall_s)


class Served:
    """A server with a site that repeats what it was asked."""

    def __init__(
        self, token: str, site: Callable[[PageRequest], PageAnswer] | None = None, times: float = 1.0
    ) -> None:
        self.asked: list[PageRequest] = []
        self.visits: list[str] = []
        self.faults: list[Exception] = []
        self.server = PreviewServer(
            "127.0.0.1", 0, token, site or self.repeat, HastyClock(times),
            on_visit=self.visits.append, on_fault=self.faults.append,
        )  # fmt: skip
        self.port = self.server.port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def repeat(self, request: PageRequest) -> PageAnswer:
        self.asked.append(request)
        return as_json({"name": request.name, "query": dict(request.query), "body": request.body.decode()})

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, Any]:
        """Status, body, and the headers of an answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = link.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            link.close()

    def post(self, path: str, body: str = "{}", **headers: str) -> int:
        origin = {"Origin": f"http://127.0.0.1:{self.port}", "Content_Type": "application/json"}
        return self.ask("POST", path, body, **{**origin, **headers})[0]

    def say(self, data: bytes) -> bytes:
        """Bytes as they are; whatever comes until it hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as sock:
            sock.sendall(data)
            heard = b""
            while part := sock.recv(65536):
                heard += part
            return heard

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def open_to_all() -> Iterator[Served]:
    served = Served(TOKEN)
    yield served
    served.close()


@pytest.fixture
def at_home() -> Iterator[Served]:
    served = Served("")
    yield served
    served.close()


# ---------------------------------------------------------------------------------- invariant 1: the token


def test_with_the_token_everything_is_there_and_every_answer_is_closed_to_others(open_to_all: Served) -> None:
    status, body, headers = open_to_all.ask("GET", f"/{TOKEN}/words?lang=vi&after=3")

    assert status == 200
    assert json.loads(body) == {"name": "words", "query": {"lang": "vi", "after": "3"}, "body": ""}
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "'unsafe" not in headers["Content-Security-Policy"]
    assert headers["Server"] is None
    assert open_to_all.visits == ["127.0.0.1"]


@pytest.mark.parametrize(
    "path",
    [
        "/", "/words", f"/{TOKEN[:-1]}/words", f"/{TOKEN[:-1]}{OTHER}/words", f"/{TOKEN.upper()}/",
        f"/{TOKEN}x/words",
        "//",
        f"/x/{TOKEN}/", f"/%2e%2e/{TOKEN}/", f"/{TOKEN[:-1]}%00/", "http://[", "/é", "*",
    ],
    ids=range(13),
)  # fmt: skip
def test_without_the_token_nothing_is_there(open_to_all: Served, path: str) -> None:
    line = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    heard = open_to_all.say(line.encode())

    assert heard.split(b" ")[1] in (b"404", b"400")
    assert open_to_all.asked == []
    assert open_to_all.visits == []


def test_who_came_is_told_by_addresses_few_enough_for_one_line(at_home: Served) -> None:
    for number in range(30):
        at_home.server.visited(f"192.0.2.{number:03}")

    assert at_home.server.visitors == [*(f"192.0.2.{number:03}" for number in range(20)), "…"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    served = Served(TOKEN)
    yield served
    served.close()


@given(word=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
def test_no_other_word_opens_the_door(shared: Served, word: str) -> None:
    heard = shared.say(f"GET /{word}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())

    assert heard.split(b" ")[1] != b"200"


def test_the_address_without_its_last_stroke_leads_on(open_to_all: Served) -> None:
    status, _, headers = open_to_all.ask("GET", f"/{TOKEN}")

    assert (status, headers["Location"]) == (308, f"/{TOKEN}/")


# ---------------------------------------------------------------------------------- invariant 2: names


def test_a_page_elsewhere_whose_name_was_made_to_lead_here_reads_nothing(at_home: Served) -> None:
    status, body, _ = at_home.ask("GET", "/words", Host=f"evil.example:{at_home.port}")

    assert status == 403
    assert "another name" in body
    assert at_home.asked == []


@pytest.mark.parametrize(
    "name", [socket.gethostname(), f"{socket.gethostname().split('.')[0]}.local", "192.0.2.7"]
)
def test_without_a_token_a_name_for_which_anybody_on_the_network_may_answer_is_none_of_ours(
    at_home: Served, open_to_all: Served, name: str
) -> None:
    assert at_home.ask("GET", "/words", Host=f"{name}:{at_home.port}")[0] == 403
    assert open_to_all.ask("GET", f"/{TOKEN}/words", Host=f"{name}:{open_to_all.port}")[0] == 200


# ---------------------------------------------------------------------------------- invariant 3: other sites


def test_a_page_of_ours_may_ask_and_change(at_home: Served) -> None:
    ours = {"Sec_Fetch_Site": "same-origin"}

    assert at_home.ask("GET", "/words", **ours)[0] == 200
    assert at_home.post("/draw", '{"zones": []}', **ours) == 200
    assert [each.body for each in at_home.asked] == [b"", b'{"zones": []}']


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}),
        ("GET", {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"}),
        ("GET", {"Origin": "http://evil.example"}),
        ("POST", {"Origin": "http://evil.example"}),
        ("POST", {"Origin": "null"}),
        ("POST", {"Origin": "https://127.0.0.1"}),
        ("POST", {"Origin": "http://127.0.0.1:1"}),
        ("POST", {"Sec_Fetch_Site": "cross-site"}),
        ("POST", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}),
    ],
)
def test_what_a_browser_asks_for_another_site_is_refused(
    at_home: Served, method: str, headers: dict[str, str]
) -> None:
    refused = at_home.ask("GET", "/view", **headers)[0] if method == "GET" else at_home.post("/draw", **headers)

    assert refused == 403
    assert at_home.asked == []


def test_a_link_elsewhere_may_lead_to_the_page_itself(at_home: Served) -> None:
    assert at_home.ask("GET", "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


def test_a_form_of_another_page_cannot_be_sent_here(at_home: Served) -> None:
    """A form sends without asking first, but not as JSON, and from somewhere."""
    assert at_home.post("/draw", Content_Type="text/plain") == 415
    assert at_home.ask("POST", "/draw", "{}", Content_Type="application/json")[0] == 403


# ---------------------------------------------------------------------------------- invariant 5: how much


def test_nothing_large_and_nothing_of_unknown_length_is_read(at_home: Served) -> None:
    assert at_home.post("/draw", "x" * MOST_BYTES) == 200
    assert at_home.post("/draw", "x" * (MOST_BYTES + 1)) == 413
    assert at_home.post("/draw", "x", Content_Length="0000000000099999999999") == 413
    assert at_home.post("/draw", "x", Content_Length="-1") == 411
    assert at_home.post("/draw", "x", Content_Length="²") == 411
    origin = "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/json"
    head = f"POST /draw HTTP/1.1\r\n{origin}\r\n"
    assert at_home.say(f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode()).split()[1] == b"411"


def test_who_is_too_much_is_turned_away_at_once_and_let_in_when_there_is_room(at_home: Served) -> None:
    held = [socket.create_connection(("127.0.0.1", at_home.port)) for _ in range(FROM_ONE)]
    until(lambda: at_home.say(b"").startswith(b"HTTP/1.1 503"), 10)
    for each in held:
        each.close()

    until(lambda: _status(at_home) == 200, 10)


def _status(served: Served) -> int:
    try:
        return served.ask("GET", "/words")[0]
    except (http.client.HTTPException, ConnectionError):
        return 0


@pytest.mark.parametrize("begin", [b"", b"GET /words HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "])
def test_who_sends_byte_by_byte_is_not_waited_for(begin: bytes) -> None:
    served = Served("", times=20.0)  # ten seconds are half a second
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as sock:
        sock.sendall(begin)
        try:
            while time.monotonic() - began < 10:
                sock.sendall(b"x")
                sock.settimeout(0.1)
                try:
                    if not sock.recv(100):
                        break
                except TimeoutError:
                    continue
        except ConnectionError:
            pass
    served.close()

    assert time.monotonic() - began < 5


def test_a_fault_of_the_site_is_told_at_the_terminal_and_shows_nothing_to_the_browser() -> None:
    def broken(_request: PageRequest) -> PageAnswer:
        raise KeyError("/etc/secret")

    served = Served("", broken)
    status, body, _ = served.ask("GET", "/words")
    served.close()

    assert (status, body) == (500, "Internal Server Error: \n")
    assert [type(each) for each in served.faults] == [KeyError]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_other_methods_are_unknown_and_show_nothing_of_what_was_asked(at_home: Served, method: str) -> None:
    heard = at_home.say(f"{method} /<b>words HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    assert heard.split(b" ")[1] == b"501"
    assert b"<b>" not in heard
    assert b"Content-Security-Policy" in heard


@pytest.mark.parametrize(
    "line", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"G" * 70_000]
)
def test_nonsense_is_refused_in_few_words(
    at_home: Served, line: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = at_home.say(line + b"\r\n\r\n") if len(line) < 1000 else at_home.say(line + b" / HTTP/1.1\r\n\r\n")

    assert len(heard) < 1000
    assert at_home.asked == []
    assert capfd.readouterr() == ("", "")


def test_one_connection_asks_again_and_again(at_home: Served) -> None:
    link = http.client.HTTPConnection("127.0.0.1", at_home.port, timeout=20)
    for number in range(5):
        link.request("GET", f"/view?after={number}")
        answer = link.getresponse()
        assert answer.status == HTTPStatus.OK
        assert json.loads(answer.read())["query"] == {"after": str(number)}
    link.close()


# ---------------------------------------------------------------------------------- where it listens


def test_a_port_that_is_taken_is_told(at_home: Served) -> None:
    with pytest.raises(NgatuError, match="nothing can listen there: Address already in use") as error:
        PreviewServer("127.0.0.1", at_home.port, "", at_home.repeat, SystemClock())
    assert "--port" in error.value.hint
    with pytest.raises(NgatuError, match="nothing can listen there"):
        PreviewServer("192.0.2.1", 0, TOKEN, at_home.repeat, SystemClock())


def test_no_path_is_looked_for_on_the_disk() -> None:
    """Invariant 4: the server hands on a name, and the site has a table."""
    source = Path(served.__file__).read_text(encoding="utf-8")

    assert "pathlib" not in source and "open(" not in source
