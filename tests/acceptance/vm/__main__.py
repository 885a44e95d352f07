"""`python -m tests.acceptance.vm`: try ngatu in a whole machine with its own kernel (`make test-vm`)."""

from __future__ import annotations

import sys

from tests.acceptance.faults.__main__ import main

if __name__ == "__main__":
    sys.exit(main("vm", __doc__))
