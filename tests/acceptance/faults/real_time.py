"""Takes from this process what would let a library put itself before everything else on the machine.

SVT-AV1 asks for the highest real-time priority for its threads and for whoever calls it, gets it as root, and
gives it to every process that is started then: one trial that makes a clip of AV1 starved all trials beside it.
"""

from __future__ import annotations

import ctypes
from typing import Final

VERSION_3: Final = 0x20080522
"""linux/capability.h"""
CAP_SYS_NICE: Final = 23


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def give_up_real_time() -> None:
    """This thread, and those that it starts, can no longer ask for real time (capabilities(7)).

    Raises:
        OSError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(VERSION_3, 0), (_Sets * 2)()
    for call in (libc.capget, libc.capset):
        if call(ctypes.byref(header), sets):
            raise OSError(ctypes.get_errno(), "the capabilities of this process cannot be changed")
        for name in ("effective", "permitted", "inheritable"):
            setattr(sets[0], name, getattr(sets[0], name) & ~(1 << CAP_SYS_NICE))
