"""`python -m tests.fleet [P31 F1 …]`: try the fleet on real hosts, a line each. `make test-fleet` tries all."""

from __future__ import annotations

import sys

from tests.faults.__main__ import main

if __name__ == "__main__":
    sys.exit(main("fleet", __doc__))
