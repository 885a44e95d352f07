"""The signature of a webhook (https://www.standardwebhooks.com, specification 1.0.0): symmetric, `v1`. Pure.

What is signed is id, moment and body with a dot between each, by HMAC-SHA256. The id is the same each time
that a message is tried, so that whoever takes it can tell the second time from the first; the moment is that of
the try, so that nobody can play an old call again.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from hashlib import sha256
from typing import Final

from agent.errors import NgatuError
from agent.translatable import tr

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""
BYTES: Final = 32


class SecretRefused(NgatuError):
    """What lies where the secret of a webhook should be is none."""


def new_secret() -> str:
    """One for a webhook, as both sides keep it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    Raises:
        SecretRefused: it has not the form whsec_BASE64, or not 24 to 64 bytes.
    """
    text = secret.strip()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except binascii.Error:
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise SecretRefused(
            tr(
                "a webhook's secret is whsec_ and {least} to {most} bytes in base64",
                least=SHORTEST,
                most=LONGEST,
            ),
            tr("make one: {command}", command='echo "whsec_$(openssl rand -base64 32)"'),
        )
    return key


def signature(key: bytes, message_id: str, at_s: int, body: bytes) -> str:
    """What `webhook-signature` says; `at_s` is seconds since 1970."""
    signed = b".".join((message_id.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode()


def headers(key: bytes, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """What goes with a call."""
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(key, message_id, at_s, body),
    }
