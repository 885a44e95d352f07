"""The disk under the box's state: how quickly it syncs, and whether what was synced outlives a power cut.

The power is judged by the mechanism that tells the agent why it starts (host/restarts.py): a note says that a
run goes on, and is taken back at an orderly end. Beside it lies a file of random bytes that was synced before.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from agent.clock import Clock
from agent.host import restarts
from agent.tools.hardware.checklist import BoardFinding, Measured, State
from agent.translatable import tr

APPENDS, APPEND_BYTES = 50, 16 * 1024
BULK_BYTES: Final = 32 << 20
SLOW_S: Final = 0.5
"""A sync that takes longer holds up whoever tells an event."""
PROOF_BYTES: Final = 4 << 20
PROOF, MARK = "power.proof", "power.json"


def speed(folder: Path, clock: Clock) -> BoardFinding:
    """Write and sync as the outbox does, then as a recorder does; nothing of it stays.

    Raises:
        OSError: the disk does not take it.
    """
    path, waits = folder / "speed.trial", []
    try:
        with path.open("wb", buffering=0) as file:
            for _ in range(APPENDS):
                began = clock.now()
                file.write(secrets.token_bytes(APPEND_BYTES))
                os.fsync(file.fileno())
                waits.append(clock.now().since(began))
            began, block = clock.now(), secrets.token_bytes(1 << 20)
            for _ in range(BULK_BYTES >> 20):
                file.write(block)
            os.fsync(file.fileno())
            bulk_s = max(1e-6, clock.now().since(began))
    finally:
        path.unlink(missing_ok=True)
    waits.sort()
    usual_s, slow_s = waits[len(waits) // 2], waits[-1]
    rate = BULK_BYTES / bulk_s / 1e6
    found = tr(
        "a synced write takes {usual_ms:.0f} ms, at most {slow_ms:.0f} ms; {rate:.0f} MB/s in a row",
        usual_ms=usual_s * 1000,
        slow_ms=slow_s * 1000,
        rate=rate,
    )
    measured = {"sync_p50_ms": round(usual_s * 1000, 2), "sync_max_ms": round(slow_s * 1000, 2)}
    measured["bulk_mb_s"] = round(rate, 1)
    if slow_s > SLOW_S:
        hint = tr("events wait for it: a better card (A2), or an SSD")
        return BoardFinding("storage", tr("Storage"), State.WARNING, found, hint, measured)
    return BoardFinding("storage", tr("Storage"), State.OK, found, "", measured)


def wear(folder: Path, root: Path = Path("/")) -> BoardFinding:
    """What the disk itself says of its errors and of its age.

    ext4: errors_count (Linux: Documentation/ABI/testing/sysfs-fs-ext4). eMMC: life_time, two hexadecimal
    numbers of tenths, of which 0 is none (JEDEC JESD84-B51); SD cards do not tell.
    """
    title = tr("Storage's own word")
    place = _partition(folder, root)
    errors = _number(root / "sys/fs/ext4" / place.name / "errors_count", 10) if place else None
    tenths = _tenths(place.parent / "device/life_time") if place else None
    tenths = tenths if tenths is not None or place is None else _tenths(place / "device/life_time")
    measured: Measured = {"errors": errors, "worn_pct": None if tenths is None else tenths * 10}
    if errors:
        found = tr("{errors} errors of the file system", errors=errors)
        return BoardFinding("wear", title, State.FAILED, found, tr("fsck, and another card"), measured)
    if tenths is not None and tenths >= 8:
        found = tr("{pct} % worn", pct=tenths * 10)
        return BoardFinding("wear", title, State.WARNING, found, tr("replace it soon"), measured)
    if errors is None and tenths is None:
        return BoardFinding("wear", title, State.ABSENT, tr("it says nothing"), "", measured)
    return BoardFinding("wear", title, State.OK, _said(errors is not None, tenths), "", measured)


def _said(no_errors: bool, tenths: int | None) -> str:
    """What it says well of itself, and what it does not say."""
    if tenths is None:
        return tr("no errors; it does not say how worn it is")
    if no_errors:
        return tr("no errors, {pct} % worn", pct=tenths * 10)
    return tr("{pct} % worn; its file system does not count errors", pct=tenths * 10)


def _partition(folder: Path, root: Path) -> Path | None:
    """Where the kernel shows the partition that the folder lies on."""
    device = folder.stat().st_dev
    link = root / "sys/dev/block" / f"{os.major(device)}:{os.minor(device)}"
    return link.resolve() if link.exists() else None


def _number(path: Path, base: int) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").split()[0], base)
    except (OSError, ValueError, IndexError):
        return None


def _tenths(path: Path) -> int | None:
    """The worse of two estimates; None where there is none."""
    try:
        return max(int(each, 16) for each in path.read_text(encoding="ascii").split()) or None
    except (OSError, ValueError):
        return None


@contextmanager
def power_may_go(folder: Path, boot_id: str) -> Iterator[None]:
    """From here to the block's end a power cut is told from an orderly end by `power_went`.

    Raises:
        OSError: the disk does not take the proof.
    """
    data = secrets.token_bytes(PROOF_BYTES)
    with (folder / PROOF).open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    restarts.note(folder / MARK, {"sha256": hashlib.sha256(data).hexdigest()})
    restarts.begin(folder, boot_id)
    try:
        yield
    finally:
        restarts.end(folder, boot_id)
        _forget(folder)


def power_went(folder: Path, boot_id: str, clock_off_s: float | None) -> BoardFinding | None:
    """What became of the board while somebody was to cut its power; None: nobody was asked to.

    `clock_off_s` is by how much the battery clock is off now; None: there is none.
    """
    if not (folder / MARK).exists():
        return None
    title, how = tr("Power cut"), restarts.begin(folder, boot_id)
    restarts.end(folder, boot_id)
    whole = _whole(folder)
    _forget(folder)
    measured: Measured = {"how": how, "whole": whole, "battery_clock_off_s": clock_off_s}
    again = tr("cut the power while it waits: pull the plug, do not shut down")
    if how != "power_lost":
        return BoardFinding("power", title, State.OPEN, tr("the board did not lose its power"), again, measured)
    if not whole:
        found, hint = tr("what was synced before is not there as it was"), tr("another card: this one lies")
        return BoardFinding("power", title, State.FAILED, found, hint, measured)
    clock = (
        tr("there is no battery clock")
        if clock_off_s is None
        else tr("its clock was {off_s:.0f} s off", off_s=abs(clock_off_s))
    )
    found = tr("it started by itself, and what was synced before is whole; {clock}", clock=clock)
    return BoardFinding("power", title, State.OK, found, "", measured)


def _whole(folder: Path) -> bool:
    try:
        kept = json.loads((folder / MARK).read_text(encoding="ascii"))["sha256"]
        return bool(hashlib.sha256((folder / PROOF).read_bytes()).hexdigest() == kept)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _forget(folder: Path) -> None:
    for name in (PROOF, MARK, restarts.NAME):
        with suppress(OSError):
            (folder / name).unlink()
