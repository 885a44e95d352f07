"""nginx before a console as the station's role sets it up: its template, and an authority that signs for it.

    with screen_proxy(folder, console_port) as proxy:
        with proxy.browser() as browser:
            browser.get("/login")

Only paths, ports and the user are others than on a host.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fleet.ca import authority
from tests.conftest import ROOT
from tests.support.brokers import free_port, until

ROLE = ROOT / "deploy/ansible/roles/ngatu_station"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
HOST = "localhost"
PASSPHRASE = "an authority of the tests"


def rendered(template: str, **more: Any) -> str:
    """A template of the role; `more` are the variables that it asks for."""
    place = Environment(
        loader=FileSystemLoader(ROLE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    place.tests["search"] = lambda text, pattern: re.search(pattern, text) is not None  # Ansible's
    return place.get_template(template).render(ansible_managed="by a test", **more)


@dataclass(frozen=True)
class ScreenProxy:
    """One nginx."""

    folder: Path
    port: int
    plain_port: int

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"https://{HOST}:{self.port}"

    @contextmanager
    def browser(self, **more: Any) -> Iterator[httpx.Client]:
        """Somebody whose machine trusts the authority, and no other."""
        trusts = ssl.create_default_context(cafile=str(self.folder / "ca" / "ca.crt"))
        with httpx.Client(base_url=self.url, verify=trusts, timeout=60, **more) as client:
            yield client

    @property
    def said(self) -> str:
        """What nginx wrote."""
        return (self.folder / "nginx.log").read_text(errors="replace")


@contextmanager
def screen_proxy(folder: Path, console_port: int) -> Iterator[ScreenProxy]:
    """nginx with TLS on loopback, before what listens at this port; without nginx the test is skipped."""
    if NGINX is None:
        why = "nginx is not here: apt install nginx"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    folder.mkdir(parents=True, exist_ok=True)
    proxy = ScreenProxy(folder, free_port(), free_port())
    _certificate(folder)
    (folder / "nginx.conf").write_text(_configuration(proxy, console_port))
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [NGINX, "-e", "stderr", "-c", str(folder / "nginx.conf"), "-p", str(folder),
             "-g", f"daemon off; pid {folder / 'pid'};"],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            until(lambda: _listens(proxy, process), 30, proxy.said)
            yield proxy
        finally:
            process.terminate()
            process.wait(20)


def _listens(proxy: ScreenProxy, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, proxy.said
    try:
        httpx.get(f"http://127.0.0.1:{proxy.plain_port}/", timeout=2)
    except httpx.TransportError:
        return False
    return True


def _configuration(proxy: ScreenProxy, console_port: int) -> str:
    text = rendered(
        "nginx.conf.j2",
        ngatu_station_screens={"hai-ninh": f"https://{HOST}"},
        ngatu_station_screen_ports={"hai-ninh": console_port},
        ngatu_station_screen_bind=["127.0.0.1"],
        ngatu_station_screen_cert=proxy.folder / "screen.crt",
        ngatu_station_screen_key=proxy.folder / "screen.key",
    )
    kept = "".join(
        f"    {what}_temp_path {proxy.folder / what};\n"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    for was, now in (
        ("user www-data;", "user root;"),
        ("127.0.0.1:443 ", f"127.0.0.1:{proxy.port} "),
        ("127.0.0.1:80 ", f"127.0.0.1:{proxy.plain_port} "),
        ("http {\n", f"http {{\n{kept}"),
    ):
        assert was in text
        text = text.replace(was, now)
    return text


def _certificate(folder: Path) -> None:
    """As role ngatu_ca has it signed."""
    now = datetime.now(UTC).replace(microsecond=0)
    ours = authority.make(folder / "ca", "ngatu test", PASSPHRASE, now)
    done = subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
         str(folder / "screen.key"), "-subj", "/CN=screen.tram-hai"],
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    signed = ours.sign(done.stdout, "screen", "screen.tram-hai", now, hosts=[HOST])
    (folder / "screen.crt").write_bytes(signed)
