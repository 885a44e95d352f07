"""`python -m tests.acceptance.boards`: try ngatu in the user space of each board (`make test-boards`).

A row of each system is kept in build/boards, and the table of all rows there is printed at the end.
"""

from __future__ import annotations

import sys

from tests.acceptance.boards.rows import ROWS, kept, table
from tests.acceptance.faults.__main__ import main

if __name__ == "__main__":
    status = main("boards", __doc__)
    if "--list" not in sys.argv and (rows := kept(ROWS)):
        (ROWS / "table.md").write_text(table(rows), encoding="utf-8")
        print(table(rows))
    sys.exit(status)
