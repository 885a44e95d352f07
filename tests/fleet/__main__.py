"""`python -m tests.fleet [P31 F1 …]`: try the fleet on real hosts, a line each. `make test-fleet` tries all."""

from __future__ import annotations

import signal
import sys

from tests.faults.__main__ import main

if __name__ == "__main__":
    # Whoever ends the suite ends its hosts too: they are taken down on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main("fleet", __doc__))
    except KeyboardInterrupt:
        sys.exit("stopped before the end; its hosts are gone")
