"""What went wrong with a connection, in words a technician can act on."""

from __future__ import annotations

import errno
import socket
import ssl
from enum import Enum
from typing import Final

from agent.errors import BrokerRefused, BrokerUnreachable, DeliveryError, MessageRefused

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
        return (
            "does this port speak TLS (8883 is the usual one, 1883 is without), "
            "and does the broker accept this client's certificate?"
        )
    if port == USUAL_TLS_PORT:
        return "8883 is the usual port with TLS, and broker.tls is not set: set broker.tls.ca, or port 1883"
    return "is it an MQTT broker? If this port wants TLS, set broker.tls; if not, see the broker's log"


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
    Whom.NOBODY: "it wants a user name and a password: set broker.username and broker.password",
    Whom.USER: "the password or the user name is wrong: check broker.username and broker.password; or its ACL "
    "does not know this user",
}
_SESSION_TAKEN: Final = 0x8E
_UNSUPPORTED_VERSION: Final = 0x84
_TEMPORARY: Final = {0x88, 0x89, 0x97, 0x9C, 0x9F}
"""CONNACK codes that pass by themselves: unavailable, busy, quota, use another server, rate exceeded."""
REFUSED: Final = {
    0x84: ("does not speak this version of MQTT", "set broker.protocol, or use a newer broker"),
    0x85: ("does not accept the client id", "a box's id is its name: is it known to the broker?"),
    0x86: ("does not accept user name or password", "check broker.username and broker.password"),
    0x87: ("does not let this client in", "check the user, the certificate's name and the broker's ACL"),
    0x88: ("is not available", "it says so itself; it will be tried again"),
    0x89: ("is busy", "it will be tried again"),
    0x8A: ("has banned this client", "ask who runs the broker"),
    0x8C: ("does not know the way of authentication", "check broker.username, broker.password and broker.tls"),
    0x95: ("says that the connection packet is too large", "raise max_packet_size at the broker"),
    0x97: ("says that a quota is used up", "it will be tried again; look at the broker's limits"),
    0x9A: ("keeps no retained messages", "switch them on at the broker: status and will need them"),
    0x9B: ("does not offer QoS 1", "choose a broker that does: delivery needs it"),
    0x9C: ("says to use another server", "check broker.host"),
    0x9D: ("has moved", "check broker.host"),
    0x9F: ("gets too many connections a second", "it will be tried again"),
}
LOST: Final = {
    0x81: "says that a packet was malformed",
    0x82: "says that the protocol was broken",
    0x87: "withdrew the permission: certificate revoked, or ACL changed?",
    0x89: "is busy",
    0x8B: "is shutting down",
    0x8D: "heard nothing of us for too long",
    0x93: "says that more was in flight than it takes",
    0x94: "does not know a topic alias",
    0x95: "says that a packet was too large",
    0x96: "says that messages come too fast",
    0x97: "says that a quota is used up",
    0x98: "ended the connection by its operator's order",
    0x9C: "says to use another server",
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
    what, hint = REFUSED.get(code, (f"refused the connection with code 0x{code:02X}", "see the broker's log"))
    if code in (_BAD_LOGIN, _NOT_AUTHORIZED):
        hint = _LOGIN_HINTS.get(whom, hint)
    if code == _UNSUPPORTED_VERSION:
        return VersionRefused(f"broker {where} {what}", hint)
    kind = BrokerUnreachable if code in _TEMPORARY else BrokerRefused
    return kind(f"broker {where} {what}", hint)


def lost(code: int, where: str) -> DeliveryError:
    """The error for a DISCONNECT from the broker."""
    if code == _SESSION_TAKEN:
        return SessionTaken(
            f"broker {where}: another client uses the id of this one",
            "is a card cloned, a box stolen, or a second program running?",
        )
    what = f"broker {where} {LOST.get(code, f'ended the connection with code 0x{code:02X}')}"
    if code in _BY_OPERATOR:
        return BrokerUnreachable(what, "it will be tried again")
    return BrokerRefused(what, "ask who runs the broker") if code == _NOT_AUTHORIZED else HungUp(what)


def unreachable(error: BaseException, where: str) -> DeliveryError:  # noqa: PLR0911  one line per cause
    """The error for what the system or the TLS library said while connecting or reading."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _bad_certificate(error, where)
    if isinstance(error, ssl.SSLError):
        return _bad_tls(error, where)
    if isinstance(error, socket.gaierror):
        return BrokerUnreachable(
            f"broker {where}: the name cannot be resolved ({error.strerror})",
            "check broker.host and the DNS of this machine; an address works without DNS",
        )
    if isinstance(error, ConnectionRefusedError):
        return BrokerUnreachable(
            f"broker {where}: nothing listens there", "is the broker running; is the port right?"
        )
    if isinstance(error, TimeoutError):
        return Silent(f"broker {where} does not answer", "is the network up; does a firewall drop the packets?")
    if isinstance(error, ConnectionError):
        return HungUp(f"broker {where} hung up ({error.strerror or type(error).__name__})")
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return BrokerUnreachable(
            f"broker {where} cannot be reached: no route to it", "check broker.host, the cable and the network"
        )
    if isinstance(error, OSError):
        return BrokerUnreachable(f"broker {where}: {error.strerror or error}", "is the network up?")
    return BrokerUnreachable(f"broker {where}: {error!r}")


def _bad_certificate(error: ssl.SSLCertVerificationError, where: str) -> DeliveryError:
    code = error.verify_code
    if code == _NOT_YET_VALID:
        what, hint = (
            "is not valid yet",
            "is the clock of this machine right? Without a network it may be 1970",
        )
    elif code == _EXPIRED:
        what, hint = "has expired", "renew it at the broker; or is the clock of this machine ahead?"
    elif code in _SELF_SIGNED:
        what, hint = (
            "is signed by an authority that this client does not trust",
            "set broker.tls.ca to that authority",
        )
    elif code in _UNKNOWN_CA:
        what, hint = "is signed by an unknown authority", "set broker.tls.ca to the authority of the station"
    elif code in _WRONG_NAME:
        what, hint = "is made out to another name", "broker.host must be a name in the broker's certificate"
    else:
        what, hint = f"is not accepted: {error.verify_message}", "look at the broker's certificate"
    return BrokerRefused(f"broker {where}: its certificate {what}", hint)


def _bad_tls(error: ssl.SSLError, where: str) -> DeliveryError:
    text = (getattr(error, "reason", None) or str(error)).lower().replace("_", " ")
    if "wrong version number" in text or "record layer failure" in text or "http request" in text:
        what, hint = "does not speak TLS on this port", "8883 is the usual port with TLS, 1883 without"
    elif "certificate expired" in text:
        what, hint = "says that this client's certificate has expired", "renew broker.tls.cert"
    elif "certificate required" in text or "handshake failure" in text:
        what, hint = "wants a certificate of this client", "set broker.tls.cert and broker.tls.key"
    elif "unknown ca" in text or "bad certificate" in text or "certificate unknown" in text:
        what, hint = "does not accept this client's certificate", "is it signed by the broker's authority?"
    elif "certificate revoked" in text:
        what, hint = "says that this client's certificate is revoked", "ask who runs the broker"
    elif "protocol version" in text or "unsupported protocol" in text:
        what, hint = "offers only versions of TLS that are not safe", "1.2 or 1.3 is needed"
    elif "eof occurred" in text or "unknown error" in text:
        return HungUp(f"broker {where} hung up")
    else:
        what, hint = (
            f"and this client do not agree on TLS ({text})",
            "look at broker.tls and at the broker's log",
        )
    return BrokerRefused(f"broker {where} {what}", hint)
