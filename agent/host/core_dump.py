"""No core dump of a process that holds passwords.

systemd's watchdog ends a hung agent with SIGABRT, whose default is a copy of all memory on the disk: camera
passwords, keys, pictures. The unit forbids it, and so does the process, for whoever starts it by hand.
"""

from __future__ import annotations

import ctypes
import resource
from typing import Final

PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


def forbid_core_dumps() -> None:
    """From now on this process leaves none, neither as a file nor through a program that gathers them.

    A kernel that pipes dumps to a program does not ask the limit (core(5)); it does ask whether the process is
    dumpable (prctl(2)).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
