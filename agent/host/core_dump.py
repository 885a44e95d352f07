"""No core dump of a process that holds passwords.

systemd's watchdog ends a hung agent with SIGABRT, whose default is a copy of all memory on the disk: camera
passwords, keys, pictures. The unit forbids it, and so does the process, for whoever starts it by hand.
"""

from __future__ import annotations

import resource
from typing import Final

NO_DUMP_BYTES: Final = 1
"""Too little for any dump, and the one limit that also stops a kernel which pipes dumps to a program: see
do_coredump in linux/fs/coredump.c; core(5) says only that others do not."""


def forbid_core_dumps() -> None:
    """From now on this process leaves none, neither as a file nor through a program that gathers them."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    least = NO_DUMP_BYTES if most == resource.RLIM_INFINITY else min(most, NO_DUMP_BYTES)
    resource.setrlimit(resource.RLIMIT_CORE, (least, least))
