"""Asks one ONVIF camera for its streams: a few calls to the address that a person named, and to nothing else.

Invariants
1. Everything goes to the host and port that was asked for, whatever the camera says of other addresses.
2. A login leaves only as a digest, and a wrong one is not tried again: cameras lock out who does that.
3. No answer is waited for, nor read, for longer than a camera takes; a redirect is not followed.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from agent.cameras.decode.rtsp.protocol import Login
from agent.errors import CameraError, CameraLost, CameraRefused, UsageError
from agent.printable import printable
from agent.tools.discovery import soap
from agent.tools.discovery.ws_discovery import DEVICE_PATH
from agent.translatable import tr

CALL_S = 8.0
"""The longest that one call may take, whatever the camera sends meanwhile."""
MAX_STREAMS = 8
MAX_SKEW_S = 50 * 365.25 * 86_400
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA, MEDIA2 = "http://www.onvif.org/ver10/media/wsdl", "http://www.onvif.org/ver20/media/wsdl"
LEAST_PASSWORD = 4
"""A shorter one stands in many an address by chance."""
_LOGIN = re.compile(r"(?i)(?<![a-z])(user(?:name)?|usr|login|pass(?:word|wd)?|pwd)=.*?(?=[&;/?#]|_[a-z]+=|$)")
_REFUSED = ("NotAuthorized", "FailedAuthentication", "InvalidSecurity", "Sender not Authorized")


@dataclass(frozen=True, slots=True)
class StreamOffer:
    """One stream that the camera offers."""

    profile: str
    codec: str
    """As the camera names it: H264, H265, JPEG."""
    width_px: int
    height_px: int
    fps: float | None
    url: str
    """At the host that was asked, without a login."""


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """Where a person says that a camera is."""

    host: str
    port: int
    path: str

    @classmethod
    def read(cls, text: str) -> CameraAddress:
        """A host, host:port, or http://host[:port]/path.

        Raises:
            UsageError: it is none of them, or holds a login.
        """
        hint = tr("write an address such as 192.168.10.21, or 192.168.10.21:8080")
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            port = parts.port or 80
        except ValueError:
            raise UsageError(tr("{text}: no address of a camera", text=text), hint) from None
        if parts.username is not None or parts.password is not None:
            raise UsageError(
                tr("--at: an address without user name and password"),
                tr("give them by --username and --password-file"),
            )
        if parts.scheme != "http" or not re.fullmatch(r"[A-Za-z0-9.:_-]+", parts.hostname or ""):
            raise UsageError(tr("{text}: no address of a camera", text=text), hint)
        return cls(parts.hostname or "", port, parts.path if parts.path not in ("", "/") else DEVICE_PATH)


class OnvifCamera:
    """One camera; its calls are made one after the other."""

    def __init__(
        self, place: CameraAddress, login: tuple[str, str] | None, wall_s: Callable[[], float]
    ) -> None:
        """Nothing is sent yet. `wall_s` tells the seconds since 1970."""
        self.place = place
        self._login, self._wall_s = login, wall_s
        self._skew_s = 0.0
        """How far the camera's clock is ahead of ours: its digests are good for seconds by its own clock."""
        self._paths: dict[str, str] = {}

    def about(self) -> str:
        """Maker and model in its own words, safe to be shown.

        Raises:
            CameraLost: nothing answers, or something that is no ONVIF camera.
            CameraRefused: it wants a login, or another one.
        """
        self._set_clock()
        answer = self._ask(self.place.path, f'<GetDeviceInformation xmlns="{DEVICE}"/>')
        return printable(f"{soap.text_of(answer, 'Manufacturer')} {soap.text_of(answer, 'Model')}").strip()[:80]

    def streams(self) -> list[StreamOffer]:
        """Every stream that can be opened, at most `MAX_STREAMS`; raises as `about` does."""
        self._learn_paths()
        offers: list[StreamOffer] = []
        for space in (MEDIA2, MEDIA):  # only the newer one tells of H.265
            if space in self._paths and not offers:
                offers = self._offers(space)
        return offers

    def _offers(self, space: str) -> list[StreamOffer]:
        kind = "<Type>VideoEncoder</Type>" if space == MEDIA2 else ""
        answer = self._ask(self._paths[space], f'<GetProfiles xmlns="{space}">{kind}</GetProfiles>')
        offers = []
        for profile in list(soap.every(answer, "Profiles"))[:MAX_STREAMS]:
            encoder = soap.first(profile, "VideoEncoder" if space == MEDIA2 else "VideoEncoderConfiguration")
            name = profile.get("token", "")
            if encoder is None or not name or len(name) > soap.MAX_TEXT:
                continue
            with contextlib.suppress(CameraRefused, ValueError):  # one that cannot be had hides no other
                offers.append(self._offer(space, name, encoder))
        return offers

    def _offer(self, space: str, name: str, encoder: soap.Element) -> StreamOffer:
        answer = self._ask(self._paths[space], _stream_uri(space, name))
        return StreamOffer(
            profile=printable(name),
            codec=printable(soap.text_of(encoder, "Encoding"))[:20],
            width_px=_number(soap.text_of(encoder, "Resolution", "Width")),
            height_px=_number(soap.text_of(encoder, "Resolution", "Height")),
            fps=float(_number(soap.text_of(encoder, "RateControl", "FrameRateLimit"))) or None,
            url=at_the_same_host(
                soap.text_of(answer, "Uri"), self.place.host, self._login[1] if self._login else None
            ),
        )

    def _learn_paths(self) -> None:
        try:
            answer = self._ask(self.place.path, _GET_SERVICES)
            found = {soap.text_of(each, "Namespace"): each for each in soap.every(answer, "Service")}
            places = {space: soap.text_of(found.get(space), "XAddr") for space in (MEDIA, MEDIA2)}
        except CameraRefused:  # the older way
            answer = self._ask(self.place.path, _GET_CAPABILITIES)
            places = {MEDIA: soap.text_of(answer, "Media", "XAddr")}
        for space, address in places.items():
            if path := _path(address):
                self._paths[space] = path
        if not self._paths:
            raise CameraRefused(
                tr("{host}: an ONVIF device without video", host=self.place.host), tr("ask a camera")
            )

    def _set_clock(self) -> None:
        """Learn how far its clock is off, which it should tell everybody."""
        try:
            answer = self._call(
                self.place.path, soap.envelope(f'<GetSystemDateAndTime xmlns="{DEVICE}"/>'), None
            )
        except CameraRefused:
            return
        moment = soap.first(answer, "UTCDateTime")
        parts = [_number(soap.text_of(moment, part, name)) for part, name in _MOMENT]
        with contextlib.suppress(ValueError):
            skew_s = datetime(*parts, tzinfo=UTC).timestamp() - self._wall_s()  # type: ignore[misc, arg-type]
            self._skew_s = skew_s if abs(skew_s) < MAX_SKEW_S else 0.0

    def _ask(self, path: str, body: str) -> soap.Element:
        header = soap.token(*self._login, self._wall_s() + self._skew_s) if self._login else ""
        answer = self._call(path, soap.envelope(body, header), Login(*self._login) if self._login else None)
        why = soap.fault(answer)
        if why is None:
            return answer
        if any(word in why for word in _REFUSED):
            raise self._not_let_in()
        raise CameraRefused(
            tr("{host}: refuses the request: {why}", host=self.place.host, why=printable(why)),
            tr("look whether ONVIF is switched on in the camera"),
        )

    def _call(self, path: str, message: bytes, login: Login | None) -> soap.Element:
        """One message and its answer; where HTTP itself asks for the login, it is proved there, once."""
        status, offers, answer = self._posted(path, message, None)
        digests = [offer for offer in offers if offer.lower().lstrip().startswith("digest")]
        if status == 401 and login is not None and login.challenge(digests):
            status, _, answer = self._posted(path, message, login.proof("POST", path))
        if status in (401, 403):
            raise self._not_let_in()
        try:
            return soap.read(answer)
        except soap.NotXml:
            raise CameraLost(
                tr("{host}: answers, but not as an ONVIF camera", host=self.place.host),
                tr("look whether ONVIF is switched on in the camera, and on which port"),
            ) from None

    def _posted(self, path: str, message: bytes, proof: str | None) -> tuple[int, list[str], bytes]:
        place = self.place
        connection = http.client.HTTPConnection(place.host, place.port, timeout=CALL_S)
        deadline: threading.Timer | None = None
        fields = {"Content-Type": "application/soap+xml; charset=utf-8", "Connection": "close"}
        try:
            connection.connect()
            # Its own time limit holds for each piece that comes; this one for all of them.
            deadline = threading.Timer(CALL_S, _hang_up, [connection.sock])
            deadline.daemon = True
            deadline.start()
            connection.request("POST", path, message, fields | ({"Authorization": proof} if proof else {}))
            answer = connection.getresponse()
            body = answer.read(soap.MAX_BYTES + 1)
            return answer.status, answer.headers.get_all("WWW-Authenticate") or [], body
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unheard(error) from None
        finally:
            if deadline is not None:
                deadline.cancel()
            connection.close()

    def _unheard(self, error: Exception) -> CameraError:
        host = f"{_in_url(self.place.host)}:{self.place.port}"
        if isinstance(error, ConnectionRefusedError):
            return CameraLost(tr("{host}: nobody listening", host=host), tr("check address, port and camera"))
        if isinstance(error, socket.gaierror):
            return CameraLost(tr("{host}: DNS does not know this name", host=host), tr("write its address"))
        if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
            return CameraLost(
                tr("{host}: answers, but not as an ONVIF camera", host=host),
                tr("look whether ONVIF is switched on in the camera, and on which port"),
            )
        return CameraLost(
            tr("{host}: does not answer in time", host=host), tr("check the network and the camera")
        )

    def _not_let_in(self) -> CameraRefused:
        if self._login is None:
            return CameraRefused(
                tr("{host}: wants a login", host=self.place.host),
                tr("give it by --username and --password-file"),
            )
        return CameraRefused(
            tr("{host}: refuses the login", host=self.place.host),
            tr("check user name and password; some cameras have users of their own for ONVIF"),
        )


