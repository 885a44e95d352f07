"""`python -m tests.acceptance.image`: try the image of station and broker (`make test-image`)."""

from __future__ import annotations

import sys

from tests.acceptance.faults.__main__ import main

if __name__ == "__main__":
    sys.exit(main("image", __doc__))
