"""A program as ever that notes what it did: `python -m benchmarks.province.real.traced FILE station -c CONFIG`.

At its end the trace is left in FILE. Noting costs the program some time, too: so no such run is judged, and no
more is noted than the model asks for. Near what it can take in receipts come much later for a little more work.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.province.real.trace import Name, Trace, TracedBatch, named
from benchmarks.province.real.written import written_bytes
from station.ingest.batches import Batches
from station.ingest.connection import BrokerConnection
from station.ingest.handler_calls import HandlerCalls
from station.ingest.inbound import InboundMessage
from station.ingest.receipts import Receipts

LEAST_WAIT_S: Final = 0.001
"""A shorter look did not wait: paho woke itself."""
NOTED: Final = 100
"""So many messages in a row are noted as they are read …"""
EVERY: Final = 400
"""… of so many."""


class Tracer:
    """Stands around the steps of station/ingest."""

    def __init__(self) -> None:
        self.trace = Trace()
        self._names: tuple[Name | None, ...] = ()
        self._read_so_far = 0

    def install(self) -> None:
        """For the rest of this process."""
        for owner, step, around in (
            (Batches, "deliver", self._deliver),
            (Batches, "put", self._put),
            (BrokerConnection, "read", self._read),
            (HandlerCalls, "attend", self._attend),
            (Receipts, "deduplicate", self._deduplicate),
        ):
            setattr(owner, step, _around(getattr(owner, step), around))

    def _deliver(self, step: Callable[..., Any], batches: Any, client: Any) -> None:
        self._names = ()
        wrote = written_bytes()
        began_s, cpu_s = time.monotonic(), time.thread_time()
        step(batches, client)
        cpu_s, ended_s = time.thread_time() - cpu_s, time.monotonic()
        self.trace.batches.append(TracedBatch(began_s, ended_s, cpu_s, self._names, wrote, written_bytes()))

    def _deduplicate(self, step: Callable[..., Any], receipts: Any, batch: Any) -> Any:
        self._names = tuple(map(_name, batch))
        return step(receipts, batch)

    def _put(self, step: Callable[..., Any], batches: Any, box: Any, suffix: str, packet: Any) -> None:
        self._read_so_far += 1
        if self._read_so_far % EVERY < NOTED:
            given = dict(getattr(packet.properties, "UserProperty", ()))
            if "seq" in given:
                name = named(*box, given["stream"], int(given["seq"]))
                self.trace.heard_s.setdefault(name, time.monotonic())
        step(batches, box, suffix, packet)

    def _read(self, step: Callable[..., Any], connection: Any, client: Any, wait_s: float) -> Any:
        before, began_s = connection.heard, time.monotonic()
        code = step(connection, client, wait_s)
        lasted_s = time.monotonic() - began_s
        if connection.heard == before and lasted_s >= LEAST_WAIT_S and wait_s < 0.1:
            self.trace.quiet.append((began_s, lasted_s))
        return code

    def _attend(self, step: Callable[..., Any], calls: Any) -> None:
        began_s = time.monotonic()
        step(calls)
        self.trace.attend.append((began_s, time.monotonic() - began_s))


def _name(message: InboundMessage) -> Name | None:
    if message.stream is None or message.seq is None:
        return None
    return named(message.commune, message.device, message.stream, message.seq)


def _around(step: Callable[..., Any], around: Callable[..., Any]) -> Callable[..., Any]:
    def traced(*words: Any) -> Any:
        return around(step, *words)

    return traced


def main(file: Path, words: list[str]) -> None:
    """Run the program to its end, then leave the trace."""
    from agent.cli import main as program  # noqa: PLC0415  (as `python -m agent` does: after its log)

    tracer = Tracer()
    tracer.install()
    sys.argv = ["ngatu", *words]
    try:
        program.main()
    finally:
        file.write_bytes(pickle.dumps(tracer.trace))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
