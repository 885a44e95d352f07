"""`python -m tests.acceptance.csi`: try ribbon cameras with the real picamera2 (`make test-csi`)."""

from __future__ import annotations

import sys

from tests.acceptance.faults.__main__ import main

if __name__ == "__main__":
    sys.exit(main("csi", __doc__))
