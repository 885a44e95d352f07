"""What the box remembers of its last run: why it starts now, as far as it can know.

A small file beside the outbox says in which boot the agent ran and whether it ended on purpose. A box that
cannot write it runs all the same, and only knows less.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

BootReason = Literal[
    "first_start",
    "restart_ordered",
    "agent_restarted",
    "agent_crashed",
    "box_restarted",
    "power_lost",
    "unknown",
]
NAME: Final = "run.json"


def begin(folder: Path, boot_id: str) -> BootReason:
    """Why the agent starts, judged by what its last run left in `folder`; and note that a run began.

    restart_ordered: the station had it end and begin anew. agent_restarted: somebody else had it end in order.
    agent_crashed: it was killed or died while the box stayed up. power_lost: the box started anew and the agent
    had not ended, so the power went or the box hung.
    """
    reason = _judge(folder / NAME, boot_id)
    note(folder / NAME, {"boot_id": boot_id, "ended": False})
    _sync(folder)
    return reason


def end(folder: Path, boot_id: str, *, ordered: bool = False) -> None:
    """Note that this run ended on purpose; `ordered`: because the station wants it to begin anew."""
    note(folder / NAME, {"boot_id": boot_id, "ended": True, "ordered": ordered})
    _sync(folder)


def _judge(path: Path, boot_id: str) -> BootReason:
    try:
        last = json.loads(path.read_text(encoding="ascii"))
        same_boot, ended = last["boot_id"] == boot_id, bool(last["ended"])
        ordered = bool(last.get("ordered"))
    except FileNotFoundError:
        return "first_start"
    except (OSError, ValueError, TypeError, LookupError):
        return "unknown"
    if same_boot and ended and ordered:
        return "restart_ordered"
    if same_boot:
        return "agent_restarted" if ended else "agent_crashed"
    return "box_restarted" if ended else "power_lost"


def note(path: Path, content: Mapping[str, object]) -> None:
    """Replace a small JSON file at once, so that a power cut leaves the old or the new one; never raises."""
    fresh = path.with_name(path.name + ".new")
    with suppress(OSError):
        with fresh.open("w", encoding="ascii") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def _sync(folder: Path) -> None:
    """Until then a power cut may bring back the file before: on ext4 for five seconds (seen). Never raises."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