_GET_SERVICES = f'<GetServices xmlns="{DEVICE}"><IncludeCapability>false</IncludeCapability></GetServices>'
_GET_CAPABILITIES = f'<GetCapabilities xmlns="{DEVICE}"><Category>Media</Category></GetCapabilities>'
_MOMENT = (
    *(("Date", name) for name in ("Year", "Month", "Day")),
    *(("Time", name) for name in ("Hour", "Minute", "Second")),
)


def _stream_uri(space: str, name: str) -> str:
    token = escape(name)
    if space == MEDIA2:
        words = f"<Protocol>RTSP</Protocol><ProfileToken>{token}</ProfileToken>"
    else:
        schema = "http://www.onvif.org/ver10/schema"
        words = (
            f'<StreamSetup><Stream xmlns="{schema}">RTP-Unicast</Stream><Transport xmlns="{schema}">'
            f"<Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>{token}</ProfileToken>"
        )
    return f'<GetStreamUri xmlns="{space}">{words}</GetStreamUri>'


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _number(text: str) -> int:
    """A number of an answer; 0 where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


def _path(address: str) -> str:
    """The path of an address that the camera names; its host and port are not believed."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    return path if re.fullmatch(r"/[!-~]*", path) else ""


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def at_the_same_host(uri: str, host: str, password: str | None = None) -> str:
    """The stream's address as it goes into a configuration: at the host that was asked, without a login.

    Some cameras write the login into the path, as `user=admin_password=…_channel=1`, or into the query; such a
    value is left out there, and the login is proved as the protocol has it.

    Raises:
        ValueError: it is no address of a stream, or has the password in some other place.
    """
    parts = urlsplit(_LOGIN.sub(r"\1=", uri))
    if (
        password is not None
        and len(password) >= LEAST_PASSWORD
        and password in unquote(f"{parts.path}?{parts.query}")
    ):
        raise ValueError("the password stands in it")
    if parts.scheme.lower() != "rtsp" or not re.fullmatch(r"[!-~]+", uri):
        raise ValueError("not an address of a stream")
    port = parts.port or 554
    return parts._replace(scheme="rtsp", netloc=f"{_in_url(host)}:{port}", fragment="").geturl()
