"""agent.cameras.decode.ring"""

from __future__ import annotations

import os

import pytest

from agent.cameras.decode.decoded import Layout
from agent.cameras.decode.ring import SLOTS, ReaderRing, WriterRing

LAYOUT = Layout(101, 77, (112, 64, 64), full_range=False)


def test_what_is_written_into_a_slot_is_read_from_it() -> None:
    writer = WriterRing(LAYOUT)
    reader = ReaderRing(writer.fd, LAYOUT)
    for slot in range(SLOTS):
        writer.slots[slot][:] = bytes([slot + 1]) * LAYOUT.nbytes
    for slot in range(SLOTS):
        planes = reader.planes(slot)
        assert [len(plane) for plane in planes] == list(LAYOUT.sizes)
        assert all(set(plane) == {slot + 1} for plane in planes)
    writer.close()


def test_the_reader_cannot_write() -> None:
    writer = WriterRing(LAYOUT)
    assert all(plane.readonly for plane in ReaderRing(writer.fd, LAYOUT).planes(0))
    writer.close()


def test_frames_outlive_the_descriptor_and_the_ring() -> None:
    writer = WriterRing(LAYOUT)
    luma = ReaderRing(writer.fd, LAYOUT).planes(0)[0]
    writer.slots[0][:1] = b"x"
    writer.close()
    assert luma[0] == ord("x")


def test_memory_that_a_broken_child_may_shrink_is_refused() -> None:
    fd = os.memfd_create("loose", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, 1 << 20)
    with pytest.raises(ValueError, match="smaller than its frames"):
        ReaderRing(fd, LAYOUT)
    os.close(fd)


def test_memory_that_is_too_small_is_refused() -> None:
    writer = WriterRing(LAYOUT)
    with pytest.raises(ValueError, match="smaller than its frames"):
        ReaderRing(writer.fd, Layout(1010, 770, (1120, 640, 640), full_range=False))
    writer.close()


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_a_slot_that_is_not_there_is_refused(slot: int) -> None:
    writer = WriterRing(LAYOUT)
    with pytest.raises(IndexError):
        ReaderRing(writer.fd, LAYOUT).planes(slot)
    writer.close()
