"""What went wrong with a connection, in words a technician can act on."""

from __future__ import annotations

import errno
import socket
import ssl
from enum import Enum
from typing import Final

from agent.errors import BrokerRefused, BrokerUnreachable, DeliveryError, MessageRefused
from agent.translatable import tr

USUAL_TLS_PORT: Final = 8883


class VersionRefused(BrokerRefused):
    """The broker does not speak this version of MQTT."""


class SessionTaken(BrokerRefused):
    """Another client has connected with our id."""


class HungUp(BrokerUnreachable):
    """The other side ended the connection. Something that we sent may be why."""


class Silent(BrokerUnreachable):
    """The other side does not answer any more."""


def hint_of_hang_up(port: int, tls: bool) -> str:
    """What to look at when somebody hangs up before he has answered: most often one side speaks TLS alone."""
    if tls:
        return tr(
            "does this port speak TLS (8883 is the usual one, 1883 is without), and does the "
            "broker accept this client's certificate?"
        )
    if port == USUAL_TLS_PORT:
        return tr("8883 is the usual port with TLS, and broker.tls is not set: set broker.tls.ca, or port 1883")
    return tr("is it an MQTT broker? If this port wants TLS, set broker.tls; if not, see the broker's log")


class TooLarge(MessageRefused):
    """A message larger than the broker takes; it is never sent."""


class Whom(Enum):
    """As whom we go to a broker."""

    NOBODY = "nobody"
    USER = "user"
    CERTIFICATE = "certificate"
    UNKNOWN = "unknown"


_BAD_LOGIN: Final = 0x86
_LOGIN_HINTS: Final = {
    Whom.NOBODY: tr("it wants a user name and a password: set broker.username and broker.password"),
    Whom.USER: tr(
        "the password or the user name is wrong: check broker.username and broker.password; or its ACL "
        "does not know this user"
    ),
}
_SESSION_TAKEN: Final = 0x8E
_UNSUPPORTED_VERSION: Final = 0x84
_TEMPORARY: Final = {0x88, 0x89, 0x97, 0x9C, 0x9F}
"""CONNACK codes that pass by themselves: unavailable, busy, quota, use another server, rate exceeded."""
REFUSED: Final = {
    0x84: (tr("does not speak this version of MQTT"), tr("set broker.protocol, or use a newer broker")),
    0x85: (tr("does not accept the client id"), tr("a box's id is its name: is it known to the broker?")),
    0x86: (tr("does not accept user name or password"), tr("check broker.username and broker.password")),
    0x87: (
        tr("does not let this client in"),
        tr("check the user, the certificate's name and the broker's ACL"),
    ),
    0x88: (tr("is not available"), tr("it says so itself; it will be tried again")),
    0x89: (tr("is busy"), tr("it will be tried again")),
    0x8A: (tr("has banned this client"), tr("ask who runs the broker")),
    0x8C: (
        tr("does not know the way of authentication"),
        tr("check broker.username, broker.password and broker.tls"),
    ),
    0x95: (tr("says that the connection packet is too large"), tr("raise max_packet_size at the broker")),
    0x97: (tr("says that a quota is used up"), tr("it will be tried again; look at the broker's limits")),
    0x9A: (tr("keeps no retained messages"), tr("switch them on at the broker: status and will need them")),
    0x9B: (tr("does not offer QoS 1"), tr("choose a broker that does: delivery needs it")),
    0x9C: (tr("says to use another server"), tr("check broker.host")),
    0x9D: (tr("has moved"), tr("check broker.host")),
    0x9F: (tr("gets too many connections a second"), tr("it will be tried again")),
}
LOST: Final = {
    0x81: tr("says that a packet was malformed"),
    0x82: tr("says that the protocol was broken"),
    0x87: tr("withdrew the permission: certificate revoked, or ACL changed?"),
    0x89: tr("is busy"),
    0x8B: tr("is shutting down"),
    0x8D: tr("heard nothing of us for too long"),
    0x93: tr("says that more was in flight than it takes"),
    0x94: tr("does not know a topic alias"),
    0x95: tr("says that a packet was too large"),
    0x96: tr("says that messages come too fast"),
    0x97: tr("says that a quota is used up"),
    0x98: tr("ended the connection by its operator's order"),
    0x9C: tr("says to use another server"),
}
_BY_OPERATOR: Final = {0x8B, 0x8D, 0x98, 0x9C}
"""DISCONNECT codes that have nothing to do with what we sent."""
_NOT_AUTHORIZED: Final = 0x87
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = {18, 19}
_UNKNOWN_CA: Final = {2, 20, 21}
_WRONG_NAME: Final = {62, 64}


def refused(code: int, where: str, whom: Whom = Whom.UNKNOWN) -> DeliveryError:
    """The error for a CONNACK without success; codes of MQTT 5, to which paho translates the older ones.

    `whom` is what we have shown of ourselves: many brokers say the same of a wrong password and of an ACL.
    """
    what, hint = REFUSED.get(
        code, (tr("refused the connection with code 0x{code:02X}", code=code), tr("see the broker's log"))
    )
    if code in (_BAD_LOGIN, _NOT_AUTHORIZED):
        hint = _LOGIN_HINTS.get(whom, hint)
    if code == _UNSUPPORTED_VERSION:
        return VersionRefused(tr("broker {where} {what}", where=where, what=what), hint)
    kind = BrokerUnreachable if code in _TEMPORARY else BrokerRefused
    return kind(f"broker {where} {what}", hint)


