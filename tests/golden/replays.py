"""What the whole of seeing makes of the three clips, beside what it is expected to make of them.

Events and tracks are compared byte for byte. The hashes and lengths of pictures are kept apart: they are those
of OpenCV's JPEG encoder, so they are compared only where the same encoder made them.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import cv2

from tests.golden.clips import CLIPS, Clip, write
from tests.golden.colours import write_model

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
REPLAY = (sys.executable, "-m", "agent", "replay")
START = "2025-12-31T23:59:50"
"""Ten seconds before seven o'clock in Vietnam, when the schedule of one rule begins."""
MOST_DIFFERENCES, MOST_FIELDS = 12, 8
"""So many are shown of a clip, and of an event; the rest is counted."""
ACCEPT = "`make golden-accept` takes this as right; `git diff tests/golden` then shows all of it"
PICTURES = ("image", "scene")
COLOURED = ("vehicle_colour", "clothes_colour")
Record = dict[str, Any]
Change = tuple[str, str]
"""Where something differs, and how."""


@dataclass(frozen=True, slots=True)
class Golden:
    """The files of one clip, by name; all of them text."""

    events: str
    """`ngatu replay --events`, without the hashes and lengths of pictures."""
    tracks: str
    """`ngatu replay --tracks`."""
    pictures: str
    """Who encoded them; then for each picture its event, revision, kind, length and hash."""

    def files(self, name: str) -> dict[str, str]:
        """The text of each file of the clip of this name, by the file's name."""
        return {
            f"{name}.events.jsonl": self.events,
            f"{name}.tracks.txt": self.tracks,
            f"{name}.pictures.jsonl": self.pictures,
        }


def replayed(folder: Path, clips: Sequence[Clip] = CLIPS) -> dict[str, Golden]:
    """Draw the clips into the folder and replay them, two at a time; by name of the clip."""
    model = write_model(folder)
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda clip: _replayed(clip, model, folder), clips)
        return {clip.name: golden for clip, golden in zip(clips, made, strict=True)}


def expected(name: str) -> Golden:
    """What is expected of the clip of this name; empty where nothing is."""
    paths = (EXPECTED / file for file in Golden("", "", "").files(name))
    return Golden(*(path.read_text(encoding="utf-8") if path.exists() else "" for path in paths))


def accept(found: dict[str, Golden]) -> list[Path]:
    """Take this as expected from now on; returns the files that changed."""
    EXPECTED.mkdir(exist_ok=True)
    texts = {EXPECTED / file: text for name, each in found.items() for file, text in each.files(name).items()}
    changed = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in changed:
        path.write_text(texts[path], encoding="utf-8")
    return changed


def difference(name: str, wanted: Golden, found: Golden) -> str:
    """What differs, event by event and field by field, of bounded length; empty where nothing does."""
    changes = [
        *_of_records(wanted.events, found.events),
        *_of_tracks(wanted.tracks, found.tracks),
    ]
    same_encoder = wanted.pictures.partition("\n")[0] == found.pictures.partition("\n")[0]
    if same_encoder and wanted.events == found.events:
        changes += _of_records(wanted.pictures, found.pictures)
    if not changes:
        return ""
    where: dict[str, list[str]] = {}
    for title, change in changes:
        where.setdefault(change, []).append(title)
    shown = [_shown(name, change, titles) for change, titles in where.items()]
    rest = len(shown) - MOST_DIFFERENCES
    more = [f"… and {rest} more differences in {name}"] if rest > 0 else []
    return "\n".join([*shown[:MOST_DIFFERENCES], *more, ACCEPT])


def _shown(name: str, change: str, titles: Sequence[str]) -> str:
    """One change, and where it was found: what changed everywhere is told once."""
    others = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
    return f"{name}: {titles[0]}{others}\n{change}"


