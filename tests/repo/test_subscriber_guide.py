"""docs/guide/subscriber.md"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from agent.wire import codec
from agent.wire.payloads import PROOF_DIGITS, AckPayload, EventPayload, ReceiptPayload
from station.watch.embedded import Address
from tests.support.brokers import until
from tests.support.fake_box import FakeBox, an_event

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/subscriber.md").read_text(encoding="utf-8")


@contextmanager
def twenty_lines(settings: dict[str, object], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The guide's program at work."""
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 20
    command = [sys.executable, "-c", program, json.dumps(settings), str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kept(folder: Path) -> None:
    """One event and its picture."""
    (event,), (picture,) = folder.glob("*.json"), folder.glob("*.jpg")
    payload = codec.parse(EventPayload, event.read_bytes())
    assert event.name == "north-01-e-1-1.json"
    assert payload.image is not None
    assert sha256(picture.read_bytes()).hexdigest() == payload.image.sha256


def test_the_twenty_lines_as_the_station_keep_and_receipt_events_and_pictures(
    embedded: Address, tmp_path: Path
) -> None:
    commune = f"c-{uuid4().hex[:12]}"
    where = {"host": embedded.host, "port": embedded.port, "communes": [commune]}
    settings = where | {"receipts": True, "station": commune}
    with twenty_lines(settings, tmp_path) as process, FakeBox(embedded, commune=commune) as box:
        until(lambda: box.station_online or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1].decode()
        box.tell(an_event(1, picture=True))
        until(lambda: box.receipted() == {1, 2})
    kept(tmp_path)


def test_the_twenty_lines_as_the_guide_starts_them_only_look_on(embedded: Address, tmp_path: Path) -> None:
    commune = f"c-{uuid4().hex[:12]}"
    (given,) = re.findall(r"'({.*?})'", GUIDE)
    settings = json.loads(given.replace("hai-ninh", commune)) | {"host": embedded.host, "port": embedded.port}
    with twenty_lines(settings, tmp_path) as process, FakeBox(embedded, commune=commune) as box:
        (first, *_) = box.put(an_event(1, picture=True))

        def heard() -> bool:  # an onlooker does not say when it is there
            assert process.poll() is None, process.communicate()[1].decode()
            box.publish(first)
            return bool(list(tmp_path.glob("*.json")))

        until(heard)
        assert (box.receipts, box.station_online) == ([], [])


def test_the_receipt_of_the_guide_is_one() -> None:
    (example,) = re.findall(r"```json\n\s*(.*?)\n\s*```", GUIDE, re.DOTALL)

    assert codec.parse(ReceiptPayload, example.encode()).proofs == ((48213, "9f2c63aa01b7d4e8"),)


def test_the_proof_of_the_example_is_that_of_the_message_without_what_the_sending_added() -> None:
    """Whoever writes a station in another language tries his code by it."""
    (proof,) = re.findall(r"its proof is `([0-9a-f]+)`", GUIDE)
    sent, hashed = (line.strip() for line in re.findall(r'^ +\{"(?:seq|id)":.*$', GUIDE, re.MULTILINE))

    assert codec.body(sent.encode()) == hashed.encode() != sent.encode()
    assert sha256(hashed.encode()).hexdigest()[:PROOF_DIGITS] == proof
    assert codec.parse(AckPayload, sent.encode()).seq == 7
