"""All webhooks of the configuration, each in a thread of its own, so that none waits for another."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from station.outward.hook import Hook
from station.outward.settings import WebhookSettings


class Webhooks:
    """From `start` to `close`."""

    def __init__(self, settings: Sequence[WebhookSettings], engines: tuple[Engine, Engine], url: str) -> None:
        """`engines` read and write the store; `url` is the console's, with a slash at its end."""
        self._hooks = [Hook(each, engines, url) for each in settings]

    def start(self) -> None:
        """Begin; returns at once."""
        for hook in self._hooks:
            hook.start()

    def close(self) -> None:
        """End all of them; what was not taken is tried by the next life."""
        for hook in self._hooks:
            hook.ask_to_end()
        for hook in self._hooks:
            hook.close()