def _replayed(clip: Clip, model: Path, folder: Path) -> Golden:
    events, tracks = folder / f"{clip.name}.jsonl", folder / f"{clip.name}.txt"
    words = ["--config", HERE / "golden.yaml", "--camera", clip.name, "--model", model, "--start", START]
    outputs = ["--events", events, "--tracks", tracks, "--label", "all"]
    video = write(clip, folder)
    done = subprocess.run([*REPLAY, video, *words, *outputs], capture_output=True, text=True, check=False)
    video.unlink()
    assert done.returncode == 0, done.stderr
    lines, pictures = [], [_dumped({"opencv": cv2.__version__, "machine": platform.machine()})]
    for line in events.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        assert _dumped(record) == line, "what is written back is what was read"
        for kind in PICTURES:
            if record.get(kind):
                what = {"event": record["id"], "revision": record["revision"], "kind": kind}
                what |= {part: record[kind].pop(part) for part in ("bytes", "sha256")}
                pictures.append(_dumped(what))
        for part in COLOURED:
            # By pixels, whose last bits are those of the processor: the word is compared, that is not.
            ((record.get("object") or {}).get(part) or {}).pop("confidence", None)
        lines.append(_dumped(record))
    return Golden(_text(lines), tracks.read_text(encoding="utf-8"), _text(pictures))


def _dumped(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _of_records(wanted: str, found: str) -> Iterator[Change]:
    """Differences of two files of JSON lines; an event that is new or missing does not shift the others."""
    if wanted == found:
        return
    before, after = ([json.loads(line) for line in text.splitlines()] for text in (wanted, found))
    steps = SequenceMatcher(None, [_title(e) for e in before], [_title(e) for e in after], autojunk=False)
    for step, i, i_end, j, j_end in steps.get_opcodes():
        if step == "equal":
            for old, new in zip(before[i:i_end], after[j:j_end], strict=True):
                if old != new:
                    yield _title(new), _of_fields(old, new)
            continue
        yield from ((_title(old), "    is missing") for old in before[i:i_end])
        yield from ((_title(new), "    is new") for new in after[j:j_end])


def _title(record: Record) -> str:
    """An event or a count in a few words that tell it from the others, without its id."""
    if "clock" not in record:
        return f"{record.get('kind', 'encoder')} of {record.get('event')}.{record.get('revision')}"
    at_s = record["clock"]["mono_ms"] / 1000
    if "kind" not in record:
        return f"{at_s:.1f} s, counts of {record['rule']}"
    label = f" of a {record['object']['label']}" if record.get("object") else ""
    return f"{at_s:.1f} s, {record['kind']} {record['phase']} by {record['rule']['id']}{label}"


def _of_fields(old: Record, new: Record) -> str:
    before, after = dict(_flat(old)), dict(_flat(new))
    names = (*before, *(field for field in after if field not in before))
    lines = [
        f"    {field}: {before.get(field, 'absent')} → {after.get(field, 'absent')}"
        for field in names
        if before.get(field, "absent") != after.get(field, "absent")
    ]
    if not lines:
        return "    the same fields in another order"
    rest = len(lines) - MOST_FIELDS
    return "\n".join([*lines[:MOST_FIELDS], *([f"    … and {rest} more fields"] if rest > 0 else [])])


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every field with its full name; lists of numbers stay in one piece, cut where they are long."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and isinstance(value[0], list):
        for index, each in enumerate(value):
            yield f"{name}[{index}]", json.dumps(each)
    else:
        yield name, json.dumps(value, ensure_ascii=False)[:80]


def _of_tracks(wanted: str, found: str) -> Iterator[Change]:
    """The first line that differs: what follows from it says little."""
    if wanted == found:
        return
    before, after = wanted.splitlines(), found.splitlines()
    row = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    row = min(len(before), len(after)) if row is None else row
    old, new = (rows[row] if row < len(rows) else "nothing" for rows in (before, after))
    yield f"tracks, line {row + 1} (frame, id, left, top, width, height, score)", f"    {old} → {new}"
