"""`python -m tests.acceptance.arm64`: try ngatu in the user space of an arm64 board (`make test-arm64`)."""

from __future__ import annotations

import sys

from tests.acceptance.faults.__main__ import main

if __name__ == "__main__":
    sys.exit(main("arm64", __doc__))
