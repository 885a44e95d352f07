"""The duty room's screen of a province, as an officer's machine reaches it: by name, over TLS, by nginx."""

from __future__ import annotations

import re
import socket
import ssl
import time

import httpx

from tests.acceptance.faults.suite import Broken
from tests.acceptance.fleet.province import COMMUNES, STATION, Province
from tests.support.brokers import until

ADDRESSES = dict(zip(COMMUNES, (f"https://{STATION}", f"https://{STATION}:8443"), strict=True))
"""As the role makes them of the communes' order."""
PASSWORD = "ba con mèo ngồi hiên"


class Desk:
    """A browser of the duty room: it trusts the province's authority alone, and calls the host by name."""

    def __init__(self, province: Province, commune: str) -> None:
        name = httpx.URL(ADDRESSES[commune])
        trusts = ssl.create_default_context(cafile=str(province.authority / "ca.crt"))
        host = province.station.address
        self._by_name = {"sni_hostname": STATION}
        self.client = httpx.Client(
            base_url=f"https://{host}:{name.port or 443}", verify=trusts, timeout=30,
            headers={"host": name.netloc.decode(), "accept": "text/html"},
        )  # fmt: skip

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path, extensions=self._by_name)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return self.client.post(path, data=fields, extensions=self._by_name)


def first_log_in(province: Province, commune: str) -> str:
    """From the password in the journal to the wall with its events; what was seen.

    Raises:
        Broken: it is not so.
    """
    said = province.station.ssh(f"journalctl -o cat -u ngatu-station@{commune}.service").good().output
    found = re.search(r"log in as (\S+) with the password (\S+)", said)
    if found is None:
        raise Broken(f"{commune}: the journal has no first password: {said[-800:]}")
    desk, (login, given) = Desk(province, commune), found.groups()
    with desk.client:
        if desk.get("/").headers.get("location") != "/login":
            raise Broken(f"{commune}: a page is open to whoever comes")
        began = time.monotonic()
        _expect(desk.post("/login", login=login, password=given), 303, "/own", "the first log-in")
        _expect(desk.get("/review"), 303, "/own", "a given password opens its own page only")
        token = re.search(r'name="csrf" value="([^"]+)"', desk.get("/own").text)
        assert token is not None
        fields = {"csrf": token[1], "old": given, "new": PASSWORD, "again": PASSWORD}
        _expect(desk.post("/own/password", **fields), 303, "/", "another password")
        until(
            lambda: re.search(r'data-key="[^"]+"', desk.get("/").text),
            30,
            f"an event is on the wall: {commune}",
        )
        took = time.monotonic() - began
        wall = desk.get("/")
        twice = {name for name, _ in wall.headers.raw if len(wall.headers.get_list(name.decode())) > 1}
        if twice or "content-security-policy" not in wall.headers:
            raise Broken(f"{commune}: headers that come twice: {twice}; policy: {wall.headers}")
    return f"{commune} in {took:.1f} s"


def shut_elsewhere(province: Province) -> str:
    """What must not open: the consoles without nginx, and a page without TLS; what was seen.

    Raises:
        Broken: one does.
    """
    host = province.station.address
    for port in (8480, 8481):
        try:
            socket.create_connection((host, port), 3).close()
        except OSError:
            continue
        raise Broken(f"the console itself can be reached at port {port}")
    plain = httpx.get(f"http://{host}/review", headers={"host": STATION}, timeout=30)
    if plain.status_code != 301 or plain.headers["location"] != f"https://{STATION}/review":
        raise Broken(f"without TLS: {plain.status_code} {plain.headers.get('location')}")
    try:
        httpx.get(f"https://{host}/login", timeout=30)
    except httpx.ConnectError:
        return "HTTP sent to HTTPS, unknown authority refused, consoles shut off"
    raise Broken("a machine that does not trust the authority took its certificate")


def _expect(answer: httpx.Response, status: int, location: str, what: str) -> None:
    if (answer.status_code, answer.headers.get("location")) != (status, location):
        said = re.sub(r"<[^>]+>|\s+", " ", answer.text)[:600]
        raise Broken(f"{what}: {answer.status_code} {answer.headers.get('location')}: {said}")


def screens_open(province: Province) -> str:
    """All of it, for each commune; what was seen."""
    seen = [first_log_in(province, commune) for commune in COMMUNES]
    return f"screen over TLS from the first password to the wall: {', '.join(seen)}; {shut_elsewhere(province)}"
