"""The demo's page: every event with its picture, newest first."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader


def write_page(folder: Path, labels: Counter[str]) -> Path:
    """Write index.html from what the station has committed; returns its path."""
    with closing(sqlite3.connect(f"file:{folder}/station/station.db?mode=ro", uri=True)) as station:
        rows = station.execute("select body from event_revision order by revision").fetchall()
    newest: dict[str, dict[str, Any]] = {}
    for (payload,) in rows:
        event = json.loads(payload)
        newest[event["id"]] = event
    events = sorted(newest.values(), key=lambda event: event["start_time"], reverse=True)
    for event in events:
        event["pictures"] = _pictures(folder, event)
    page = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template(
        "page.html.j2"
    )
    path = folder / "index.html"
    path.write_text(
        page.render(
            events=events, labels=labels.most_common(), films=sorted(f.name for f in folder.glob("*.mp4"))
        ),
        "utf-8",
    )
    return path


def _pictures(folder: Path, event: dict[str, Any]) -> list[str]:
    found = (folder / "pictures" / event["device"] / event["camera"]).glob(f"*_{event['id'][-12:]}.jpg")
    return [str(path.relative_to(folder)) for path in sorted(found, reverse=True)]
