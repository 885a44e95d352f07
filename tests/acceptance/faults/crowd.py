"""Many boxes at one broker: `… .crowd COUNT PORT FOLDER`. Each is a real forwarder with a real outbox.

Prints the number of boxes that are connected whenever it has changed, until it is ended.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from uuid import uuid4

import structlog

from agent.clock import SystemClock
from agent.mqtt.forwarder import Forwarder
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.topics import Topics


def main(count: int, port: int, folder: Path) -> None:
    """Start them all at once, as after a power cut of the whole district."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    clock = SystemClock()
    boxes = []
    for number in range(count):
        outbox = Outbox(folder / f"{number}" / "outbox.db", OutboxSettings(ballast_bytes=0), clock)
        topics = Topics("test-commune", f"box-{number:03}")
        boxes.append(Forwarder(outbox, BrokerSettings(port=port), topics, str(uuid4()), clock))
    for box in boxes:
        box.start()
    before = -1
    while True:
        connected = sum(box.figures().connected_s is not None for box in boxes)
        if connected != before:
            print(connected, flush=True)
            before = connected
        time.sleep(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
