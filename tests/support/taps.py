"""What a tee gives, caught as a recorder would: for tests of what is recorded."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import av


@dataclass
class Caught:
    """Stands where the pipe is; keeps everything."""

    heads: list[dict[str, Any]] = field(default_factory=list)
    pieces: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)

    def tell(self, head: dict[str, Any], data: bytes = b"") -> None:
        self.heads.append(head)
        if head["kind"] == "init":
            self.pieces.append((head, data))

    def give(self, head: dict[str, Any], data: bytes) -> None:
        self.pieces.append((head, data))

    def finish(self, patience_s: float) -> None:
        """Nothing waits."""

    @property
    def runs(self) -> list[bytes]:
        """Each run as one file: its init and its fragments."""
        files: list[bytes] = []
        for head, data in self.pieces:
            if head["kind"] == "init":
                files.append(data)
            else:
                files[-1] += data
        return files

    @property
    def media(self) -> list[dict[str, Any]]:
        """The heads of the fragments."""
        return [head for head, _ in self.pieces if head["kind"] == "media"]


def played(file: bytes) -> list[Any]:
    """Every picture that a player finds in it."""
    with av.open(io.BytesIO(file)) as container:
        assert not container.streams.audio
        return list(container.decode(video=0))
