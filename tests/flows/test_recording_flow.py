"""A whole box that records: killed, started again, and its station knows the newest link of the chain"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from agent.errors import FootageError
from agent.evidence.encryption import decrypt, new_identity
from agent.evidence.links import head_after, link_sha256, verify_links
from agent.evidence.listing.index import Index
from agent.evidence.ring import read_stored
from station.watch.embedded import Address
from tests.support.boxes import Box, Station, at_work
from tests.support.brokers import until
from tests.support.taps import played

pytestmark = pytest.mark.long


def links(station: Station) -> dict[int, str]:
    """What the station was told of the chain: number and hash."""
    bodies = [
        json.loads(row[0]) for row in station.rows("select body from other_message where kind = 'recording'")
    ]
    return {body["number"]: body["link_sha256"] for body in bodies}


def kept_s(ring: Path) -> float:
    """Seconds of finished footage."""
    try:
        index = Index(ring, readonly=True)
    except FootageError:  # made this moment, and its tables are not there yet
        return 0.0
    try:
        return sum(row.duration_ms for row in index.segments("road", 0, 1e12)) / 1000
    finally:
        index.close()


def test_a_box_that_is_killed_while_it_records_goes_on_and_the_station_can_hold_it_against_the_chain(
    tmp_path: Path, embedded: Address
) -> None:
    box, station = Box(tmp_path, embedded.port), Station(tmp_path, embedded.port)
    ring = tmp_path / "state/evidence"
    identity, recipient = new_identity()
    plain = yaml.safe_load(box.config.read_text())
    plain["evidence"] = {"recipient": recipient}
    plain["cameras"][0]["record"] = {"mode": "continuous"}
    box.config.write_text(yaml.safe_dump(plain))

    with at_work(station, box):
        until(lambda: kept_s(ring) > 9, 90, "a segment is finished")
        box.kill()
        before_s = kept_s(ring)
        box.start()
        until(lambda: kept_s(ring) > before_s + 9, 90, "it records again")
        assert box.stop(30) == 0
        box.start()
        until(lambda: len(links(station)) >= 2, 60, "the station was told of the chain")
        box.kill()
        station.end()

    index = Index(ring, readonly=True)
    rows = index.segments("road", 0, 1e12)
    chain = [link for row in rows if (link := index.link("road", row.number)) is not None]
    assert verify_links(chain) == ()
    known = links(station)
    first = chain[0]
    for number, sha256 in known.items():
        bodies = [body for _, body in index.bodies("road", first.number, number)]
        assert head_after(link_sha256(first), bodies) == sha256
    fragments = index.between("road", 0, 1e12)
    assert len({each.run for each in fragments}) >= 2
    inits = index.inits(fragments)
    run = [each for each in fragments if each.run == fragments[-1].run]
    stored = [inits[run[0].init_sha256], *run]
    assert played(b"".join(decrypt(read_stored(ring, each), identity) for each in stored))
    assert "Traceback" not in box.log.read_text()
    index.close()
