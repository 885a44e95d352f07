"""`python -m tests.acceptance.duty_room`: try the promises of the screen (`make test-duty-room`)."""

from __future__ import annotations

import sys

from tests.acceptance.faults.__main__ import main

if __name__ == "__main__":
    sys.exit(main("duty_room", __doc__))
