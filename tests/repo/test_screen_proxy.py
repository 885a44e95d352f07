"""deploy/…/nginx.conf.j2 and screen.nft.j2: the console behind a real nginx, as the role sets it up"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from station.store.database import engine_of, url_of
from station.store.schema import audit_entry
from station.web.headers import HEADERS, MOST_BYTES
from tests.support.brokers import free_port
from tests.support.duty_room import OFFICER, PASSWORD, DutyRoom
from tests.support.screen_proxy import HOST, ScreenProxy, rendered, screen_proxy

pytestmark = pytest.mark.long

MIB = 2**20


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DutyRoom]:
    folder, port = tmp_path_factory.mktemp("room"), free_port()
    web = {"port": port, "public_url": f"https://{HOST}"}
    started = DutyRoom(folder, free_port(), more={"web": web}, web_port=port)
    try:
        started.start()
        started.staff()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def proxy(room: DutyRoom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScreenProxy]:
    with screen_proxy(tmp_path_factory.mktemp("proxy"), room.web_port) as started:
        yield started


@contextmanager
def officer(proxy: ScreenProxy) -> Iterator[httpx.Client]:
    with proxy.browser() as browser:
        answer = browser.post("/login", data={"login": OFFICER, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield browser


def test_an_officer_logs_in_over_tls_and_the_session_goes_nowhere_else(proxy: ScreenProxy) -> None:
    with officer(proxy) as browser:
        assert 'id="wall"' in browser.get("/").text
        (cookie,) = [each for each in browser.cookies.jar if each.name == "ngatu"]
    assert cookie.secure and cookie.has_nonstandard_attr("HttpOnly")


def test_no_header_comes_twice_and_none_is_missing(proxy: ScreenProxy) -> None:
    with officer(proxy) as browser:
        said = browser.get("/").headers
    names = [name.decode().lower() for name, _ in said.raw]

    assert sorted(names) == sorted(set(names))
    assert {each.lower() for each in HEADERS} | {"strict-transport-security"} <= set(names)
    assert said["server"] == "nginx"


def test_without_tls_one_is_sent_there(proxy: ScreenProxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/lookup?label=car", headers={"host": HOST})

    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{HOST}/lookup?label=car"


def test_another_name_than_its_own_is_refused_by_the_console(proxy: ScreenProxy) -> None:
    with proxy.browser() as browser:
        assert browser.get("/login", headers={"host": "elsewhere.example"}).status_code == 421


def test_events_come_one_by_one_and_not_when_a_buffer_is_full(proxy: ScreenProxy) -> None:
    with officer(proxy) as browser, browser.stream("GET", "/feed?after=0") as feed:
        began, beats = time.monotonic(), 0
        for line in feed.iter_lines():
            beats += line == "event: beat"
            if beats == 2:
                break
    assert beats == 2 and time.monotonic() - began < 30, "two beats are four seconds apart, and are small"


def test_what_is_too_large_the_console_says_itself_and_much_more_does_not_reach_it(proxy: ScreenProxy) -> None:
    with officer(proxy) as browser:
        ours = browser.post("/login", content=b"x" * (MOST_BYTES + 1))
        far = browser.post("/login", content=b"x" * (20 * MIB))

    assert (ours.status_code, ours.text) == (413, "too large")
    assert far.status_code == 413 and "nginx" in far.text


def test_who_asks_is_who_asks_whatever_he_says_of_himself(proxy: ScreenProxy, room: DutyRoom) -> None:
    lies = {"x-forwarded-for": "6.6.6.6", "forwarded": "for=6.6.6.6", "x-forwarded-host": "elsewhere.example"}
    with proxy.browser(headers=lies) as browser:
        browser.post("/login", data={"login": "nobody-of-ours", "password": PASSWORD})
    engine = engine_of(url_of(room.config.database, room.config.state_dir), writes=False)
    try:
        with engine.connect() as connection, connection.begin():
            addresses = set(connection.scalars(select(audit_entry.c.address)))
    finally:
        engine.dispose()

    assert "127.0.0.1" in addresses
    assert "6.6.6.6" not in addresses


def test_while_the_station_is_away_a_page_says_so_in_both_languages(tmp_path: Path) -> None:
    with screen_proxy(tmp_path, free_port()) as alone, alone.browser() as browser:
        answer = browser.get("/")

    assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
    assert "Trạm hai-ninh chưa trả lời" in answer.text and "The station does not answer" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_large_download_goes_through_as_it_is_read_and_is_written_nowhere(tmp_path: Path) -> None:
    size, sent = 256 * MIB, [0]
    with closing(socket.create_server(("127.0.0.1", 0))) as upstream:
        threading.Thread(target=_give, args=(upstream, size, sent), daemon=True).start()
        with (
            screen_proxy(tmp_path, upstream.getsockname()[1]) as alone,
            alone.browser() as browser,
            browser.stream("GET", "/hand-over.zip") as answer,
        ):
            parts = answer.iter_raw(MIB)
            got = len(next(parts))
            time.sleep(2.0)  # nothing to wait for: so long nobody reads
            held = sent[0]
            on_disk = sum(each.stat().st_size for each in (tmp_path / "proxy").rglob("*") if each.is_file())
            got += sum(map(len, parts))

    assert got == size
    assert held < size / 4, "what nobody reads is not taken from the console"
    assert on_disk == 0


def test_one_address_has_no_more_feeds_open_than_leave_room_for_others(tmp_path: Path) -> None:
    with ExitStack() as held:
        upstream = held.enter_context(
            closing(socket.create_server(("127.0.0.1", 0), backlog=256))
        )  # says nothing
        alone = held.enter_context(screen_proxy(tmp_path, upstream.getsockname()[1]))
        trusts = ssl.create_default_context(cafile=str(tmp_path / "ca" / "ca.crt"))

        def asks(path: str, wait_s: float) -> bytes:
            plain = held.enter_context(socket.create_connection(("127.0.0.1", alone.port)))
            browser = held.enter_context(trusts.wrap_socket(plain, server_hostname=HOST))
            browser.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            browser.settimeout(wait_s)
            with suppress(TimeoutError):
                return browser.recv(100)
            return b""

        assert [asks("/feed", 0.02) for _ in range(96)] == [b""] * 96
        assert b" 429 " in asks("/feed", 30)
        assert asks("/login", 0.5) == b"", "it went through, and waits for the console"


def _give(upstream: socket.socket, size: int, sent: list[int]) -> None:
    connection, _ = upstream.accept()
    with connection:
        connection.recv(65536)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/zip\r\ncontent-length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        while sent[0] < size:
            sent[0] += connection.send(b"x" * min(65536, size - sent[0]))


@pytest.mark.parametrize(
    ("sources", "rules"),
    [
        ([], ["tcp dport { 80, 443, 8443 } accept"]),
        (["10.20.0.0/16"], ["ip saddr { 10.20.0.0/16 } tcp dport { 80, 443, 8443 } accept"]),
        (
            ["10.20.0.0/16", "fd00::/8"],
            [
                "ip saddr { 10.20.0.0/16 } tcp dport { 80, 443, 8443 } accept",
                "ip6 saddr { fd00::/8 } tcp dport { 80, 443, 8443 } accept",
            ],
        ),
    ],
)
def test_the_firewall_lets_in_whom_the_inventory_names_and_nobody_else(
    tmp_path: Path, sources: list[str], rules: list[str]
) -> None:
    screens = {"hai-ninh": "https://tram.example", "hai-tay": "https://tram.example:8443"}
    text = rendered("screen.nft.j2", ngatu_station_screens=screens, ngatu_station_screen_from=sources)

    said = [line.removeprefix("add rule inet ngatu input ") for line in text.splitlines() if "add rule" in line]
    assert said == rules
    if os.geteuid() == 0 and shutil.which("nft"):
        (tmp_path / "rules").write_text(text)
        done = subprocess.run(
            ["nft", "-c", "-f", str(tmp_path / "rules")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
