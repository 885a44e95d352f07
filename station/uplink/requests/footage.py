"""A clip of footage for the province: asked of the box, and handed up with its proof once it is judged.

How far it is stands on the disk, in the folder of the clip (footage/folder.py) and in the journal's mark:
whoever is started again goes on from there.

Invariants
1. A box that is not connected is not asked: what is signed for its present life would be refused by the next.
2. What goes up is what a commune hands to a court: the file with the package, its films, its custody log and
   the verifier. Nothing that was not judged goes up, and nothing that cannot be played.
3. The whole file counts at once against the bytes of the day in which it begins to go: none breaks off halfway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from agent.errors import NgatuError, UsageError
from agent.wire.message import Priority
from station.footage.folder import FootageStage, RequestFolder
from station.handover.dossier import NotJudged
from station.handover.shelf import ShelvedArchive
from station.uplink.requests.answer import PIECE_BYTES, SentFile, SentPiece, piece_item, pieces_in
from station.uplink.requests.box_clips import LIFE_S, BoxClips
from station.uplink.requests.effect import RequestPart
from station.uplink.requests.errands import Errands
from station.uplink.requests.order import FootageArgs, ProvinceRequest, RequestReason
from station.uplink.settings import RequestSettings

log = structlog.get_logger("station.uplink.requests.footage")

BEGUN: Final = "begun"
"""The mark of one of which the box was asked; then the number of the piece that goes next."""
SOON_S: Final = 2.0
"""Between two looks at what is done beside the uplink's thread."""
AGAIN_S: Final = 300.0
"""An order without an answer is sent again so often, to a box that is connected."""
LATEST: Final = timedelta(days=6)
"""A clip that is not here by then does not come; the journal remembers a request for eight days."""
MOST_TRIES: Final = 5
"""At a file that could not be made."""
_ENDED: Final[Mapping[FootageStage, RequestReason]] = {
    FootageStage.REFUSED: RequestReason.BOX_REFUSED,
    FootageStage.FAILED: RequestReason.BOX_FAILED,
    FootageStage.RELEASED: RequestReason.NOT_KEPT,
    FootageStage.DELETED: RequestReason.NOT_KEPT,
}


