"""station.web.readiness"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.language import translated
from station.config import StationConfig, parse, warnings
from station.web.readiness import screen_findings
from tests.support.brokers import free_port
from tests.support.screen_proxy import HOST, screen_proxy
from tests.support.screens import screen


def config(web: str, more: str = "") -> StationConfig:
    return parse(f"commune: hai-ninh\n{more}web: {web}\n".encode(), "station.yaml")


def last(settings: StationConfig) -> tuple[str, str]:
    """Of the thing that is tried last, in one line."""
    what, verdict = list(screen_findings(settings))[-1]
    return str(what).replace("\n", ": "), verdict


def test_where_no_screen_is_to_be_nothing_is_looked_at() -> None:
    assert list(screen_findings(parse(b"commune: hai-ninh\n", "station.yaml"))) == []


def test_packages_and_font_are_there_and_a_free_port_is_free_before_and_after() -> None:
    port = free_port()

    first, again = (list(screen_findings(config(f"{{port: {port}}}"))) for _ in range(2))
    assert first == again
    assert [verdict for _, verdict in first] == ["ok"] * 3
    assert [str(what) for what, _ in first] == [
        "all packages of the screen are there",
        "reports are printed in Roboto, with all Vietnamese letters",
        f"127.0.0.1:{port} is free: no station serves its screen now",
    ]
    assert "Roboto" in translated(first[1][0], into="vi") and translated(first[1][0], into="vi") != first[1][0]


def test_the_screen_itself_at_its_port_is_well(tmp_path: Path) -> None:
    with screen(tmp_path) as started:
        assert last(config(f"{{port: {started.port}}}")) == (
            f"the screen answers at 127.0.0.1:{started.port}", "ok",
        )  # fmt: skip


def test_another_program_at_its_port_is_told_with_what_to_do() -> None:
    with other_program() as port:
        what, verdict = last(config(f"{{port: {port}}}"))

    assert verdict == "failed"
    assert what == f"127.0.0.1:{port} is taken by another program: end it, or set web.port"


@pytest.mark.parametrize(
    ("host", "said"),
    [("no-such-host.invalid", "this machine knows no such name"), ("192.0.2.7", "cannot be listened on")],
)
def test_an_address_that_is_not_of_this_machine_is_told(host: str, said: str) -> None:
    what, verdict = last(config(f"{{host: {host}}}"))

    assert verdict == "failed" and said in what and "web.host" in what


def test_the_public_address_is_tried_as_an_officer_comes(tmp_path: Path) -> None:
    with screen(tmp_path) as started, screen_proxy(tmp_path / "proxy", started.port) as proxy:
        web = f"{{port: {started.port}, public_url: '{proxy.url}'}}"
        unknown = last(config(web))
        known = last(config(web, broker_with(proxy.folder / "ca/ca.crt")))
        elsewhere = last(config(web.replace(HOST, "127.0.0.1"), broker_with(proxy.folder / "ca/ca.crt")))

    assert unknown[1] == "failed" and "does not trust its certificate" in unknown[0]
    assert known == (f"{proxy.url} answers; its certificate is good for 89 days", "ok")
    assert elsewhere[1] == "failed" and "IP address mismatch" in elsewhere[0]


def test_a_proxy_before_nothing_and_no_proxy_at_all_are_told_apart(tmp_path: Path) -> None:
    with screen_proxy(tmp_path, free_port()) as proxy:
        ours = broker_with(tmp_path / "ca/ca.crt")
        alone = last(config(f"{{port: {free_port()}, public_url: '{proxy.url}'}}", ours))
    away = last(config(f"{{port: {free_port()}, public_url: '{proxy.url}'}}", ours))
    unknown = last(config(f"{{port: {free_port()}, public_url: 'https://no-such-host.invalid'}}"))

    assert alone[1] == "warning" and "the proxy answers, and no screen behind it" in alone[0]
    assert away[1] == "failed" and "is the proxy at work" in away[0]
    assert unknown[1] == "warning" and "officers' machines must" in unknown[0]


def test_off_loopback_deserves_a_look_with_a_proxy_and_without() -> None:
    assert warnings(config("{port: 8480}")) == []
    assert "passwords go over the network" in str(warnings(config("{host: 0.0.0.0}")))
    behind = "{host: 0.0.0.0, public_url: 'https://tram.example'}"
    assert "around the proxy" in str(warnings(config(behind)))


def broker_with(ca: Path) -> str:
    return f"broker: {{host: localhost, tls: {{ca: {ca}}}}}\n"


@contextmanager
def other_program() -> Iterator[int]:
    """One that serves pages of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return
