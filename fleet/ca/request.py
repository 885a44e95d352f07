"""Who may be named in a certificate, and whether a request is one that we sign.

A broker knows its clients by the common name of their certificates, so names of different kinds must never be
equal: a box that bore a station's name would have a station's rights. Only a box's name can stand in a topic
by itself; those of the others have a dot, which no box's name can have. A screen is known to browsers by its
hosts alone; its name is not that of the broker on the same host, for what is revoked is revoked by name.
"""

from __future__ import annotations

import re
from hashlib import sha256
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from agent.errors import NgatuError, UsageError
from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN
from fleet.ca.index import Kind

_HOST = r"(?=.{1,64}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_NAMES: dict[Kind, tuple[str, str]] = {
    "box": (NAME_PATTERN, f"a box's id: {NAME_IN_WORDS}, and not 'station'"),
    "station": (rf"station\.{NAME_PATTERN}", "station. and the commune's id, such as station.hai-ninh"),
    "operator": (rf"operator\.{NAME_PATTERN}", "operator. and a name, such as operator.broker"),
    "broker": (
        rf"(?!station\.|operator\.|screen\.){_HOST}",
        "the broker's host name, as the boxes call it; it does not begin with station., operator. or screen.",
    ),
    "screen": (rf"screen\.{NAME_PATTERN}", "screen. and the name of its host, such as screen.tram-hai"),
}


def fitting(kind: Kind, name: str) -> None:
    """NgatuError unless a certificate of this kind may bear this name."""
    pattern, meant = _NAMES[kind]
    if not re.fullmatch(pattern, name) or name == "station":
        raise UsageError(f"{name!r} cannot be the name of a {kind}'s certificate", f"it is {meant}")


def alternative(hosts: list[str]) -> list[x509.GeneralName]:
    """Names and addresses under which boxes reach a broker, or browsers a screen.

    Raises:
        NgatuError: one is neither.
    """
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            if not re.fullmatch(_HOST, host):
                raise NgatuError(
                    f"{host!r} is neither a host name nor an address", "such as 10.1.2.3"
                ) from None
            names.append(x509.DNSName(host))
    return names


def digest(key: EllipticCurvePublicKey) -> str:
    """By what a public key is remembered: the sha256 of its DER, in hex."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def public_key(request: bytes, name: str) -> EllipticCurvePublicKey:
    """The key that a request asks to have signed, whose private half made the request.

    Only the key is taken from it: the name must be the one expected, and whatever else it asks for is ignored.

    Raises:
        NgatuError: it is no request, it was not signed by its own key, or the key or the name is another.
    """
    hint = "make it with: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=NAME"
    try:
        asked = x509.load_pem_x509_csr(request)
        signed, key = asked.is_signature_valid, asked.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NgatuError(f"{name}: this is no certificate request, or only a part of one", hint) from None
    if not signed:
        raise NgatuError(f"{name}: the request was not signed by the key that is in it", hint)
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise NgatuError(f"{name}: the key of the request is not of the curve P-256", hint)
    names = [str(each.value) for each in asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [name]:
        raise NgatuError(f"{name}: the request is made out to {', '.join(names) or 'nobody'}", hint)
    return key
