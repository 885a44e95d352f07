"""Signatures of commands: Ed25519 (RFC 8032) over one form of the JSON (RFC 8785), with box and verb put in.

Box and verb stand in the topic only; signed with the rest, a command for one box cannot be replayed to another.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from agent.errors import NgatuError, WireError
from agent.translatable import tr

LARGEST: Final = 2**53 - 1
"""Whole numbers beyond are not the same to every reader (RFC 8785, section 3.2.2.3)."""


def public_key(path: Path) -> Ed25519PublicKey:
    """The station's public key, in PEM.

    Raises:
        NgatuError: it cannot be read, or is no such key.
    """
    if path.exists() and not path.is_file():
        # a pipe may never give anything, a device never end
        raise NgatuError(tr("{path}: is no file", path=path), _MAKE)
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NgatuError(
            tr("{path}: cannot be read as a public key: {error}", path=path, error=_why(error)), _MAKE
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise NgatuError(tr("{path}: is no Ed25519 key", path=path), _MAKE)
    return key


def private_key(path: Path) -> Ed25519PrivateKey:
    """The station's private key, in PEM, without a password.

    Raises:
        NgatuError: it cannot be read, or is no such key.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise NgatuError(
            tr("{path}: cannot be read as a private key: {error}", path=path, error=_why(error)), _MAKE
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NgatuError(tr("{path}: is no Ed25519 key", path=path), _MAKE)
    return key


_MAKE: Final = "openssl genpkey -algorithm ed25519 -out command.key; openssl pkey -in command.key -pubout"


def sign(command: bytes, device: str, verb: str, key: Ed25519PrivateKey) -> bytes:
    """The command's JSON with its signature."""
    members = json.loads(command) | {"signature": None}
    members["signature"] = base64.b64encode(key.sign(_signed(members, device, verb))).decode()
    return json.dumps(members, separators=(",", ":")).encode()


def is_genuine(command: bytes, device: str, verb: str, key: Ed25519PublicKey) -> bool:
    """Whether the command bears the signature of this key, for this box and this verb; whatever the bytes."""
    try:
        members = json.loads(command, object_pairs_hook=_no_twins)
        signature = base64.b64decode(members["signature"], validate=True)
        if base64.b64encode(signature).decode() != members["signature"]:
            return False  # one signature, one spelling
        key.verify(signature, _signed(members, device, verb))
    except (InvalidSignature, WireError, ValueError, TypeError, LookupError, RecursionError):
        return False
    return True


def _signed(members: Mapping[str, Any], device: str, verb: str) -> bytes:
    rest = {name: value for name, value in members.items() if name != "signature"}
    return canonical({**rest, "device": device, "verb": verb})


def canonical(value: Any) -> bytes:
    """The one form of a JSON value (RFC 8785).

    Raises:
        WireError: a number that JSON does not have, or that is not the same to every reader.
    """
    return _canonical(value).encode()


def _canonical(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{_text(name)}:{_canonical(value[name])}" for name in _in_order(value)]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_canonical(each) for each in value]) + "]"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole(value)
    return _rest(value)


_text: Final = json.encoder.encode_basestring
"""A text as JSON, its letters as they are. By `json.dumps` a large manifest takes three times as long."""
_rest: Final = json.JSONEncoder().encode


def _in_order(names: Mapping[str, Any]) -> list[str]:
    """By UTF-16 (RFC 8785, section 3.2.3), which of ASCII is the order that Python has."""
    if "".join(names).isascii():
        return sorted(names)
    return sorted(names, key=lambda name: name.encode("utf-16-be", "surrogatepass"))


def _whole(value: int) -> str:
    if abs(value) > LARGEST:
        raise WireError(tr("a whole number of {number} bits", number=value.bit_length()), tr("at most 53 bits"))
    return int.__repr__(value)


def _number(value: float) -> str:
    """As ECMAScript writes it (ECMA-262, Number::toString); Python's repr gives the same shortest digits."""
    if not isfinite(value):
        raise WireError(tr("a number that JSON does not have"))
    if value == 0:
        return "0"
    sign, numerals, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits, minus = "".join(map(str, numerals)), "-" if sign else ""
    point = len(digits) + int(exponent)
    if len(digits) <= point <= 21:
        return minus + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of a name that is there twice may believe different values."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WireError(tr("a name is there twice"))
    return members


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
