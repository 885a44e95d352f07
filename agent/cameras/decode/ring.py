"""Frames through shared memory, between the child that decodes and the process that looks.

Invariants
1. A slot belongs to one side at a time: the writer never touches a slot that the reader holds or was offered.
   So no frame is ever torn, on any memory model; the socket that hands a slot over orders the writes.
2. The memory has no name (memfd): it is gone when both processes are, whichever way they end.
3. The reader's mapping cannot be shrunk under it by a broken child: the seal is checked before it is mapped.
"""

from __future__ import annotations

import fcntl
import mmap
import os

from agent.cameras.decode.decoded import Layout

SLOTS = 3  # one that the reader holds, one that waits for it, one that is being written
MAX_BYTES = 256 * 1024 * 1024  # three slots of an 8-bit 4:2:0 picture of 50 megapixels


class WriterRing:
    """The child's side: makes the memory and writes into it."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.slot_bytes = _slot_bytes(layout)
        self.fd = os.memfd_create("ngatu-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, SLOTS * self.slot_bytes)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self._memory = mmap.mmap(self.fd, SLOTS * self.slot_bytes)
        whole = memoryview(self._memory)
        self.slots = [whole[n * self.slot_bytes : n * self.slot_bytes + layout.nbytes] for n in range(SLOTS)]

    def close(self) -> None:
        """Give the descriptor back; the mapping goes with the last view of it."""
        os.close(self.fd)


class ReaderRing:
    """The parent's side: maps what the child made, read-only."""

    def __init__(self, fd: int, layout: Layout) -> None:
        """Map the ring; `fd` stays the caller's.

        Raises:
            ValueError: the memory is not what the layout needs.
        """
        self.layout = layout
        self._slot_bytes = _slot_bytes(layout)
        wanted = SLOTS * self._slot_bytes
        sealed = fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK  # invariant 3
        if not sealed or wanted > MAX_BYTES or os.fstat(fd).st_size < wanted:
            raise ValueError("the memory is smaller than its frames, or may become so")
        self._memory = mmap.mmap(fd, wanted, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)

    def planes(self, slot: int) -> tuple[memoryview, memoryview, memoryview]:
        """The three planes of a slot, read-only.

        Raises:
            IndexError: there is no such slot.
        """
        if not 0 <= slot < SLOTS:
            raise IndexError(slot)
        start = slot * self._slot_bytes
        view = memoryview(self._memory)[start : start + self.layout.nbytes]
        (_, u, v), sizes = self.layout.offsets, self.layout.sizes
        return view[: sizes[0]], view[u : u + sizes[1]], view[v : v + sizes[2]]


def _slot_bytes(layout: Layout) -> int:
    return -(-layout.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
