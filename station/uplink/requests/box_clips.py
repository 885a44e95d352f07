"""Footage of a box for a request of the province: asked for and handed over by the means that the station has.

Invariants
1. Of one request a box is asked for one clip, under an id that follows from the request: whoever asks again
   finds its folder, and sends the same order word for word, which the box does once.
2. What is made for the province lies beside the package until KEPT is over (handover/shelf.py): it goes up as
   the same bytes, however often it has to.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from agent.core.ids import Ids
from agent.core.types import Instant
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from agent.wire.signature import private_key
from agent.wire.verbs import OFFICER_LETTERS
from station.config import StationConfig, WebSettings
from station.footage import ask
from station.footage.ask import Sending
from station.footage.custody import STATION, CustodyBook
from station.footage.folder import RequestFolder, remove
from station.footage.wanted import ClipWanted
from station.handover.dossier import PlaceNames
from station.handover.report import HandOver
from station.handover.shelf import TO_PROVINCE, ShelvedArchive, clear, shelve, shelved
from station.lookup.places import BoxPlace, read_places
from station.store.columns import moment
from station.store.database import in_words
from station.store.schema import box
from station.uplink.requests.order import FootageArgs, ProvinceRequest

LIFE_S: Final = 86_400.0
"""An order waits so long for a box whose line was cut just now."""
ISSUER: Final = "province: {officer}"
"""Who sends the order, in the box's log."""


class BoxClips:
    """Of one station; for any thread."""

    def __init__(self, config: StationConfig, reads: Engine) -> None:
        self._config, self._reads = config, reads
        self._custody = CustodyBook(config.state_dir)

    def find(self, request: ProvinceRequest, args: FootageArgs) -> RequestFolder | None:
        """What was asked of the box for it, by this life of the station or an earlier one; None: nothing."""
        return ask.folders(self._config).find(args.device, clip_id(request))

    def stands(self, args: FootageArgs) -> tuple[BoxPlace | None, bool]:
        """The box, if it is known and has that camera as far as it has told; and whether it is connected.

        Raises:
            StoreError: the store cannot be read.
        """
        place, state = self._place(args.device)
        names = set() if place is None else {camera.name for camera in place.cameras}
        return (None if names and args.camera not in names else place), state == "online"

    def ask(self, request: ProvinceRequest, args: FootageArgs) -> None:
        """Note the clip and send the order; what the box answers is noted by the intake.

        Raises:
            UsageError: the box has no such camera, or would not understand it; nothing was sent.
            NgatuError: it could not be noted, or did not go out.
        """
        officer = printable(request.issuer)[:OFFICER_LETTERS]
        wanted = ClipWanted(
            box=args.device,
            camera=args.camera,
            from_time=moment(args.from_ms),
            to_time=moment(args.to_ms),
            case_number=args.case_number,
            purpose=args.purpose,
            officer=officer,
            issuer=ISSUER.format(officer=officer),
            name=clip_id(request),
        )
        ask.ask(self._config, wanted, self._sending())

    def ask_again(self, folder: RequestFolder) -> None:
        """The same order, of which nobody knows whether it went out.

        Raises:
            NgatuError: it did not go out.
        """
        ask.ask_again(self._config, folder, self._sending())

    def forget(self, folder: RequestFolder) -> None:
        """Of one whose order surely did not go out."""
        remove(folder.path)

    def hand_up(self, request: ProvinceRequest, folder: RequestFolder) -> None:
        """Make the file that goes up; the custody log says to whom.

        Raises:
            NgatuError: the package was not judged, cannot be played, or cannot be written or signed.
        """
        clear(ask.folders(self._config), datetime.now(UTC))
        web = self._config.web or WebSettings()
        zone = ZoneInfo(web.time_zone)
        receiver = translated(tr("the province, {officer}", officer=printable(request.issuer)), web.language)
        what = HandOver(datetime.now(zone), STATION, web.language, receiver)
        device, camera = folder.request.device, folder.request.camera
        place, _ = self._place(device)
        titles = (device, camera) if place is None else (place.title, place.camera_title(camera))
        shelve(folder, self._custody, PlaceNames(*titles), what, TO_PROVINCE)

    def handed_up(self, folder: RequestFolder) -> ShelvedArchive | None:
        """The file that goes up; None: it is not made yet, or not any more."""
        return shelved(folder, TO_PROVINCE)

    def _place(self, device: str) -> tuple[BoxPlace | None, str | None]:
        """The box by its names, and how it stands."""
        query = select(box.c.id, box.c.state).where(
            box.c.commune == self._config.commune, box.c.device == device
        )
        try:
            with self._reads.connect() as connection, connection.begin():
                row = connection.execute(query).first()
                return (None, None) if row is None else (read_places(connection, [row.id])[row.id], row.state)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error

    def _sending(self) -> Sending:
        """Signed, if the station has a key for orders."""
        key = None if self._config.web is None else self._config.web.command_key
        return Sending(LIFE_S, 0.0, None if key is None else private_key(key))


def clip_id(request: ProvinceRequest) -> str:
    """The id of what a box is asked for a request (invariant 1); no two requests have the same."""
    seed = sha256(f"{request.id} {request.sha256}".encode()).digest()
    return Ids(seed).next(Instant(0.0, request.issued_ms / 1000))[0]
