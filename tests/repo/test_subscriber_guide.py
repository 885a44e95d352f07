"""docs/guide/subscriber.md"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from agent.wire import codec
from agent.wire.payloads import EventPayload, ReceiptPayload
from station.watch.embedded import Address
from tests.support.brokers import until
from tests.support.fake_box import FakeBox, an_event

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/subscriber.md").read_text(encoding="utf-8")


def test_the_twenty_lines_keep_events_and_pictures(embedded: Address, tmp_path: Path) -> None:
    commune = f"c-{uuid4().hex[:12]}"
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    settings = {"host": embedded.host, "port": embedded.port, "communes": [commune], "station": commune}
    command = [sys.executable, "-c", program, json.dumps(settings), str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with FakeBox(embedded, commune=commune) as box:
            until(lambda: box.station_online or process.poll() is not None)
            assert process.poll() is None, process.communicate()[1].decode()
            box.tell(an_event(1, picture=True))
            until(lambda: box.receipted() == {1, 2})
    finally:
        process.kill()
        process.communicate()

    (event,), (picture,) = tmp_path.glob("*.json"), tmp_path.glob("*.jpg")
    payload = codec.parse(EventPayload, event.read_bytes())
    assert event.name == "north-01-e-1-1.json"
    assert payload.image is not None
    assert sha256(picture.read_bytes()).hexdigest() == payload.image.sha256
    assert len([line for line in program.splitlines() if line.strip()]) <= 20


def test_the_receipt_of_the_guide_is_one() -> None:
    (example,) = re.findall(r"```json\n\s*(.*?)\n\s*```", GUIDE, re.DOTALL)

    assert codec.parse(ReceiptPayload, example.encode()).proofs == ((48213, "9f2c63aa01b7d4e8"),)
