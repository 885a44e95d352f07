"""P60.1: what a box sends as a picture and is none."""

from __future__ import annotations

import io
import time
import zipfile
from hashlib import sha256

import cv2
import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.acceptance.faults.p_hostile import ROOM, RawBox
from tests.acceptance.faults.stage import Receiver, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

BOX = "painter-01"
TABLES = "picture", "quarantine"


@promise(
    "P60.1", "bytes after FF D8: programs, archives, halves, metadata, bombs, beside real pictures",
    "0 of them among the pictures, each set aside; every real picture is kept",
)  # fmt: skip
def no_pictures(trial: Trial) -> str:
    """Each is sent as the picture of an event of its own; what is no JPEG at all was set aside before, too."""
    real, false = _real(trial.seed, trial.size(10, 100)), _false(trial.seed)
    with playing(trial.folder) as (_, server, station):
        ear = RawBox(server.port, "ear-01")
        ear.until_station()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, BOX, protocol=paho.MQTTv5)
        client.connect("127.0.0.1", server.port)
        client.loop_start()
        for number, data in enumerate([*real, *false.values()], 1):
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = [("stream", "s-painter"), ("seq", str(number))]
            client.publish(f"{ROOM}/{BOX}/camera/north/image/e-{number}/scene", data, 1, properties=properties)
        due = len(real) + len(false)
        until(lambda: sum(_counts(station)) >= due, 60)
        time.sleep(0.2)
        kept, aside = _counts(station)
        hashes = {row[0] for row in station.rows("select sha256 from picture")}
        client.loop_stop()
        ear.close()
    wrong = [name for name, data in false.items() if sha256(data).hexdigest() in hashes]
    missing = sum(sha256(data).hexdigest() not in hashes for data in real)
    if wrong or missing or (kept, aside) != (len(real), len(false)):
        raise Broken(f"{len(wrong)} of {len(false)} kept as pictures: {wrong[:3]}; {missing} real ones missing")
    return f"0 of {len(false)} kept as pictures, each set aside; {len(real)} real ones kept"


def _counts(station: Receiver) -> tuple[int, int]:
    kept, aside = (int((station.rows(f"select count(*) from {table}") or [(0,)])[0][0]) for table in TABLES)
    return kept, aside


def _real(seed: int, count: int) -> list[bytes]:
    chance = np.random.default_rng(seed)
    options = ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    return [
        cv2.imencode(".jpg", chance.integers(0, 256, (48, 64, 3), np.uint8), options[number % 3])[1].tobytes()
        for number in range(count)
    ]


def _false(seed: int) -> dict[str, bytes]:
    """By what they are."""
    (plain, progressive), chance = _real(seed + 1, 2), np.random.default_rng(seed)
    frame, scan = plain.index(b"\xff\xc0"), progressive.rindex(b"\xff\xda")
    huge = (16_000).to_bytes(2, "big") * 2
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("install.sh", "rm -rf /")
    return {
        "two bytes": b"\xff\xd8",
        "noise": b"\xff\xd8" + chance.bytes(20_000),
        "a page": b"\xff\xd8<html><script>fetch('//thief')</script>",
        "a program": b"\xff\xd8\x7fELF" + chance.bytes(9_000),
        "an archive behind a picture": plain + archive.getvalue(),
        "a picture behind a picture": plain + progressive,
        "half a picture": plain[: len(plain) // 2],
        "a picture without its end": plain[:-2],
        "a place in its metadata": plain[:2] + b"\xff\xe1\0\x12Exif\0\0GPS 21 105" + plain[2:],
        "words in a comment": plain[:2] + b"\xff\xfe\0\x0csecret key" + plain[2:],
        "256 million pixels": plain[: frame + 5] + huge + plain[frame + 9 :],
        "hundreds of scans": progressive[:scan] + progressive[scan:-2] * 300 + progressive[-2:],
        "no scan": plain[: plain.index(b"\xff\xda")] + b"\xff\xd9",
        "another kind of file": cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes(),
    }
