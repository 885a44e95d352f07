"""Pictures that wait are encrypted in the outbox's file: AES-256-GCM, under a key that lies elsewhere.

What an encrypted body looks like in the file: 8 bytes that say so, 8 that name the key, a nonce of 96 bits from
the kernel, the ciphertext and its tag. Among 2^32 pictures of one key a nonce repeats with a probability of
2^-33 (NIST SP 800-38D, 8.3); a box with a picture each second has made so many after 136 years.

The associated data are all that stands before the nonce, and the sha256 of the plain body, which the row has.
The row's number is not among them: it changes when a message is carried into another file, and the digest
already lets no body stand in for another.

Digest and checksum of a row are of the plain body, with and without a key: receipts and seals name that.
Whether a body is encrypted is told by its digest, so rows from before there was a key are read as ever.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.errors import OutboxError
from agent.settings.base import Secret
from agent.translatable import tr
from agent.wire.message import Message, Priority

KEY_BYTES: Final = 32
ENCRYPTED: Final = frozenset({Priority.ALERT_IMAGE, Priority.IMAGE, Priority.EVIDENCE})
"""What shows people. Events go without: they are small, and what they say is in the log of the box, too."""
LOCKED: Final = "its key is not here: it was encrypted under another one, or on another board"
"""Why a picture is in quarantine."""
_MAGIC: Final = b"ngatuAE1"
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
HEAD_BYTES: Final = len(_MAGIC) + _ID_BYTES
MORE_BYTES: Final = HEAD_BYTES + _NONCE_BYTES + 16
"""By which an encrypted body is longer: head, nonce and tag."""


class Locked(Exception):
    """A picture that is encrypted under another key than the one that is here; no damage."""


class OutboxKey:
    """The key of this box's pictures. `key` is 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._aes = AESGCM(key)
        self._head = _MAGIC + hmac.digest(key, b"name of the key", "sha256")[:_ID_BYTES]

    def names(self, head: bytes) -> bool:
        """Whether a body that begins so, with HEAD_BYTES, was encrypted under this key."""
        return head == self._head

    def encrypt(self, body: bytes, sha256: bytes) -> bytes:
        """What goes into the file in place of `body`, whose digest `sha256` is: MORE_BYTES longer."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._head + nonce + self._aes.encrypt(nonce, body, self._head + sha256)

    def decrypt(self, lying: bytes, sha256: bytes) -> bytes | None:
        """The body; None: a bit of it has changed.

        Raises:
            Locked: it is encrypted under another key.
        """
        if not self.names(lying[:HEAD_BYTES]):
            raise Locked
        nonce, text = lying[HEAD_BYTES:][:_NONCE_BYTES], lying[HEAD_BYTES + _NONCE_BYTES :]
        try:
            return self._aes.decrypt(nonce, text, self._head + sha256)
        except (InvalidTag, ValueError):
            return None


def lying_bytes(message: Message, key: OutboxKey | None) -> int:
    """How long the message's body is in the file."""
    return len(message.body) + (MORE_BYTES if key and message.priority in ENCRYPTED else 0)


def to_lie(message: Message, sha256: bytes, key: OutboxKey | None) -> bytes:
    """What of the message's body goes into the file."""
    return key.encrypt(message.body, sha256) if key and message.priority in ENCRYPTED else message.body


def as_put(lying: bytes, sha256: object, key: OutboxKey | None) -> bytes | None:
    """The body of a row whose digest is `sha256`; None: it is not what was put.

    Raises:
        Locked: it is encrypted, and the key is not here.
    """
    if hashlib.sha256(lying).digest() == sha256:
        return lying
    if not lying.startswith(_MAGIC) or not isinstance(sha256, bytes):
        return None
    if key is None:
        raise Locked
    body = key.decrypt(lying, sha256)
    return body if body is not None and hashlib.sha256(body).digest() == sha256 else None


def read_key(secret: Secret) -> OutboxKey:
    """The key at the place that the configuration names: 32 bytes as base64, in one line.

    Raises:
        OutboxError: there is none, or it is none.
    """
    try:
        key = base64.b64decode(secret.read(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    except (KeyError, OSError) as error:
        raise OutboxError(
            tr("the key of the outbox cannot be read from {place}", place=secret.place),
            tr("put it there (docs/guide/stolen-box.md), or take outbox.key out of the configuration"),
        ) from error
    if len(key) != KEY_BYTES:
        raise OutboxError(
            tr("what lies in {place} is no key of the outbox", place=secret.place),
            tr("make one: openssl rand -base64 32"),
        )
    return OutboxKey(key)