def lost(code: int, where: str) -> DeliveryError:
    """The error for a DISCONNECT from the broker."""
    if code == _SESSION_TAKEN:
        return SessionTaken(
            tr("broker {where}: another client uses the id of this one", where=where),
            tr("is a card cloned, a box stolen, or a second program running?"),
        )
    said = LOST.get(code) or tr("ended the connection with code 0x{code:02X}", code=code)
    what = tr("broker {where} {what}", where=where, what=said)
    if code in _BY_OPERATOR:
        return BrokerUnreachable(what, tr("it will be tried again"))
    return BrokerRefused(what, tr("ask who runs the broker")) if code == _NOT_AUTHORIZED else HungUp(what)


def unreachable(error: BaseException, where: str) -> DeliveryError:  # noqa: PLR0911  one line per cause
    """The error for what the system or the TLS library said while connecting or reading."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _bad_certificate(error, where)
    if isinstance(error, ssl.SSLError):
        return _bad_tls(error, where)
    if isinstance(error, socket.gaierror):
        return BrokerUnreachable(
            tr("broker {where}: the name cannot be resolved ({reason})", where=where, reason=error.strerror),
            tr("check broker.host and the DNS of this machine; an address works without DNS"),
        )
    if isinstance(error, ConnectionRefusedError):
        return BrokerUnreachable(
            tr("broker {where}: nothing listens there", where=where),
            tr("is the broker running; is the port right?"),
        )
    if isinstance(error, TimeoutError):
        return Silent(
            tr("broker {where} does not answer", where=where),
            tr("is the network up; does a firewall drop the packets?"),
        )
    if isinstance(error, ConnectionError):
        return HungUp(
            tr("broker {where} hung up ({reason})", where=where, reason=error.strerror or type(error).__name__)
        )
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return BrokerUnreachable(
            tr("broker {where} cannot be reached: no route to it", where=where),
            tr("check broker.host, the cable and the network"),
        )
    if isinstance(error, OSError):
        return BrokerUnreachable(
            tr("broker {where}: {reason}", where=where, reason=error.strerror or error),
            tr("is the network up?"),
        )
    return BrokerUnreachable(tr("broker {where}: {error}", where=where, error=repr(error)))


def _bad_certificate(error: ssl.SSLCertVerificationError, where: str) -> DeliveryError:
    code = error.verify_code
    if code == _NOT_YET_VALID:
        what, hint = (
            tr("is not valid yet"),
            tr("is the clock of this machine right? Without a network it may be 1970"),
        )
    elif code == _EXPIRED:
        what, hint = tr("has expired"), tr("renew it at the broker; or is the clock of this machine ahead?")
    elif code in _SELF_SIGNED:
        what, hint = (
            tr("is signed by an authority that this client does not trust"),
            tr("set broker.tls.ca to that authority"),
        )
    elif code in _UNKNOWN_CA:
        what, hint = (
            tr("is signed by an unknown authority"),
            tr("set broker.tls.ca to the authority of the station"),
        )
    elif code in _WRONG_NAME:
        what, hint = (
            tr("is made out to another name"),
            tr("broker.host must be a name in the broker's certificate"),
        )
    else:
        what, hint = (
            tr("is not accepted: {verify_message}", verify_message=error.verify_message),
            tr("look at the broker's certificate"),
        )
    return BrokerRefused(tr("broker {where}: its certificate {what}", where=where, what=what), hint)


def _bad_tls(error: ssl.SSLError, where: str) -> DeliveryError:
    text = (getattr(error, "reason", None) or str(error)).lower().replace("_", " ")
    if "wrong version number" in text or "record layer failure" in text or "http request" in text:
        what, hint = tr("does not speak TLS on this port"), tr("8883 is the usual port with TLS, 1883 without")
    elif "certificate expired" in text:
        what, hint = tr("says that this client's certificate has expired"), tr("renew broker.tls.cert")
    elif "certificate required" in text or "handshake failure" in text:
        what, hint = tr("wants a certificate of this client"), tr("set broker.tls.cert and broker.tls.key")
    elif "unknown ca" in text or "bad certificate" in text or "certificate unknown" in text:
        what, hint = (
            tr("does not accept this client's certificate"),
            tr("is it signed by the broker's authority?"),
        )
    elif "certificate revoked" in text:
        what, hint = tr("says that this client's certificate is revoked"), tr("ask who runs the broker")
    elif "protocol version" in text or "unsupported protocol" in text:
        what, hint = tr("offers only versions of TLS that are not safe"), tr("1.2 or 1.3 is needed")
    elif "eof occurred" in text or "unknown error" in text:
        return HungUp(tr("broker {where} hung up", where=where))
    else:
        what, hint = (
            tr("and this client do not agree on TLS ({text})", text=text),
            tr("look at broker.tls and at the broker's log"),
        )
    return BrokerRefused(tr("broker {where} {what}", where=where, what=what), hint)
