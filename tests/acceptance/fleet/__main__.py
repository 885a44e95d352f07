"""`python -m tests.fleet [P31 F1 …]`: try the fleet on real hosts, a line each. `make test-fleet` tries all."""

from __future__ import annotations

import sys

from tests.acceptance.faults.__main__ import main
from tests.acceptance.faults.suite import heed_the_end

if __name__ == "__main__":
    heed_the_end()
    try:
        sys.exit(main("fleet", __doc__))
    except KeyboardInterrupt:
        sys.exit("stopped before the end; its hosts are gone")
