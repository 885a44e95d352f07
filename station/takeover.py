"""`ngatu station import`: what `ngatu watch --store` kept and receipted becomes the station's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from station.backup.restore import refuse_half
from station.config import StationConfig
from station.logbook import Logbook
from station.service import open_store
from station.store.database import claimed

_BATCH = 200


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of a file's messages."""

    messages: int
    """That are in the store now; some of them may have been there before."""
    skipped: tuple[str, ...]
    """That are not whole in the file: box, stream and number."""


def take_over(
    config: StationConfig, file: Path, tell: Callable[[int, int], None] = lambda *_: None
) -> TakenOver:
    """Keep what is in the file as if it came now; again changes nothing. `tell` hears how many of how many.

    The boxes have forgotten it all, so it counts for no quota. Gaps that it fills are closed.

    Raises:
        NgatuError: the file cannot be read, or is none of `ngatu watch --store`.
        StoreError: the store cannot be used, or a service is at work on it.
    """
    kept = 0
    with closing(Logbook(file)) as logbook, ExitStack() as left:
        refuse_half(config.state_dir)
        left.enter_context(claimed(config.state_dir))
        store = left.enter_context(closing(open_store(config, left)))
        found = logbook.messages()
        while batch := list(islice(found, _BATCH)):
            store.take_over(batch)
            kept += len(batch)
            tell(kept, len(logbook))
        store.attend()
        return TakenOver(kept, tuple(logbook.skipped))
