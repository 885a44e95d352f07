"""Parts that a box watches without: what stands in for them where they cannot be had."""

from __future__ import annotations

from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.commands.journal import IN_MEMORY, Journal
from agent.errors import NgatuError, OutboxError
from agent.wire.signature import public_key

logger = structlog.get_logger(__name__)


def command_key(path: Path | None) -> Ed25519PublicKey | None:
    """The station's key, if there is one. One that cannot be read lets nobody command anything."""
    if path is None:
        return None
    try:
        return public_key(path)
    except NgatuError as error:
        logger.warning("command_key_unreadable", why=error.what, hint=error.hint)
        return Ed25519PrivateKey.generate().public_key()  # that nobody has the other half of


def open_journal(path: Path, now_s: float) -> Journal:
    """The commands' journal on disk; in memory where the disk will not have it."""
    try:
        return Journal(path, now_s)
    except OutboxError as error:
        logger.warning("commands_in_memory", why=error.what, hint=error.hint)
        return Journal(IN_MEMORY, now_s)
