"""agent.wire.payloads.delivery"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from agent.wire.payloads import ReceiptPayload

AT = datetime(2026, 3, 2, 11, 4, 7, 412_999, tzinfo=UTC)


def test_a_range_that_ends_before_it_begins_is_no_receipt() -> None:
    assert ReceiptPayload(station="a", stream="s", committed=((1, 1),), time=AT).committed == ((1, 1),)
    with pytest.raises(ValidationError, match="ends before it begins"):
        ReceiptPayload(station="a", stream="s", committed=((3, 1),), time=AT)
