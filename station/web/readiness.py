"""Tries what the screen needs, for `ngatu station check`: packages, the font of reports, port, public address.

Nothing is changed: a port is tried by taking it for a moment, an address by asking for `/alive`.
"""

from __future__ import annotations

import errno
import http.client
import importlib.util
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from agent.translatable import joined, tr
from station.config import StationConfig, WebSettings

ScreenFinding = tuple[str, str]
"""What was found, and the verdict: ok, warning or failed."""
PACKAGES: Final = ("argon2", "fastapi", "fpdf", "jinja2", "pygal", "python_multipart", "tzdata", "uvicorn")
ANSWERS_S: Final = 5.0
ENDS_SOON_D: Final = 14
LETTERS: Final = "ặệớữđƯỖ₫"
"""Some that Vietnamese needs and many a font lacks."""


def screen_findings(config: StationConfig) -> Iterator[ScreenFinding]:
    """One for each thing that the screen needs; none where there is to be no screen."""
    web = config.web
    if web is None:
        return
    yield _packages()
    yield _font()
    yield _port(web)
    if web.public_url is not None:
        yield _public(web, config)


def _packages() -> ScreenFinding:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        what = tr("packages are missing: {names}", names=", ".join(missing))
        return joined("\n", (what, tr("install ngatu with the extra `station`"))), "failed"
    return tr("all packages of the screen are there"), "ok"


def _font() -> ScreenFinding:
    """Reports are printed by a font that comes as a package."""
    hint = tr("install ngatu with the extra `station`")
    try:
        from font_roboto import Roboto, RobotoBold  # noqa: PLC0415 (it may be missing)
        from fontTools.ttLib import TTFont  # noqa: PLC0415
    except ImportError:
        return joined("\n", (tr("the font of reports is missing"), hint)), "failed"
    for path in (Roboto, RobotoBold):
        try:
            with TTFont(path, lazy=True) as font:
                letters = font.getBestCmap()
        except (OSError, ValueError, KeyError) as error:
            what = tr("{path}: cannot be read: {reason}", path=path, reason=str(error))
            return joined("\n", (what, hint)), "failed"
        if any(ord(each) not in letters for each in LETTERS):
            return tr("{path}: lacks letters that Vietnamese needs", path=path), "failed"
    return tr("reports are printed in Roboto, with all Vietnamese letters"), "ok"


def _port(web: WebSettings) -> ScreenFinding:
    """Free, or the screen itself is there."""
    where = f"[{web.host}]:{web.port}" if ":" in web.host else f"{web.host}:{web.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, socket.SOCK_STREAM)) as ear:
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ear.bind(address)
    except socket.gaierror:
        what, hint = tr("{where}: this machine knows no such name", where=where), tr("set web.host")
        return joined("\n", (what, hint)), "failed"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _taken(web, where)
        what = tr("{where} cannot be listened on: {reason}", where=where, reason=error.strerror or str(error))
        return joined("\n", (what, tr("set web.host to an address of this machine, or web.port"))), "failed"
    return tr("{where} is free: no station serves its screen now", where=where), "ok"


def _taken(web: WebSettings, where: str) -> ScreenFinding:
    ours = web.host if web.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 (it is asked, not bound)
    with closing(http.client.HTTPConnection(ours, web.port, timeout=ANSWERS_S)) as asked:
        if _alive(asked) == 200:
            return tr("the screen answers at {where}", where=where), "ok"
    what = tr("{where} is taken by another program", where=where)
    return joined("\n", (what, tr("end it, or set web.port"))), "failed"


def _public(web: WebSettings, config: StationConfig) -> ScreenFinding:
    """The way that officers take: the name, the proxy, its certificate, and the screen behind it."""
    assert web.public_url is not None
    url, parts = web.public_url.rstrip("/"), urlsplit(web.public_url)
    host, port = parts.hostname or "", parts.port or 443
    trusts = ssl.create_default_context()
    own = config.broker.tls.ca if config.broker.tls is not None else None
    if own is not None and Path(own).is_file():
        trusts.load_verify_locations(own)  # the province's authority signs the proxy's certificate, too
    asked = http.client.HTTPSConnection(host, port, timeout=ANSWERS_S, context=trusts)
    with closing(asked):
        try:
            asked.connect()
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message or str(error)
            what = tr("{url}: this machine does not trust its certificate: {reason}", url=url, reason=why)
            return joined("\n", (what, tr("renew it, or name the right address in web.public_url"))), "failed"
        except socket.gaierror:
            what = tr("{url}: this machine cannot look the name up; officers' machines must", url=url)
            return what, "warning"
        except OSError as error:
            what = tr("{url}: nothing answers: {reason}", url=url, reason=error.strerror or str(error))
            return joined("\n", (what, tr("is the proxy at work, and does it listen there?"))), "failed"
        left = _days_left(asked)
        status = _alive(asked)
    return _behind(url, status, left)


def _behind(url: str, status: int, left: int) -> ScreenFinding:
    if status == 421:
        what = tr("{url}: the screen behind it does not take that for its name", url=url)
        return joined("\n", (what, tr("start the station again; the proxy must pass the name on"))), "failed"
    if status != 200:
        what = tr("{url}: the proxy answers, and no screen behind it", url=url)
        return joined("\n", (what, tr("start the station; is its port that of the proxy?"))), "warning"
    what = tr("{url} answers; its certificate is good for {days} days", url=url, days=left)
    if left < ENDS_SOON_D:
        return joined("\n", (what, tr("renew it, or browsers will warn of the page"))), "warning"
    return what, "ok"


def _alive(asked: http.client.HTTPConnection) -> int:
    """The status of `/alive`; 0: it is not a screen of ours that answers."""
    try:
        asked.request("GET", "/alive")
        answer = asked.getresponse()
        body = answer.read(1000)
        ours = answer.status != 200 or json.loads(body) == {"state": "ok"}
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    return answer.status if ours else 0


def _days_left(asked: http.client.HTTPSConnection) -> int:
    assert isinstance(asked.sock, ssl.SSLSocket)
    said = asked.sock.getpeercert() or {}
    ends_s = ssl.cert_time_to_seconds(str(said["notAfter"]))
    return int((ends_s - datetime.now(UTC).timestamp()) // 86_400)
