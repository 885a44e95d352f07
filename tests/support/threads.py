"""Which threads began in a while: what ends meanwhile, left by an earlier test, is not counted."""

from __future__ import annotations

import threading
from collections.abc import Iterable


def begun_since(before: Iterable[threading.Thread]) -> set[threading.Thread]:
    """Threads that run now and did not then (`threading.enumerate()`)."""
    return set(threading.enumerate()) - set(before)
