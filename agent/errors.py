"""Every error the agent raises on purpose.

NgatuError                    its text says what, where, and what to do
├── ConfigError               the file is wrong: exit 2, never retried
├── UsageError                the words of a command are wrong: exit 2, nothing is done
├── ModelError                the detector's file or card is wrong: exit 2, never retried
├── CameraError
│   ├── CameraLost            no picture: retried for ever, with backoff
│   └── CameraRefused         wrong credentials, no such device or stream: retried slowly, told once
├── DeliveryError
│   ├── BrokerUnreachable     retried with jitter; messages wait in the outbox
│   ├── BrokerRefused         credentials, certificate or ACL: retried slowly, told in words
│   ├── MessageRefused        kept and retried ever more slowly; an oversize one is set aside and counted
│   └── OutboxError           the file cannot be written
├── FootageError              footage cannot be written, read or decrypted: counted and told, asked again slowly
└── WireError                 a payload from outside is not what the contract says: dropped, counted, told
"""

import sys

from agent.translatable import tr


class NgatuError(Exception):
    """Base of every error raised on purpose; `hint` says what to do next."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return tr("{what}\n  hint: {hint}", what=self.what, hint=self.hint) if self.hint else self.what


def how_to_install(extra: str) -> str:
    """The command that brings what an extra of ngatu needs, whether ngatu came from a clone or as a wheel.

    By the interpreter at work, so that it reaches the environment in which ngatu lies: there pip finds ngatu
    itself fulfilled, and fetches what is missing. In another it would ask the registry for a package so called.
    """
    return tr("{python} -m pip install 'ngatu[{extra}]'", python=sys.executable or "python3", extra=extra)


class ConfigError(NgatuError):
    """The configuration is wrong; the text lists every mistake, one per line, with file:line."""


class UsageError(NgatuError):
    """The words of a command are wrong; nothing is done."""


class ModelError(NgatuError):
    """A detector's file or card is wrong."""


class CameraError(NgatuError):
    """A camera gives no pictures."""


class CameraLost(CameraError):
    """The pictures stopped, or never came: retried for ever, with backoff."""


class CameraRefused(CameraError):
    """The camera answers but will not serve us: credentials, device or stream name are wrong."""


class DeliveryError(NgatuError):
    """A message did not go out; it stays in the outbox."""


class BrokerUnreachable(DeliveryError):
    """Nothing answers at the broker's address."""


class BrokerRefused(DeliveryError):
    """The broker answers but refuses us: credentials, certificate or client id."""


class MessageRefused(DeliveryError):
    """The broker refused one message."""


class OutboxError(DeliveryError):
    """The outbox cannot be opened or written."""


class FootageError(NgatuError):
    """Footage cannot be kept, read or decrypted; recording goes on when it can."""


class WireError(NgatuError):
    """A payload from outside does not follow the contract."""
