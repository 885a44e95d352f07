"""The embedded broker in a process of its own, so that it is not counted.

Prints its port, and ends with its input.
"""

from __future__ import annotations

import sys

from station.watch.embedded import embedded_broker

if __name__ == "__main__":
    with embedded_broker() as address:
        print(address.port, flush=True)
        sys.stdin.read()