class FootageEffect:
    """For the uplink's thread; what takes long is done in another one."""

    priority = Priority.EVIDENCE

    def __init__(
        self,
        clips: BoxClips,
        settings: RequestSettings,
        errands: Errands,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clips, self._settings, self._errands, self._now = clips, settings, errands, now
        self._sent_s: dict[str, float] = {}
        """When this life has sent the order of a request."""
        self._tries: dict[str, int] = {}
        self._said: dict[str, str] = {}
        """What the log was told of a request last."""

    def part(self, request: ProvinceRequest, mark: str) -> RequestPart:
        """The next step: the order, the file, or a piece of it; why it waits, or does not come.

        Raises:
            StoreError, OSError: store or file cannot be read now.
        """
        args = request.args
        assert isinstance(args, FootageArgs)
        folder = self._clips.find(request, args)
        if folder is None:
            gone = mark != ""  # it was asked for: somebody has taken the folder away
            return _ended(RequestReason.NOT_KEPT) if gone else self._to_be_asked(request, args)
        stage = folder.state().stage
        if stage in _ENDED:
            return _ended(_ENDED[stage])
        if stage is FootageStage.COMPLETE:
            return self._handed_up(request, folder, mark)
        if stage is FootageStage.ASKED:
            return self._asked(request, args, folder)
        if self._now() - folder.request.asked_at > LATEST:
            return _ended(RequestReason.LATE)
        return RequestPart(mark=BEGUN, reason=RequestReason.BOX_SENDS)

    def close(self) -> None:
        """End what is done beside the uplink's thread."""
        self._errands.close()

    def _to_be_asked(self, request: ProvinceRequest, args: FootageArgs) -> RequestPart:
        """Invariant 1."""
        failed = self._errands.failure(_order_of(request))
        if args.to_ms - args.from_ms > self._settings.max_clip_s * 1000:
            return _ended(RequestReason.TOO_LONG)
        place, is_connected = self._clips.stands(args)
        if place is None or isinstance(failed, UsageError):
            return _ended(RequestReason.NO_CAMERA)
        if failed is not None:
            self._warn("footage_not_asked", request, failed)
        if failed is not None or not is_connected:
            return RequestPart(reason=RequestReason.BOX_AWAY)
        self._sent_s[request.id] = time.monotonic()
        self._errands.run(_order_of(request), lambda: self._clips.ask(request, args))
        return RequestPart(wait_s=SOON_S)

    def _asked(self, request: ProvinceRequest, args: FootageArgs, folder: RequestFolder) -> RequestPart:
        """The order went out, or was about to, and has no answer yet."""
        if self._errands.is_open(_order_of(request)):
            return RequestPart(wait_s=SOON_S)
        if not folder.order.exists():  # the station died before it was written: it surely did not go out
            self._clips.forget(folder)
            return RequestPart(wait_s=SOON_S)
        if (self._now() - folder.request.asked_at).total_seconds() > LIFE_S:
            return _ended(RequestReason.BOX_AWAY)
        if (failed := self._errands.failure(_order_of(request))) is not None:
            self._warn("footage_not_asked", request, failed)
            self._sent_s.pop(request.id, None)
            return RequestPart(mark=BEGUN, reason=RequestReason.BOX_AWAY)
        sent_s, now_s = self._sent_s.get(request.id), time.monotonic()
        if sent_s is None or now_s - sent_s >= AGAIN_S:
            if not self._clips.stands(args)[1]:
                return RequestPart(mark=BEGUN, reason=RequestReason.BOX_AWAY)
            self._sent_s[request.id] = now_s
            self._errands.run(_order_of(request), lambda: self._clips.ask_again(folder))
        return RequestPart(mark=BEGUN, reason=RequestReason.BOX_SENDS, wait_s=SOON_S)

    def _handed_up(self, request: ProvinceRequest, folder: RequestFolder, mark: str) -> RequestPart:
        """Invariants 2 and 3."""
        waits = RequestPart(mark=BEGUN, reason=RequestReason.BOX_SENDS, wait_s=SOON_S)
        if self._errands.is_open(_file_of(request)):
            return waits
        if (found := self._clips.handed_up(folder)) is not None:
            return self._piece(request, folder, found, mark)
        if mark.isdigit():  # it began to go: made anew it would be another file
            return _ended(RequestReason.NOT_KEPT)
        failed = self._errands.failure(_file_of(request))
        if failed is not None:
            self._warn("footage_not_handed_up", request, failed)
            tries = self._tries[request.id] = self._tries.get(request.id, 0) + 1
            if isinstance(failed, NotJudged) or tries >= MOST_TRIES:
                del self._tries[request.id]
                self._said.pop(request.id, None)
                return _ended(RequestReason.NO_PROOF)
            return RequestPart(mark=BEGUN, reason=RequestReason.BOX_SENDS)
        self._errands.run(_file_of(request), lambda: self._clips.hand_up(request, folder))
        return waits

    def _piece(
        self, request: ProvinceRequest, folder: RequestFolder, found: ShelvedArchive, mark: str
    ) -> RequestPart:
        if found.bytes > self._settings.bytes_per_day:
            return _ended(RequestReason.TOO_LARGE)
        for each in (self._sent_s, self._tries, self._said):
            each.pop(request.id, None)
        number = int(mark) if mark.isdigit() else 0
        with found.file.open("rb") as file:
            file.seek(number * PIECE_BYTES)
            data = file.read(PIECE_BYTES)
        sent = SentFile(found.file.name, found.bytes, found.sha256)
        is_last = number + 1 >= pieces_in(found.bytes)
        return RequestPart(
            [piece_item(SentPiece(request.id, sent, number, data), folder.request.device)],
            mark=str(number + 1),
            size_bytes=found.bytes if number == 0 else 0,
            is_last=is_last,
            files=[sent] if is_last else (),
        )

    def _warn(self, event: str, request: ProvinceRequest, failed: NgatuError) -> None:
        """Once for each reason."""
        if self._said.get(request.id) != failed.what:
            self._said[request.id] = failed.what
            log.warning(event, request=request.id, why=failed.what, hint=failed.hint)


def _ended(reason: RequestReason) -> RequestPart:
    return RequestPart(is_last=True, reason=reason)


def _order_of(request: ProvinceRequest) -> str:
    return f"order {request.id}"


def _file_of(request: ProvinceRequest) -> str:
    return f"file {request.id}"
