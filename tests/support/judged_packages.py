"""Packages at a station whose desk has judged them: real film, signed by a box, with custody logs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from station.footage.custody import CustodyBook
from station.footage.folder import FOOTAGE, FootageFolder, FootageRequest, FootageStage, RequestFolder
from tests.support.footage import NOON_S
from tests.support.packages import Maker, pem, recorded
from verifier.judge import judge

COMMUNE, DEVICE, CAMERA = "thanh-xuan", "pole-7", "north"


@dataclass
class JudgedPackages:
    """A station's folder with packages of one box, which really recorded."""

    root: Path
    maker: Maker = field(init=False)
    custody: CustodyBook = field(init=False)

    def __post_init__(self) -> None:
        self.maker = Maker(recorded(self.root / "ring"))
        self.state_dir = self.root / "station"
        self.state_dir.mkdir()
        self.custody = CustodyBook(self.state_dir)
        self.folders = FootageFolder(self.state_dir / FOOTAGE)

    def asked(
        self, request_id: str = "01a2-first", from_s: float = 3, to_s: float = 57, **words: str
    ) -> RequestFolder:
        """A request; nothing of it is here."""
        at = datetime.fromtimestamp(NOON_S, UTC)
        request = FootageRequest(
            id=request_id,
            commune=COMMUNE,
            device=DEVICE,
            camera=CAMERA,
            from_time=at + timedelta(seconds=from_s),
            to_time=at + timedelta(seconds=to_s),
            case_number=words.get("case_number", "12/2026"),
            purpose=words.get("purpose", "Va chạm ở ngã tư"),
            officer=words.get("officer", "Lê Văn A"),
            issuer=words.get("issuer", "le.van.a"),
            asked_at=at + timedelta(hours=1),
        )
        return self.folders.new(request, pem(self.maker.key))

    def here(
        self, request_id: str = "01a2-first", from_s: float = 3, to_s: float = 57, **words: str
    ) -> RequestFolder:
        """A request whose package came, was decrypted and judged; `lost` names a file that did not come."""
        folder = self.asked(request_id, from_s, to_s, **words)
        self.maker.write(folder.package, NOON_S + from_s, NOON_S + to_s, "decrypted")
        if "lost" in words:
            (folder.package / words["lost"]).unlink()
        size = sum(path.stat().st_size for path in folder.package.iterdir())
        self.custody.note(
            folder, "received", "station", f"{len(list(folder.package.iterdir()))} files, {size} bytes"
        )
        films = ", ".join(sorted(path.name for path in folder.package.glob("*.mp4")))
        self.custody.note(folder, "opened", "station", f"decrypted: {films}")
        self.settle(folder)
        return folder

    def settle(self, folder: RequestFolder) -> None:
        """As the desk judges it."""
        verdict = str(
            judge(folder.package, self.maker.key.public_key(), self.custody.public(), at_station=True).verdict
        )
        self.custody.note(folder, "verified", "station", verdict)
        size = sum(path.stat().st_size for path in folder.package.iterdir())
        folder.tell(stage=FootageStage.COMPLETE, verdict=verdict, size_bytes=size, arrived_bytes=size)

    def copy(self, to: Path) -> Path:
        """The station's folder elsewhere."""
        shutil.copytree(self.state_dir, to)
        return to

    def close(self) -> None:
        """Let go of the box."""
        self.maker.footage.bench.ring.close()
